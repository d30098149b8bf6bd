"""Progress of long work: a bar on a terminal, plain lines in a log, both on stderr."""

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

Item = TypeVar("Item")

LOG_INTERVAL_SECONDS = 10.0
_AT_ONCE_SECONDS = 0.05
_PROGRESS = re.compile(r": \d+(/\d+)? \S.*, \d+:\d\d:\d\d (left|in all)$")


def track(iterable: Iterable[Item], description: str, total: int | None = None, unit: str = "frames") -> Iterator[Item]:
    """Yield the items of `iterable` and show how many are done, how many per second, and the time left.

    Args:
        iterable: What to go through.
        description: What is being done, such as `ingest weldsim`.
        total: Number of items; None takes `len(iterable)` where it has one.
        unit: What one item is, in the plural.
    """
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    with reporting(description, total, unit) as advance:
        for item in iterable:
            yield item
            advance(1)


@contextmanager
def reporting(description: str, total: float | None, unit: str) -> Iterator[Callable[[float], None]]:
    """Yield the function `advance(amount)`, which shows that so many more of `total` are done.

    On a terminal this draws one bar. Elsewhere it prints a line every 10 seconds, and one at the end.
    """
    console = Console(stderr=True)
    if console.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            _Amount(unit),
            TimeRemainingColumn(elapsed_when_finished=True),
        )
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(description, total=total)
            yield lambda amount: bar.advance(task, amount)
    else:
        lines = _Lines(description, total, unit)
        yield lines.advance
        lines.print(time.monotonic())


def is_progress(line: str) -> bool:
    """Tell whether a line of a log only counts what is done.

    Example:
        >>> is_progress("train conv6: 11/60 epochs, 1.1 epochs/s, 0:00:47 left")
        True
        >>> is_progress("split mine: 11 frames of valid are dropped")
        False
    """
    return bool(_PROGRESS.search(line))


class _Amount(ProgressColumn):
    """`1200/4500 frames, 310.0 frames/s`."""

    def __init__(self, unit: str):
        self._unit = unit
        super().__init__()

    def render(self, task: Task) -> Text:
        return Text(_amount(task.completed, task.total, task.finished_speed or task.speed, self._unit))


class _Lines:
    """The same as plain lines, none closer to the one before than LOG_INTERVAL_SECONDS.

    What comes at once at the beginning was done before, as the epochs of a training that was killed and goes on: it
    tells nothing about the speed.
    """

    def __init__(self, description: str, total: float | None, unit: str):
        self._description, self._total, self._unit = description, total, unit
        self._done = 0.0
        self._first: float | None = None  # moment in which something was done
        self._at_once, self._steps_at_once = 0.0, 0
        self._start = self._printed = time.monotonic()

    def advance(self, amount: float) -> None:
        now = time.monotonic()
        self._done += amount
        self._first = now if self._first is None else self._first
        if now - self._first <= _AT_ONCE_SECONDS:
            self._at_once += amount
            self._steps_at_once += 1
        if now - self._printed >= LOG_INTERVAL_SECONDS:
            self._printed = now
            self.print(now)

    def print(self, now: float) -> None:
        seconds = now - self._start
        rate = self._rate(now)
        line = f"{self._description}: {_amount(self._done, self._total, rate, self._unit)}"
        if self._total is not None and self._done < self._total and rate:
            line += f", {_clock((self._total - self._done) / rate)} left"
        else:
            line += f", {_clock(seconds)} in all"
        print(line, file=sys.stderr, flush=True)

    def _rate(self, now: float) -> float | None:
        done, since = self._done, self._start
        if self._first is not None and self._steps_at_once > 1 and done > self._at_once:
            done, since = done - self._at_once, self._first
        return done / (now - since) if now > since else None


def _amount(done: float, total: float | None, rate: float | None, unit: str) -> str:
    amount = f"{done:.0f}" if total is None else f"{done:.0f}/{total:.0f}"
    return f"{amount} {unit}" + ("" if rate is None else f", {rate:.1f} {unit}/s")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
