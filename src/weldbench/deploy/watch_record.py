"""The record of a watched folder: one SQLite file that holds every frame once, with its decision or its error.

Whoever reads it while frames come in (sqlite3, pandas) sees whole frames only. A frame, what is known of its file, and
the alarm that it starts are written in one transaction: a kill loses all of them or nothing.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from weldbench.deploy.decision import Decision
from weldbench.deploy.drift import DriftState
from weldbench.deploy.judge import Verdict
from weldbench.deploy.watch_database import Database, now, open_database
from weldbench.deploy.watch_files import KnownFile, KnownFiles, Stamp
from weldbench.errors import InputError
from weldbench.ingest.packing import printable


class Judgment(NamedTuple):
    """A verdict in the context of its run.

    Attributes:
        verdict: On the frame alone.
        vote: What most of the last frames of the run say.
        alarm: Rule, and numbers of defects and of unknown frames, of the alarm that the frame starts; None where it
            starts none.
        drift: Where the drift check stands with this frame, and what it says; None without one.
    """

    verdict: Verdict
    vote: Decision
    alarm: tuple[str, int, int] | None = None
    drift: tuple[DriftState, str | None] | None = None


class Record:
    """An open record; for the thread that opened it.

    Attributes:
        path: The file.
        files: What it knows of the folder's files.
        is_new: Whether this is the first start with it.
    """

    def __init__(self, database: Database, start: int, export: str):
        self.path, self._database, self._start, self._export = database.path, database, start, export
        self.files = KnownFiles(database)
        self.is_new = start == 1

    @classmethod
    @contextmanager
    def opened(cls, path: Path, folder: Path, settings: Mapping[str, object]) -> Iterator["Record"]:
        """Open or create a record, and note in it that watching starts.

        Args:
            path: The file.
            folder: That is watched; a record is of one folder.
            settings: Export, thresholds and rules of this start; every frame refers to its start.

        Raises:
            InputError: It is of another folder, no record, from a newer weldbench, or cannot be written.
        """
        with open_database(path) as database:
            place = printable(str(folder.resolve()))
            first = database.execute("SELECT settings FROM starts ORDER BY start LIMIT 1").fetchone()
            if first and json.loads(first[0])["folder"] != place:
                raise InputError(
                    f"{path}: this is the record of another folder, {json.loads(first[0])['folder']}; "
                    f"name another file for --record, as {place} is to be watched"
                )
            noted = json.dumps({"folder": place, **settings})
            with database.writing():
                row = database.execute("INSERT INTO starts (started_at, settings) VALUES (?, ?)", (now(), noted))
            yield cls(database, row.lastrowid or 0, json.dumps([settings.get("model"), settings.get("lineage")]))

    def count(self) -> int:
        """Count the frames."""
        frames: int = self._database.execute("SELECT count(*) FROM decisions").fetchone()[0]
        return frames

    def last_decisions(self, run: str, frames: int) -> list[Decision]:
        """Return the decisions about the last frames of a run, the oldest first; frames with an error do not count."""
        rows = self._database.execute(
            "SELECT decision FROM decisions WHERE run = ? AND decision IS NOT NULL ORDER BY frame DESC LIMIT ?",
            (printable(run), frames),
        ).fetchall()
        return [Decision(decision) for (decision,) in reversed(rows)]

    def add(self, path: str, stamp: Stamp, sha256: str, judged: Judgment | str) -> None:
        """Record a frame; frames are numbered in the order of recording.

        A frame that stands there with an error, of a file that has changed since, is replaced; its error is kept.

        Args:
            path: Of the file, relative to the folder.
            stamp: Of the content that was judged.
            sha256: Of that content.
            judged: The decision, or why there is none.
        """
        known = self.files.named(path)
        earlier_error = self._error_of(known.frame) if known else None
        said: dict[str, object] = {"error": judged} if isinstance(judged, str) else _columns(judged)
        columns = {
            "path": printable(path),
            "run": printable(run_of(path)),
            "recorded_at": now(),
            "size_bytes": stamp.size_bytes,
            "sha256": sha256,
            **said,
            "earlier_error": earlier_error,
            "start": self._start,
        }
        with self._database.writing():
            if known and earlier_error:
                self._database.execute("DELETE FROM decisions WHERE frame = ?", (known.frame,))
            frame = self._database.execute(
                f"INSERT INTO decisions ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
                tuple(columns.values()),
            ).lastrowid
            self.files.write(path, KnownFile(stamp, sha256, frame))
            if not isinstance(judged, str) and judged.alarm:
                self._database.execute(
                    "INSERT INTO alarms (frame, rule, defects, unknown, raised_at) VALUES (?, ?, ?, ?, ?)",
                    (frame, *judged.alarm, now()),
                )
            if not isinstance(judged, str) and judged.drift:
                self._keep_drift(frame, *judged.drift)

    def drift_state(self) -> DriftState | None:
        """Return where the drift check of this export stood at the last frame; None where it begins."""
        row = self._database.execute("SELECT state FROM drift WHERE export = ?", (self._export,)).fetchone()
        return DriftState(**json.loads(row[0])) if row else None

    def _keep_drift(self, frame: int | None, state: DriftState, told: str | None) -> None:
        kept = json.dumps(vars(state))
        self._database.execute("INSERT OR REPLACE INTO drift (export, state) VALUES (?, ?)", (self._export, kept))
        if told:
            self._database.execute(
                "INSERT INTO changes (frame, told, raised_at) VALUES (?, ?, ?)", (frame, told, now())
            )

    def _error_of(self, frame: int | None) -> str | None:
        row = self._database.execute("SELECT error FROM decisions WHERE frame = ?", (frame,)).fetchone()
        return row[0] if row else None


def run_of(path: str) -> str:
    """Return the run that a file belongs to: the folder that it lies in, relative to the watched one."""
    parent = Path(path).parent.as_posix()
    return "" if parent == "." else parent


def _columns(judged: Judgment) -> dict[str, object]:
    verdict = judged.verdict
    return {
        "class": verdict.class_name,
        "probabilities": json.dumps(verdict.probabilities),
        "calibrated": verdict.calibrated and json.dumps(verdict.calibrated),
        "defect_score": verdict.defect_score,
        "novelty": verdict.novelty,
        "decision": str(verdict.decision),
        "vote": str(judged.vote),
    }
