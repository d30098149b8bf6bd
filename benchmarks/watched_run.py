"""A run of the workflow, watched: when each job ran, and what its processes took of the processor and of memory."""

import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_SECONDS_BETWEEN_LOOKS = 0.2


@dataclass
class Job:
    """A job of the workflow.

    Attributes:
        log: Of the job, from the folder `logs`, without its ending: `ss304/conv6-fold0-seed0-train`.
        started_s: When it was first seen, from the start of the run.
        ended_s: When it was last seen.
        own_memory_bytes: What one of its processes had for itself at most: pages that no file lies behind.
        core_seconds: Of each of its processes, by number.
    """

    log: str
    started_s: float
    ended_s: float
    own_memory_bytes: int = 0
    core_seconds: dict[int, float] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """Its stage, as in docs/design.md."""
        name = Path(self.log).name
        return next((part for part in name.split("-") if part in {"fetch", "split"}), name.rsplit("-", 1)[-1])

    @property
    def model(self) -> str:
        """Key in `models`, or nothing."""
        name = Path(self.log).name
        return name.split("-")[0] if "-" in name and self.stage != "split" else ""

    @property
    def seconds(self) -> float:
        """How long it ran."""
        return self.ended_s - self.started_s


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        seconds: Of the whole.
        jobs: In the order of their starts.
    """

    seconds: float
    jobs: list[Job]


def watched(command: list[str], folder: Path) -> Run:
    """Run an engine in a project's folder and watch its jobs.

    A process belongs to the job whose log it writes to. What is shorter than a fifth of a second may be missed.

    Raises:
        subprocess.CalledProcessError: The engine failed.
    """
    started, jobs = time.perf_counter(), {}
    engine = subprocess.Popen(command, cwd=folder)
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(psutil.Process(engine.pid), folder / "logs", jobs, ended))
    watcher.start()
    code = engine.wait()
    ended.set()
    watcher.join()
    if code:
        raise subprocess.CalledProcessError(code, command)
    return Run(time.perf_counter() - started, list(jobs.values()))


def _watch(engine: psutil.Process, logs: Path, jobs: dict[str, Job], ended: threading.Event) -> None:
    started = time.perf_counter()
    while not ended.wait(_SECONDS_BETWEEN_LOOKS):
        now = time.perf_counter() - started
        try:
            processes = engine.children(recursive=True)
        except psutil.NoSuchProcess:
            return
        for process in processes:
            try:
                written = Path(f"/proc/{process.pid}/fd/1").readlink()
                if not written.is_relative_to(logs):
                    continue
                log = str(written.relative_to(logs).with_suffix(""))
                job = jobs.setdefault(log, Job(log, now, now))
                job.ended_s = now
                job.own_memory_bytes = max(job.own_memory_bytes, _own_memory_bytes(process.pid))
                times = process.cpu_times()
                job.core_seconds[process.pid] = times.user + times.system
            except (psutil.NoSuchProcess, OSError):
                pass  # it has just ended


def _own_memory_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next((line for line in status.splitlines() if line.startswith("RssAnon:")), "RssAnon: 0 kB")
    return int(line.split()[1]) * 1024
