"""How fast this machine is: each measurement of a fraction of a second, kept for the next plan."""

import hashlib
import importlib.metadata
import io
import json
import subprocess
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from functools import cache
from pathlib import Path
from typing import Any

from weldbench.runtime.atomic import write_json
from weldbench.runtime.processor import processor_name, usable_cores

FILE = Path(".weldbench/calibration.json")
_BUDGET_SECONDS = 0.4  # of one measurement, after a first try that warms up
_TRIES = 5
_LONG_SECONDS = 3.0  # a first try of so long is the only one


class NotMeasuredError(Exception):
    """A measurement is not in the file, and none may be made now."""


class Calibration:
    """Measurements, by what was measured, with which settings, on what.

    Args:
        path: The file that keeps them; whoever deletes it has them made again.
        measures: Whether what is not there is measured, which takes seconds.
    """

    def __init__(self, path: Path = FILE, measures: bool = True):
        self.path, self.measures = path, measures
        self.measured: list[str] = []
        self._known = _read(path)

    def seconds(self, what: str, settings: Any, measure: Callable[[], float]) -> float:
        """Return a measurement, from the file where it is there.

        Args:
            what: Such as `step of conv6`.
            settings: All that the seconds depend on besides the machine; JSON.
            measure: Returns the seconds.

        Raises:
            NotMeasuredError: It is not there, and may not be made.
            InputError: The file cannot be written.
        """
        asked = json.dumps([what, settings, _machine()], sort_keys=True, default=str)
        key = f"{what} {hashlib.sha256(asked.encode()).hexdigest()[:16]}"
        if key not in self._known:
            if not self.measures:
                raise NotMeasuredError(what)
            with redirect_stderr(io.StringIO()):  # the bars of what is measured would say nothing here
                self._known[key] = measure()
            self.measured.append(what)
            write_json(self.path, self._known)  # now, so that a plan that is ended early has not measured in vain
        return self._known[key]


def shortest(work: Callable[[], Any], on_cpu: bool = True) -> float:
    """Return the seconds that some work takes on a quiet machine: the shortest of a few tries.

    The first try warms up caches, and counts only where it is so long that there is no other. On a busy machine the
    time of the processor tells more than the clock, which runs on while others compute; of work in several threads it
    is their sum, so the smaller of the two counts.

    Args:
        work: What to time.
        on_cpu: Whether all of it runs on this process's cores; of a GPU only the clock tells.
    """
    tries: list[float] = []
    while len(tries) <= _TRIES and sum(tries[1:]) < _BUDGET_SECONDS and (len(tries) < 2 or tries[0] < _LONG_SECONDS):
        started, used = time.perf_counter(), time.process_time()
        work()
        clock = time.perf_counter() - started
        tries.append(min(clock, time.process_time() - used) if on_cpu else clock)
    return min(tries)


def _read(path: Path) -> dict[str, float]:
    """Read the file; one that is missing, damaged or of another kind counts as empty."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {key: float(value) for key, value in found.items() if 0 <= float(value) < 1e9}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


@cache
def _machine() -> list[str]:
    """Describe what decides how fast it is here; torch is not loaded for that."""
    try:
        torch = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        torch = "none"
    try:
        gpus = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        gpus = ""
    return [processor_name(), str(usable_cores()), torch, gpus]
