"""Watching a folder: every frame that arrives is judged and recorded once, whatever is killed, renamed or replaced."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from weldbench.deploy.bundle import load_bundle
from weldbench.deploy.decision import Rule
from weldbench.deploy.judge import Judge
from weldbench.deploy.runtimes import RuntimeName
from weldbench.deploy.watch_alarm import AlarmRule
from weldbench.deploy.watch_arrivals import LOOK_SECONDS, Arrivals
from weldbench.deploy.watch_bell import Bell
from weldbench.deploy.watch_database import only_watcher
from weldbench.deploy.watch_frame import FrameTaker
from weldbench.deploy.watch_look import Look, look_at, shown
from weldbench.deploy.watch_record import Record
from weldbench.errors import InputError
from weldbench.ingest.packing import printable
from weldbench.runtime.text import counted

_WAIT_SECONDS = 0.2


@dataclass(frozen=True)
class WatchSettings:
    """How a folder is watched.

    Attributes:
        folder: That the frames arrive in, with its subfolders: each one is a run.
        record: The SQLite file.
        poll_seconds: Time between two looks at the folder; None for the events of the operating system.
        only_new: Whether what lies there at the first start is left out.
        broken_after_seconds: How long a file that cannot be read must stay as it is to be recorded as broken.
        alarm: When there is an alarm; None for never.
        on_alarm: A command of the shell that is told of alarms.
        false_rejects: Share of good frames that may be rejected; None as `Rule` chooses.
        vote_frames: Window of the vote; None as `Rule` chooses.
        keep_promise: Whether to decide as a promise about escapes asks.
        runtime: That runs the model.
    """

    folder: Path
    record: Path
    poll_seconds: float | None = None
    only_new: bool = False
    broken_after_seconds: float = 10.0
    alarm: AlarmRule | None = None
    on_alarm: str | None = None
    false_rejects: float | None = None
    vote_frames: int | None = None
    keep_promise: bool = False
    runtime: RuntimeName = "auto"

    def check(self) -> None:
        """Refuse what cannot be watched.

        Raises:
            InputError: The folder is none, a time is not positive, or a command waits for alarms that never come.
        """
        if not self.folder.is_dir():
            raise InputError(f"{self.folder}: there is no such folder; name the one that the frames arrive in")
        if self.record.is_dir():
            raise InputError(f"{self.record}: this is a folder; name a file for --record, such as decisions.sqlite")
        if not self.record.parent.is_dir():
            raise InputError(
                f"{self.record.parent}: there is no such folder for --record; make it, or name another one"
            )
        if self.poll_seconds is not None and not 0 < self.poll_seconds < float("inf"):
            raise InputError(f"--poll {self.poll_seconds:g}: name the seconds between two looks, above 0")
        if not 0 < self.broken_after_seconds < float("inf"):
            raise InputError(f"--broken-after {self.broken_after_seconds:g}: name seconds, above 0")
        if self.on_alarm and not self.alarm:
            raise InputError('--on-alarm needs a rule for alarms; add --alarm "3 of 5"')


def watch(export: Path, settings: WatchSettings) -> None:
    """Judge frames as they arrive, until SIGINT or SIGTERM; then judge what is complete, and return.

    A second signal leaves that to the next start.

    Args:
        export: The folder of an exported model.
        settings: What is watched, and how.

    Raises:
        InputError: The export, the folder, the record or the settings cannot be used.
    """
    settings.check()
    with _signals_counted() as stops, only_watcher(settings.record):
        bundle = load_bundle(export)
        rule = Rule(bundle, settings.false_rejects, settings.vote_frames, settings.keep_promise)
        judge = Judge.of(bundle, rule, settings.runtime)
        facts = {
            "export": printable(str(export.resolve())),
            "model": bundle.model,
            "dataset": bundle.dataset,
            "classes": bundle.classes,
            "lineage": dict(bundle.lineage),
            "false_rejects": rule.false_rejects,
            "threshold": rule.threshold,
            "vote_frames": rule.vote_frames,
            "promise": rule.promise and rule.promise.described(),
            "temperature": bundle.temperature,
            "novelty_threshold": judge.novelty and judge.novelty.threshold,
            "alarm": settings.alarm and str(settings.alarm),
        }
        with Record.opened(settings.record, settings.folder, facts) as record:
            _introduce(judge, settings, record)
            _Watcher(judge, settings, record, stops).run()


class _Watcher:
    """The loop: look, judge, record."""

    def __init__(self, judge: Judge, settings: WatchSettings, record: Record, stops: Callable[[], int]):
        self._folder, self._record, self._stops = settings.folder, record, stops
        known = dict(record.files.stamps())
        self._arrivals = Arrivals(settings.folder, known, settings.poll_seconds, settings.broken_after_seconds)
        self._taker = FrameTaker(settings.folder, judge, record, settings.alarm)
        self._bell = Bell(settings.record, settings.folder, settings.on_alarm)
        self._said: set[str] = set()
        self._is_gone = False

    def run(self) -> None:
        """Watch until asked to stop, then judge what is complete."""
        before = self._record.count()
        self._bell.start()
        self._bell.ring()
        try:
            while not self._stops():
                self._heed(self._arrivals.look())
                self._judge_complete(until_stops=1)
                self._arrivals.wait(_WAIT_SECONDS)
            self._heed(self._arrivals.look(at_everything=True))
            self._arrivals.close()
            self._judge_the_rest()
        finally:
            self._arrivals.close()
            self._bell.finish()
            while self._bell.is_alive():
                if self._stops() > 1:
                    self._bell.abandon()
                self._bell.join(_WAIT_SECONDS)
        self._check_bell()
        _say(f"stopped; {counted(self._record.count() - before, 'frame')} recorded since the start")
        waiting = self._arrivals.count_waiting()
        if waiting:
            _say(f"{counted(waiting, 'file')} not complete or not yet judged; the next start looks again")

    def _judge_the_rest(self) -> None:
        left = self._arrivals.count_waiting(complete_only=True)
        if left:
            _say(
                f"stopping: {counted(left, 'file')} to be judged first; Ctrl-C once more leaves them for the next start"
            )
        while self._arrivals.count_waiting(complete_only=True) and self._stops() < 2:
            self._judge_complete(until_stops=2)
            self._arrivals.wait(_WAIT_SECONDS)

    def _judge_complete(self, until_stops: int) -> None:
        for path, stamp in self._arrivals.complete():
            if self._stops() >= until_stops:
                return
            self._check_bell()
            told = self._taker.take(path, stamp, self._arrivals)
            if told:
                print(told, flush=True)
                self._bell.ring()

    def _check_bell(self) -> None:
        if self._bell.error:
            raise self._bell.error

    def _heed(self, look: Look | None) -> None:
        """Say what a look found that is not judged, each thing once, and forget what was removed."""
        if look is None:
            return
        if look.removed:
            self._record.files.forget_numbers(look.removed)
        if look.is_gone != self._is_gone:
            self._is_gone = look.is_gone
            _say(f"{self._folder}: {'the folder is gone; waiting for it' if look.is_gone else 'the folder is back'}")
        for suffix, path in look.left_alone.items():
            self._say_once(f"left alone, as the name is not that of a picture: {suffix}, such as {shown(path)}")
        for path, why in look.unreadable.items():
            self._say_once(f"{shown(path)}: this folder cannot be read ({why}); its frames are not judged")

    def _say_once(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            _say(sentence)


def _introduce(judge: Judge, settings: WatchSettings, record: Record) -> None:
    if settings.only_new and record.is_new:
        present = look_at(settings.folder, {}).files
        record.files.note_unjudged(present)
        _say(f"left out, as --only-new asks: {counted(len(present), 'file')} that lay there before the first start")
    elif settings.only_new:
        _say("--only-new left out what lay there at the first start; what came since then is judged")
    every = (
        f"every {settings.poll_seconds:g} s" if settings.poll_seconds else f"by events, and every {LOOK_SECONDS:g} s"
    )
    _say(
        f"watching {settings.folder} {every}; {settings.record} holds {counted(record.count(), 'frame')}; "
        + f"{judge.rule_sentence()}; vote over {counted(judge.rule.vote_frames, 'frame')}; "
        + (f"alarm: {settings.alarm}" if settings.alarm else "no alarms")
    )
    _say(f"{judge.bundle.drift}; each subfolder is a weld" if judge.drift_reference else judge.bundle.drift)
    if judge.rule.promise:
        _say(f"{judge.rule.promise.told} Each subfolder has to be one weld, whose frames arrive in filming order.")


@contextmanager
def _signals_counted() -> Iterator[Callable[[], int]]:
    """Count SIGINT and SIGTERM instead of ending by them."""
    received: list[int] = []

    def receive(number: int, _: FrameType | None) -> None:
        received.append(number)

    earlier = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: len(received)
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
