"""What the record knows of the files in the folder: which content under which name is a frame already."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from weldbench.deploy.watch_database import Database


class Stamp(NamedTuple):
    """What the file system says of a file: as long as none of it changes, neither does the content.

    Attributes:
        identity: Device and file number, which stay when a file is renamed; empty where there are none.
        size_bytes: Its length.
        modified_ns: When its content was changed, by the clock of the file system.
        changed_ns: When its content, name or rights were changed, which no program can set back.
    """

    identity: str
    size_bytes: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Stamp":
        """Take the stamp from what `os.stat` returns."""
        identity = f"{status.st_dev}:{status.st_ino}" if status.st_ino else ""
        return cls(identity, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def same_content(self, other: "Stamp") -> bool:
        """Tell whether size and time of the content agree, whatever happened to name and rights."""
        return (self.size_bytes, self.modified_ns) == (other.size_bytes, other.modified_ns)


class KnownFile(NamedTuple):
    """A file that the record knows.

    Attributes:
        stamp: When it was last looked at.
        sha256: Of its content; None where it was there before the record, and not judged.
        frame: The number of its frame; None likewise.
    """

    stamp: Stamp
    sha256: str | None
    frame: int | None


class KnownFiles:
    """The table `files` of a record; names are relative to the folder."""

    _COLUMNS = "identity, size_bytes, modified_ns, changed_ns, sha256, frame"

    def __init__(self, database: Database):
        self._database = database

    def stamps(self) -> Iterator[tuple[str, Stamp]]:
        """Yield the names of all files, with their stamps."""
        for path, *values in self._database.execute(f"SELECT path, {self._COLUMNS} FROM files"):
            yield os.fsdecode(path), Stamp(*values[:4])

    def named(self, path: str) -> KnownFile | None:
        """Look up a file by its name."""
        row = self._database.execute(f"SELECT {self._COLUMNS} FROM files WHERE path = ?", (os.fsencode(path),))
        return _known(row.fetchone())

    def renamed(self, stamp: Stamp, sha256: str) -> KnownFile | None:
        """Look up a file that stood under another name: the same file number, time and content."""
        row = self._database.execute(
            f"SELECT {self._COLUMNS} FROM files WHERE identity = ? AND identity <> '' AND size_bytes = ? "
            "AND modified_ns = ? AND (sha256 = ? OR sha256 IS NULL)",
            (stamp.identity, stamp.size_bytes, stamp.modified_ns, sha256),
        )
        return _known(row.fetchone())

    def write(self, path: str, known: KnownFile) -> None:
        """Remember a file, within a transaction."""
        self._database.execute(
            f"INSERT OR REPLACE INTO files (path, {self._COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (os.fsencode(path), *known.stamp, known.sha256, known.frame),
        )

    def note(self, path: str, known: KnownFile) -> None:
        """Remember one file."""
        with self._database.writing():
            self.write(path, known)

    def note_unjudged(self, files: Mapping[str, Stamp]) -> None:
        """Remember files that were there before the record: all of them or none."""
        with self._database.writing():
            for path, stamp in files.items():
                self.write(path, KnownFile(stamp, None, None))

    def forget_numbers(self, paths: Sequence[str]) -> None:
        """Forget the file numbers of files that were removed: the system gives them to new files."""
        with self._database.writing():
            names = [(os.fsencode(path),) for path in paths]
            self._database.execute_all("UPDATE files SET identity = '' WHERE path = ?", names)


def _known(row: tuple[str, int, int, int, str | None, int | None] | None) -> KnownFile | None:
    return KnownFile(Stamp(*row[:4]), *row[4:]) if row else None
