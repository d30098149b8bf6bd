"""Which files of a folder are new and complete: told by the operating system, and by looking.

A file is complete when its writer closed it or renamed it into place, as far as the operating system tells (inotify on
Linux). Otherwise, as on network shares and for what lay there at the start, it is when its size and times have not
changed for a while. Waiting is measured by a clock that nobody sets.
"""

import os
import queue
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from weldbench.deploy.watch_files import Stamp
from weldbench.deploy.watch_look import Look, is_frame, look_at, stamp_of
from weldbench.errors import InputError

# Events get lost when their queue is full, so everything is looked at now and then.
LOOK_SECONDS = 10.0
_SETTLE_SECONDS = 1.0
_SECONDS_WHILE_GONE = 1.0
_LONGEST_LOOK_SHARE = 0.1  # of the time, in a folder of very many files


@dataclass
class _Waiting:
    """A file that is not judged yet.

    Attributes:
        stamp: When it was last looked at; None for the moment after it was closed.
        since: When it was first seen with this stamp, in seconds of time.monotonic.
        wait_seconds: How long the stamp must stay as it is.
    """

    stamp: Stamp | None
    since: float
    wait_seconds: float


class Arrivals(FileSystemEventHandler):
    """The files of a folder that may be new frames; names are relative to it.

    Args:
        folder: That is watched, with its subfolders.
        known: Names of files with the stamps that the record has of them.
        poll_seconds: Time between two looks at everything; None for the events of the operating system.
        broken_after_seconds: How long a file that cannot be read must stay as it is to count as broken.
    """

    def __init__(
        self, folder: Path, known: Mapping[str, Stamp], poll_seconds: float | None, broken_after_seconds: float
    ):
        self._folder, self._known, self._poll_seconds = folder, dict(known), poll_seconds
        self._broken_after_seconds = broken_after_seconds
        # A network share may show a change as late as a second look.
        self._settle_seconds = max(_SETTLE_SECONDS, 2 * (poll_seconds or 0))
        self._waiting: dict[str, _Waiting] = {}
        self._events: queue.SimpleQueue[FileSystemEvent] = queue.SimpleQueue()
        self._taken: list[FileSystemEvent] = []
        self._next_look = 0.0
        self._observer: BaseObserver | None = None
        self._observed_identity = ""

    def dispatch(self, event: FileSystemEvent) -> None:
        """Keep an event of the operating system for `look`; a thread of watchdog calls this."""
        if event.event_type in {"created", "modified", "closed", "moved", "deleted"}:
            self._events.put(event)

    def wait(self, seconds: float) -> None:
        """Wait for an event, for at most so long."""
        with suppress(queue.Empty):
            self._taken.append(self._events.get(timeout=seconds))

    def look(self, at_everything: bool = False) -> Look | None:
        """Take the events that came, and look at the whole folder where that is due.

        Args:
            at_everything: Whether it is due in any case.

        Returns:
            What a look found, or None where only events were taken. `removed` holds the files that events told of.

        Raises:
            InputError: The operating system tells of no events here.
        """
        removed = self._take_events()
        if not at_everything and time.monotonic() < self._next_look:
            return Look(removed=removed) if removed else None
        self._observe()
        start = time.monotonic()
        found = look_at(self._folder, self._known)
        for path, stamp in found.files.items():
            self._seen(path, stamp)
        for path in (*found.removed, *found.renamed):
            self._known.pop(path, None)
        pause = LOOK_SECONDS if self._poll_seconds is None else self._poll_seconds
        took_seconds = time.monotonic() - start
        self._next_look = time.monotonic() + (
            _SECONDS_WHILE_GONE if found.is_gone else max(pause, took_seconds / _LONGEST_LOOK_SHARE)
        )
        return found._replace(removed=[*removed, *found.removed])

    def complete(self) -> Iterator[tuple[str, Stamp]]:
        """Yield the new or changed files that are complete, in the order of arrival, with the stamps that they have."""
        for path in list(self._waiting):
            waiting = self._waiting.get(path)
            if waiting is None or time.monotonic() - waiting.since < waiting.wait_seconds:
                continue
            stamp = stamp_of(self._folder / path)
            if stamp is None:
                del self._waiting[path]
            elif waiting.wait_seconds and stamp != waiting.stamp:
                waiting.stamp, waiting.since = stamp, time.monotonic()
            else:
                yield path, stamp

    def count_waiting(self, complete_only: bool = False) -> int:
        """Count the files that wait; or only those that are complete, as far as one can tell."""
        return sum(not complete_only or each.wait_seconds <= self._settle_seconds for each in self._waiting.values())

    def recorded(self, path: str, stamp: Stamp) -> None:
        """Take note that the record has this content of a file."""
        self._known[path] = stamp
        self._waiting.pop(path, None)

    def changed_meanwhile(self, path: str) -> None:
        """Take note that a file changed, or was gone, while it was read."""
        self._waiting[path] = _Waiting(stamp_of(self._folder / path), time.monotonic(), self._settle_seconds)

    def is_broken(self, path: str, stamp: Stamp) -> bool:
        """Take note that a file cannot be read as it is; tell whether it has been so for too long to wait any more."""
        waiting = self._waiting.get(path)
        if waiting and waiting.stamp == stamp and waiting.wait_seconds >= self._broken_after_seconds:
            return True
        self._waiting[path] = _Waiting(stamp, time.monotonic(), self._broken_after_seconds)
        return False

    def close(self) -> None:
        """Ask for no more events."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
            self._observer = None

    def _observe(self) -> None:
        """Ask for events; ask anew where another folder stands in the place of the one that was observed."""
        stamp = stamp_of(self._folder, folder=True)
        if self._poll_seconds is not None or stamp is None:
            return
        if self._observer is not None and (stamp.identity == self._observed_identity and self._observer.is_alive()):
            return
        self.close()
        observer = Observer()
        try:
            observer.schedule(self, str(self._folder), recursive=True)
            observer.start()
        except OSError as error:
            raise InputError(
                f"{self._folder}: the system tells of no changes here ({error.strerror}); "
                "give --poll 1 to look every second"
            ) from None
        self._observer, self._observed_identity = observer, stamp.identity

    def _take_events(self) -> list[str]:
        removed = []
        while not self._events.empty():
            self._taken.append(self._events.get())
        events, self._taken = self._taken, []
        for event in events:
            source, target = self._name(event.src_path), self._name(event.dest_path)
            if event.is_synthetic or event.is_directory:
                if event.is_synthetic or event.event_type != "modified":
                    self._next_look = 0.0
            elif event.event_type == "moved":
                self._waiting.pop(source, None)
                self._known.pop(source, None)
                self._closed(target)
            elif event.event_type == "deleted":
                self._waiting.pop(source, None)
                if self._known.pop(source, None):
                    removed.append(source)
            elif event.event_type == "closed":
                self._closed(source)
            elif is_frame(source):
                # A file that is being written will be closed; one that never is is believed after a while. What came
                # from another folder, or with a new one, is created and no more.
                is_open = event.event_type == "modified"
                seconds = self._broken_after_seconds if is_open else self._settle_seconds
                self._waiting[source] = _Waiting(stamp_of(self._folder / source), time.monotonic(), seconds)
        return removed

    def _closed(self, path: str) -> None:
        if is_frame(path):
            self._waiting[path] = _Waiting(None, 0.0, 0.0)

    def _name(self, path: bytes | str) -> str:
        return os.path.relpath(os.fsdecode(path), self._folder) if path else ""

    def _seen(self, path: str, stamp: Stamp) -> None:
        waiting = self._waiting.get(path)
        is_new = waiting is None and self._known.get(path) != stamp
        # Where events tell of changes, they also tell when the writer is done.
        is_changed = waiting is not None and waiting.stamp != stamp and self._poll_seconds is not None
        if is_new or is_changed:
            self._waiting[path] = _Waiting(stamp, time.monotonic(), self._settle_seconds)
