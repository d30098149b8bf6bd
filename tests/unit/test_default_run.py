"""The timeline of a run, read from a log of Snakemake, by hand."""

import re
import sys
from pathlib import Path

import pytest

from weldbench.errors import InputError

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from default_run import Job, chart, critical_path, idle_lines, jobs_of, numbers


def started(at: int, number: int, rule: str, wildcards: str, inputs: str, outputs: str) -> str:
    return f"""[Sat Nov 28 05:00:{at:02d} 2026]
localrule {rule}:
    input: {inputs}
    output: {outputs}
    jobid: {number}
    wildcards: {wildcards}
    threads: 1
    log: logs/{number}.log (check log file(s) for error details)
Shell command: python scripts/{rule}.py  --output {outputs.split(",")[0]} &> logs/{number}.log
"""


def ended(at: int, number: int) -> str:
    return f"[Sat Nov 28 05:00:{at:02d} 2026]\nFinished jobid: {number} (Rule: any)\n{number} of 5 steps done\n"


LOG = "".join(
    [
        "SNAKEMAKE\n=========\nBuilding DAG of jobs...\n",
        started(1, 7, "fetch", "dataset=mine", "scripts/fetch.py", "data/mine/archive.zip"),
        ended(11, 7),
        started(
            11, 3, "train", "dataset=mine, model=conv6, fold=0, seed=1", "data/mine/archive.zip", "models/a, models/b"
        ),
        # Two that start in the same second stand below one stamp.
        started(
            11, 4, "train", "dataset=mine, model=conv6, fold=0, seed=2", "data/mine/archive.zip", "models/c"
        ).partition("\n")[2],
        ended(31, 3),
        ended(51, 4),
        started(53, 2, "compare", "dataset=mine", "models/b, models/c, scripts/compare.py", "results/t.csv"),
        ended(58, 2),
        "[Sat Nov 28 05:00:58 2026]\nlocalrule all:\n    input: results/t.csv\n    jobid: 0\n",
        ended(58, 0),
    ]
)


@pytest.fixture
def jobs() -> list[Job]:
    jobs = jobs_of(LOG)
    for job in jobs:
        job.core_seconds = job.seconds
    return jobs


def test_a_log_tells_the_jobs_and_when_they_ran(jobs: list[Job]) -> None:
    assert [(job.name, job.start, job.end) for job in jobs] == [
        ("fetch", 0, 10),
        ("train conv6, fold 0, seed 1", 10, 30),
        ("train conv6, fold 0, seed 2", 10, 50),
        ("compare", 52, 57),
    ]
    assert jobs[1].log == Path("logs/3.log")
    assert jobs[1].outputs == {"models/a", "models/b"}


def test_the_path_that_decides_the_length_goes_back_from_the_last_job(jobs: list[Job]) -> None:
    assert [(job.name, waited) for job, waited in critical_path(jobs)] == [
        ("fetch", 0),
        ("train conv6, fold 0, seed 2", 0),
        ("compare", 2),
    ]


def test_idle_core_seconds_by_hand(jobs: list[Job]) -> None:
    assert list(idle_lines(jobs, cores=2))[1:] == [
        "     0 to 10: 10, fetch",
        "    30 to 50: 20, train conv6, fold 0, seed 2",
        "    52 to 57: 5, compare",
    ]
    found = {line.name: line.median for line in numbers(jobs, cores=2)}
    assert found == {
        "run": 57, "idle": 10 + 20 + 2 * 2 + 5, "critical_path": 55, "waited": 2, "train": 60, "fetch": 10, "compare": 5
    }  # fmt: skip


def test_each_job_has_a_bar_where_it_ran(jobs: list[Job]) -> None:
    bars = [re.search(r"\|( *)(#+)$", line) for line in list(chart(jobs))[1:]]
    assert [(len(bar[1]), len(bar[2])) for bar in bars] == [(0, 9), (9, 17), (9, 35), (46, 4)]


def test_a_log_without_jobs_is_refused() -> None:
    with pytest.raises(InputError, match="names no job that ended"):
        jobs_of("SNAKEMAKE\nNothing to be done\n")
