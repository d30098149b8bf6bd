"""Where the seconds of a whole run go: starts and ends of jobs, cores at work, and the path that decides the length.

    python benchmarks/default_run.py [--params FILE] [--cores N] [--record]
    python benchmarks/default_run.py --log .snakemake/log/NAME.snakemake.log --cores N

The first runs `snakemake` in a copy of this checkout, with params.yaml or another file of its kind, and looks at the
processor time of every job twice a second. The second reads the log of a run that was, which says starts and ends to
a second, but not how busy the cores were; a job counts as one core there.

- run: from the first job's start to the last one's end; idle: what the cores could have done besides, per stretch;
- critical_path: the jobs that had to wait for each other, from the last one back; waited: for a core, on that path;
- RULE: core-seconds of all jobs of a rule.
"""

import argparse
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from results import Measured, print_lines, write_section
from watched_run import watched

from weldbench.errors import InputError
from weldbench.pipeline.command import command
from weldbench.runtime.processor import processor_name, usable_cores

ROOT = Path(__file__).parents[1]
COPIED = ("workflow", "rules", "scripts", "src", "notebooks", "reference", "corrections")
CHART_CHARACTERS = 50
STRETCH_SECONDS = 3  # of idle cores that are told


@dataclass
class Job:
    """One job of a log; seconds count from the start of the first one."""

    name: str
    rule: str
    log: Path
    start: float
    inputs: set[str]
    outputs: set[str]
    end: float | None = None
    core_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.end or self.start) - self.start

    @property
    def cores(self) -> float:
        """Cores that worked for it, on average."""
        return self.core_seconds / max(self.seconds, 1.0)


@command
def main() -> None:
    """Run or read, print the timeline, and write the section of RESULTS.md where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--params", type=Path, default=ROOT / "params.yaml")
    parser.add_argument("--cores", type=int, default=usable_cores())
    parser.add_argument("--log", type=Path, help="of a run that was; nothing runs then")
    parser.add_argument("--record", action="store_true", help="also write the section of RESULTS.md")
    arguments = parser.parse_args()
    if arguments.log:
        jobs = jobs_of(arguments.log.read_text(encoding="utf-8"))
        for job in jobs:
            job.core_seconds = job.seconds
    else:
        jobs = run(arguments.params, arguments.cores)
    told = "\n".join([*chart(jobs), "", *idle_lines(jobs, arguments.cores), "", *path_lines(jobs)])
    measured = numbers(jobs, arguments.cores)
    print(told)
    print_lines(measured)
    if arguments.record:
        introduction = (
            f"`snakemake --cores {arguments.cores}` of {arguments.params.name}, {len(jobs)} jobs; core-seconds of each "
            f"rule. {processor_name()}; {datetime.now():%Y-%m-%d}.\n\n```text\n{told}\n```"
        )
        write_section("A whole run", introduction, measured)


def run(params: Path, cores: int) -> list[Job]:
    """Run the workflow in a folder of its own, and measure what each job works."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for part in COPIED:
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        shutil.copy(ROOT / "requirements.lock", folder)
        shutil.copy(params, folder / "params.yaml")
        os.environ["PYTHONPATH"] = "src"  # that of the copy, whatever is installed
        seen = {
            Path("logs", f"{job.log}.log"): job for job in watched(["snakemake", "--cores", str(cores)], folder).jobs
        }
        (log,) = (folder / ".snakemake/log").glob("*.snakemake.log")
        jobs = jobs_of(log.read_text(encoding="utf-8"))
    for job in jobs:
        if job.log in seen:  # not if it was too short
            job.core_seconds = sum(seen[job.log].core_seconds.values())
    return jobs


def jobs_of(log: str) -> list[Job]:
    """Read the jobs that ended from a log of Snakemake, in the order of their starts.

    Raises:
        InputError: It names none.
    """
    found: dict[str, Job] = {}
    for stamp, entry in re.findall(r"^\[(\w{3} \w{3} .+? \d{4})\]\n(.*?)(?=^\[|\Z)", log, re.M | re.S):
        time = datetime.strptime(stamp, "%a %b %d %H:%M:%S %Y").timestamp()
        for job_text in re.findall(r"^(?:local)?rule \w+:.*?(?=^(?:local)?rule |\Z)", entry, re.M | re.S):
            of = dict(re.findall(r"^    (\w+): (.*)$", job_text, re.M))
            if "log" in of:  # a target, `all`, has none
                rule = re.search(r"rule (\w+):", job_text)[1]
                wildcards = dict(re.findall(r"\b(?!dataset)(\w+)=([^,]+)", of.get("wildcards", "")))
                subject = f"{rule} {wildcards.pop('model', '')}".strip()
                name = ", ".join([subject, *(f"{key} {value}" for key, value in wildcards.items())])
                listed = ({*of.get(key, "").split(", ")} for key in ("input", "output"))
                found[of["jobid"]] = Job(name, rule, Path(of["log"].split(" ")[0]), time, *listed)
        for number in re.findall(r"^Finished jobid: (\d+)", entry, re.M):
            if number in found:
                found[number].end = time
    jobs = sorted((job for job in found.values() if job.end is not None), key=lambda job: (job.start, job.end))
    if not jobs:
        raise InputError("the log names no job that ended")
    first = jobs[0].start
    for job in jobs:
        job.start, job.end = job.start - first, job.end - first
    return jobs


def chart(jobs: list[Job]) -> Iterator[str]:
    """Draw a line for each job: start, end, seconds, cores at work, and when it ran."""
    last = max(job.end for job in jobs)
    wide = max(len(job.name) for job in jobs)
    yield f"{'job':{wide}} {'start':>6} {'end':>6} {'s':>5} {'cores':>5}"
    for job in jobs:
        begin, end = (round(moment / last * CHART_CHARACTERS) for moment in (job.start, job.end))
        bar = " " * begin + "#" * max(1, end - begin)
        yield f"{job.name:{wide}} {job.start:6.0f} {job.end:6.0f} {job.seconds:5.0f} {job.cores:5.1f} |{bar}".rstrip()


def idle_stretches(jobs: list[Job], cores: int) -> Iterator[tuple[float, float, float, list[str]]]:
    """Yield start, end, idle core-seconds and the jobs at work, wherever the set of jobs stays the same."""
    moments = sorted({moment for job in jobs for moment in (job.start, job.end)})
    for begin, end in pairwise(moments):
        at_work = [job for job in jobs if job.start <= begin and job.end >= end and job.seconds]
        busy = min(cores, sum(min(job.cores, cores) for job in at_work))
        yield begin, end, (cores - busy) * (end - begin), [job.name for job in at_work]


def idle_lines(jobs: list[Job], cores: int) -> Iterator[str]:
    """Tell the stretches in which half a core or more was idle."""
    yield "idle core-seconds, and what ran then"
    for begin, end, idle, at_work in idle_stretches(jobs, cores):
        if end - begin >= STRETCH_SECONDS and idle >= 0.5 * (end - begin):
            yield f"{begin:6.0f} to {end:.0f}: {idle:.0f}, {', '.join(at_work) or 'nothing'}"


def critical_path(jobs: list[Job]) -> list[tuple[Job, float]]:
    """Return the jobs that decided the length, in order, each with what it waited though its inputs were there."""
    path = []
    job: Job | None = max(jobs, key=lambda job: job.end)
    while job:
        before = [other for other in jobs if other.outputs & job.inputs and other is not job]
        latest = max(before, key=lambda other: other.end, default=None)
        path.append((job, job.start - (latest.end if latest else 0.0)))
        job = latest
    return path[::-1]


def path_lines(jobs: list[Job]) -> Iterator[str]:
    """Tell the critical path."""
    yield "the critical path"
    for job, waited in critical_path(jobs):
        after = f", after waiting {waited:.0f} s for a core" if waited >= 1 else ""
        yield f"{job.seconds:6.0f} s {job.name}{after}"


def numbers(jobs: list[Job], cores: int) -> list[Measured]:
    """Return what the section of RESULTS.md lists."""
    path = critical_path(jobs)
    by_rule: Counter[str] = Counter()
    for job in jobs:
        by_rule[job.rule] += job.core_seconds
    totals = {
        "run": max(job.end for job in jobs),
        "idle": sum(idle for _, _, idle, _ in idle_stretches(jobs, cores)),
        "critical_path": sum(job.seconds for job, _ in path),
        "waited": sum(waited for _, waited in path),
        **dict(by_rule.most_common()),
    }
    return [Measured(name, [seconds], "s") for name, seconds in totals.items()]


if __name__ == "__main__":
    main()
