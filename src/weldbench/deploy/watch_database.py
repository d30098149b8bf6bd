"""The SQLite file behind a record: its tables, how it is opened, and what can be wrong with it."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from weldbench.errors import InputError

_VERSION = 3
_BUSY_SECONDS = 30.0
_TABLES = """
CREATE TABLE starts (
    start INTEGER PRIMARY KEY, started_at TEXT NOT NULL, settings TEXT NOT NULL
) STRICT;
CREATE TABLE decisions (
    frame INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL, run TEXT NOT NULL, recorded_at TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, class TEXT, probabilities TEXT, defect_score REAL, decision TEXT,
    vote TEXT, error TEXT, earlier_error TEXT, start INTEGER NOT NULL REFERENCES starts
) STRICT;
CREATE INDEX decisions_of_run ON decisions (run, frame) WHERE decision IS NOT NULL;
CREATE TABLE alarms (
    alarm INTEGER PRIMARY KEY, frame INTEGER NOT NULL REFERENCES decisions, rule TEXT NOT NULL,
    defects INTEGER NOT NULL, raised_at TEXT NOT NULL, given_at TEXT, failure TEXT
) STRICT;
CREATE INDEX alarms_waiting ON alarms (alarm) WHERE given_at IS NULL;
CREATE TABLE files (
    path BLOB PRIMARY KEY, identity TEXT NOT NULL, size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL, sha256 TEXT, frame INTEGER
) STRICT;
CREATE INDEX files_by_identity ON files (identity);
"""
# What version 2 adds. A run is a weld; it is rejected if the vote ever rejected.
_ADDED = """
ALTER TABLE decisions ADD COLUMN calibrated TEXT;
ALTER TABLE decisions ADD COLUMN novelty REAL;
ALTER TABLE alarms ADD COLUMN unknown INTEGER NOT NULL DEFAULT 0;
CREATE VIEW welds AS
SELECT run, count(*) AS frames, count(error) AS unread, count(*) FILTER (WHERE decision = 'good') AS good,
    count(*) FILTER (WHERE decision = 'defect') AS defect, count(*) FILTER (WHERE decision = 'unknown') AS unknown,
    CASE max(vote <> 'good') WHEN 1 THEN 'rejected' WHEN 0 THEN 'passed' END AS weld,
    min(frame) FILTER (WHERE vote <> 'good') AS first_rejected
FROM decisions GROUP BY run ORDER BY min(frame);
"""


# What version 3 adds: the drift check, and what it found.
_DRIFT = """
CREATE TABLE drift (export TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT;
CREATE TABLE changes (
    change INTEGER PRIMARY KEY, frame INTEGER NOT NULL REFERENCES decisions, told TEXT NOT NULL, raised_at TEXT NOT NULL
) STRICT;
"""
_SINCE = {0: _TABLES + _ADDED + _DRIFT, 1: _ADDED + _DRIFT, 2: _DRIFT}  # version -> what it lacks


class Database:
    """An open file; for the thread that opened it.

    Attributes:
        path: The file.
        execute: Runs one statement outside or inside a transaction.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection):
        self.path, self._connection = path, connection
        self.execute, self.execute_all = connection.execute, connection.executemany

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make what the block writes one transaction: all of it or nothing.

        Raises:
            InputError: The disk is full, or the file is damaged or locked by another program.
        """
        with _refusals_named(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                yield


@contextmanager
def open_database(path: Path) -> Iterator[Database]:
    """Open a record, or create it where there is none.

    Raises:
        InputError: It is something else, of a newer weldbench, or cannot be written.
    """
    with _refusals_named(path):
        connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > _VERSION:
                raise InputError(f"{path}: a newer weldbench wrote this record (version {version}); install that one")
            if version == 0 and connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                raise InputError(f"{path}: this is a database of something else; name another file for --record")
            # In WAL a transaction outlives a kill without a sync for each; a power cut may take the last ones back,
            # and their frames are judged again.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            if version < _VERSION:
                connection.executescript(
                    f"BEGIN IMMEDIATE; {_SINCE[version]} PRAGMA user_version = {_VERSION}; COMMIT;"
                )
            if version == 1:
                print(
                    f"{path}: an older weldbench began this record; from now on it also holds calibrated "
                    "probabilities, novelty, and the view `welds`",
                    file=sys.stderr,
                )
            if version in (1, 2):
                print(f"{path}: from now on this record also holds the drift check", file=sys.stderr)
            yield Database(path, connection)
        finally:
            connection.close()


@contextmanager
def only_watcher(path: Path) -> Iterator[None]:
    """Be the one process that adds frames to a record, until the block or the process ends, however it ends.

    Raises:
        InputError: Another process is, or the lock cannot be taken here.
    """
    lock = FileLock(path.with_name(f".{path.name}.lock"), fallback_to_soft=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(f"{path}: another weldbench watch writes this record; end it, or name another file") from None
    except (OSError, NotImplementedError) as error:
        raise InputError(
            f"{path}: no lock can be taken beside it ({error}); name a file on a local disk, where you may write"
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _refusals_named(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise InputError(
            f"{path}: this record cannot be used: {error}; name a file of weldbench watch, or a new one, on a local "
            "disk with room that you may write"
        ) from None


def now() -> str:
    """Return the time in UTC, for people: nothing depends on the clock."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
