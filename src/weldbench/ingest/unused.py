"""What was found beside the frames and not used: counted and named, as a class must not vanish without a word."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from weldbench.ingest.system_files import kind_of_system_entry
from weldbench.runtime.text import counted, some

_KINDS_SHOWN = 6
_ENTRIES_SHOWN = 6
_FILMS = {".avi", ".mp4", ".m4v", ".mov", ".mkv", ".wmv", ".webm", ".mpg", ".mpeg", ".mts", ".cine", ".seq"}


@dataclass
class Unused:
    """Files and folders that hold no frame; paths as in an archive.

    Attributes:
        unread: Files of kinds that are not read.
        system: Topmost hidden and system folders and files.
        empty_folders: Folders without any file.
    """

    unread: list[str] = field(default_factory=list)
    system: list[str] = field(default_factory=list)
    empty_folders: list[str] = field(default_factory=list)

    def __add__(self, other: "Unused") -> "Unused":
        return Unused(self.unread + other.unread, self.system + other.system, self.empty_folders + other.empty_folders)


def notes_on_unused(unused: Unused) -> list[str]:
    """Describe what was not used in sentences for the report."""
    notes = []
    if unused.unread:
        files = counted(len(unused.unread), "file")
        notes.append(f"{files} stayed out, as such kinds are not read: {kinds_of(unused.unread)}.")
    if any(PurePosixPath(name).suffix.lower() in _FILMS for name in unused.unread):
        notes.append("Films are not read: save their frames as pictures, those of each film in a folder of its own.")
    if unused.empty_folders:
        notes.append(f"Empty folders: {some(sorted(unused.empty_folders))}.")
    if unused.system:
        kinds = Counter(kind_of_system_entry(path) for path in unused.system)
        shown = [f"{kind} ({number})" for kind, number in kinds.most_common()]
        notes.append(f"Hidden and system files stayed out: {some(shown, _ENTRIES_SHOWN)}.")
    return notes


def kinds_of(names: Iterable[str]) -> str:
    """Count files by suffix, each kind with one example: `.mp4 2 (spatter/film.mp4), ...`."""
    examples: dict[str, list[str]] = {}
    for name in sorted(names):
        examples.setdefault(PurePosixPath(name).suffix.lower() or "no suffix", []).append(name)
    largest = sorted(examples, key=lambda kind: -len(examples[kind]))
    return some([f"{kind} {len(examples[kind])} ({examples[kind][0]})" for kind in largest], _KINDS_SHOWN)
