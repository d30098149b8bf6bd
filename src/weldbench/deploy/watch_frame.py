"""One file that has arrived: read it whole, judge it in its run, and record it, once."""

import hashlib
import os
import sys
from pathlib import Path

from weldbench.deploy.decision import Decision
from weldbench.deploy.judge import Judge
from weldbench.deploy.watch_alarm import AlarmRule
from weldbench.deploy.watch_arrivals import Arrivals
from weldbench.deploy.watch_files import KnownFile, Stamp
from weldbench.deploy.watch_look import shown
from weldbench.deploy.watch_record import Judgment, Record, run_of
from weldbench.errors import BadFrameError

_LARGEST_FILE_BYTES = 2**29


class StillWrittenError(Exception):
    """A file changed, or was removed, while it was read."""


class FrameTaker:
    """Judges and records files of one folder."""

    def __init__(self, folder: Path, judge: Judge, record: Record, alarm: AlarmRule | None):
        self._folder, self._judge, self._record, self._alarm = folder, judge, record, alarm
        self._drift = judge.drift(record.drift_state())

    def take(self, path: str, stamp: Stamp, arrivals: Arrivals) -> str | None:
        """Judge and record a file, unless the record has its content already, or it is not complete.

        Args:
            path: Relative to the folder.
            stamp: Of the file before it is read.
            arrivals: That hears what became of it.

        Returns:
            A sentence about the frame; None where there is none to record.
        """
        sha256 = ""
        try:
            picture, stamp = read_whole(self._folder / path)
            sha256 = hashlib.sha256(picture).hexdigest()
            known = self._known(path, stamp, sha256)
            if known:
                self._record.files.note(path, KnownFile(stamp, sha256, known.frame))
                arrivals.recorded(path, stamp)
                return None
            judged: Judgment | str = self._judgment(path, picture)
        except StillWrittenError:
            arrivals.changed_meanwhile(path)
            return None
        except BadFrameError as error:
            if not arrivals.is_broken(path, stamp):
                return None
            judged = str(error)
        self._record.add(path, stamp, sha256, judged)
        arrivals.recorded(path, stamp)
        if not isinstance(judged, str) and judged.drift and judged.drift[1]:
            print(judged.drift[1], file=sys.stderr, flush=True)
        return f"{shown(path)}: {_told(judged)}"

    def _known(self, path: str, stamp: Stamp, sha256: str) -> KnownFile | None:
        """Find the frame that this content is already: under this name, or under an earlier name of the same file."""
        known = self._record.files.named(path)
        if known and (known.sha256 == sha256 or (known.sha256 is None and known.stamp.same_content(stamp))):
            return known
        return self._record.files.renamed(stamp, sha256)

    def _judgment(self, path: str, picture: bytes) -> Judgment:
        levels = self._judge.levels_of(picture)
        try:
            verdict = self._judge.judge(levels)
        except Exception as error:  # a runtime raises what it likes; one frame must not end the watch at every start
            raise BadFrameError(f"the model cannot take it ({' '.join(str(error).split())})") from error
        vote = self._judge.rule.vote()
        window = max(self._judge.rule.vote_frames, self._alarm.frames if self._alarm else 0)
        before = self._record.last_decisions(run_of(path), window)
        for decision in before:
            vote.add(decision)
        alarm = None
        if self._alarm and self._alarm.begins([one.rejects for one in before], verdict.decision.rejects):
            last = [*before, verdict.decision][-self._alarm.frames :]
            alarm = str(self._alarm), last.count(Decision.DEFECT), last.count(Decision.UNKNOWN)
        drift = None
        if self._drift and verdict.traits:
            told = self._drift.take(run_of(path), verdict.traits, verdict.class_name)
            drift = self._drift.state, told
        return Judgment(verdict, vote.add(verdict.decision), alarm, drift)


def read_whole(path: Path) -> tuple[bytes, Stamp]:
    """Read a file and make sure that nobody changed it meanwhile.

    Raises:
        StillWrittenError: It changed, or is gone.
        BadFrameError: It may not be read, its disk fails, or it is too large.
    """
    try:
        with path.open("rb") as file:
            before = Stamp.of(os.fstat(file.fileno()))
            if before.size_bytes > _LARGEST_FILE_BYTES:
                raise BadFrameError(f"it is larger than {_LARGEST_FILE_BYTES // 2**20} MiB")
            content = file.read()
            if Stamp.of(os.fstat(file.fileno())) != before or len(content) != before.size_bytes:
                raise StillWrittenError
    except FileNotFoundError:
        raise StillWrittenError from None
    except OSError as error:
        raise BadFrameError(f"it cannot be read ({error.strerror})") from None
    return content, before


def _told(judged: Judgment | str) -> str:
    if isinstance(judged, str):
        return f"not judged: {judged}"
    verdict = judged.verdict
    share = verdict.probabilities[verdict.class_name]
    return f"{verdict.class_name} {share:.3f}, {verdict.decision}; vote: {judged.vote}"
