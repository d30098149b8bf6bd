"""What Snakemake says on the terminal: a line per job, what the job had to tell, and of a failure its own message.

Snakemake finds this package by its name. `--verbose` and `--dry-run` show all that Snakemake itself says, and so does
the log in .snakemake/log. Each job's whole output is in its own log.
"""

import logging
import os
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from snakemake.logging import DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

if TYPE_CHECKING:
    from weldbench.planning.time_left import TimeLeft

WIDTH = 120
_OF_A_FAILURE = 20  # lines of a job's log
_NOTHING = "Nothing to be done"
_LOG = "Complete log(s): "
# What follows the message of a job that failed, and adds nothing to it.
_ECHOES = (
    "RuleException:\nCalledProcessError",
    "Exiting because a job execution failed",
    "WorkflowError:\nAt least one job did not complete successfully",
)


class _Job(NamedTuple):
    title: str
    logs: list[str]
    started: float


class LogHandler(LogHandlerBase):
    """Prints to stderr; one line when a job ends, and on a terminal one when it starts."""

    def __post_init__(self) -> None:
        """Start with no job known."""
        settings = self.common_settings
        self._everything = settings.verbose or settings.dryrun
        self._formatter = DefaultFormatter(settings.quiet, settings.show_failed_logs)
        self._filter = DefaultFilter(
            settings.quiet, settings.debug_dag, settings.verbose, settings.dryrun, settings.printshellcmds
        )
        self._jobs: dict[int, _Job] = {}
        self._total, self._done = 0, 0
        self._told: set[str] = set()
        self._cores: int | None = None  # of this machine; None where jobs run on others
        self._to_run: dict[str, int] = {}
        self._time_left: TimeLeft | None = None

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def emit(self, record: logging.LogRecord) -> None:
        """Print what a person wants to know of a record of Snakemake."""
        try:
            if not self._filter.filter(record):  # as --quiet asks
                return
            if self._everything:
                _print(self._formatter.format(record))
            else:
                self._emit(record)
        except Exception:  # as logging asks of every handler: a broken line must not end the run
            self.handleError(record)

    def _emit(self, record: logging.LogRecord) -> None:
        match getattr(record, "event", None):
            case LogEvent.RUN_INFO:
                self._to_run = dict(record.__dict__["stats"])
                self._total = self._to_run.pop("total")
            case LogEvent.RESOURCES_INFO:
                self._cores = record.__dict__.get("cores", self._cores)
            case LogEvent.JOB_INFO:
                self._start(record.__dict__)
            case LogEvent.JOB_FINISHED:
                self._finish(record.__dict__["job_id"])
            case LogEvent.JOB_ERROR:
                self._fail(record.__dict__)
            case None | LogEvent.ERROR:
                text = self._formatter.format(record)
                if text.startswith(_LOG):
                    _print(f"All that Snakemake said: {os.path.relpath(text.removeprefix(_LOG).strip())}")
                elif not text.startswith(_ECHOES) and (record.levelno >= logging.WARNING or text.startswith(_NOTHING)):
                    _print(text)

    def _start(self, info: dict[str, object]) -> None:
        if not self._jobs and self._cores:  # the first
            self._time_left = _time_left(self._cores, self._to_run)
        if self._time_left:
            wildcards = dict(info["wildcards"] or {})  # type: ignore[call-overload]
            subject = wildcards.get("model", ""), wildcards.get("dataset", "")
            self._time_left.start(int(str(info["jobid"])), str(info["rule_name"]), *subject)
        job = _Job(_title(info), list(info["log"] or []), time.monotonic())  # type: ignore[call-overload]
        self._jobs[int(str(info["jobid"]))] = job
        if sys.stderr.isatty() and job.logs:
            _print(f"started {job.title} ({self._done} of {self._total} jobs done)")

    def _finish(self, number: int) -> None:
        self._done += 1
        left = ""
        if self._time_left:
            self._time_left.finish(number)
            left = _told(self._time_left)
        job = self._jobs.get(number)
        if not job or not job.logs:
            return  # a target, such as `all`: nothing ran
        _print(f"{self._done}/{self._total} {job.title}: {_took(job)}{left}")
        if not sys.stderr.isatty():  # there the job itself has told it
            for line in [line for path in job.logs for line in _told_in(path)]:
                if line not in self._told:  # trainings with other seeds say the same
                    self._told.add(line)
                    _print(textwrap.fill(line, WIDTH, initial_indent="    ", subsequent_indent="    "))

    def _fail(self, error: dict[str, object]) -> None:
        job = self._jobs.get(int(str(error["jobid"])))
        if not job:
            _print(f"FAILED: {error['rule_name']}")
            return
        if any(_told_in(path)[-1:] == ["KeyboardInterrupt"] for path in job.logs):
            _print(f"stopped by Ctrl-C after {_took(job)}: {job.title}; the same command goes on with what is left")
            return
        _print(f"FAILED after {_took(job)}: {job.title}")
        for path in job.logs:
            for line in _told_in(path)[-_OF_A_FAILURE:]:
                _print(f"    {line}")
            _print(f"    The whole log: {path}")


def _time_left(cores: int, to_run: dict[str, int]) -> "TimeLeft | None":
    """Follow the plan of this run; None where there is none."""
    # Not earlier, as in _told_in.
    from weldbench.config import load_params
    from weldbench.errors import InputError
    from weldbench.planning.calibration import NotMeasuredError
    from weldbench.planning.summary import known_plan
    from weldbench.planning.time_left import TimeLeft

    try:
        return TimeLeft(known_plan(load_params("params.yaml"), cores), to_run)
    except (NotMeasuredError, InputError, OSError):  # which the start of the run has told
        return None


def _told(time_left: "TimeLeft") -> str:
    from weldbench.planning.plan import duration

    seconds = time_left.seconds()
    return "" if seconds is None else f"; about {duration(seconds)} left"


def _title(info: dict[str, object]) -> str:
    """Name a job by its rule and its wildcards: `train conv6, fold 0, seed 1`."""
    wildcards = dict(info["wildcards"] or {})  # type: ignore[call-overload]
    subject = wildcards.pop("model", None) or wildcards.get("dataset", "")
    wildcards.pop("dataset", None)
    return ", ".join([f"{info['rule_name']} {subject}".strip(), *(f"{key} {wildcards[key]}" for key in wildcards)])


def _took(job: _Job) -> str:
    return f"{time.monotonic() - job.started:.0f} s"


def _told_in(path: str) -> list[str]:
    """Return the lines of a log but those that only count."""
    # Not earlier: the Snakefile chooses whose weldbench is imported, and this module is loaded before it.
    from weldbench.runtime.progress import is_progress

    try:
        lines = Path(path).read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [line for line in lines if line.strip() and not is_progress(line)]


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
