"""One look at a watched folder: which files lie there now."""

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from weldbench.deploy.watch_files import Stamp
from weldbench.ingest.file_kinds import is_picture
from weldbench.ingest.filming_order import filming_order
from weldbench.ingest.packing import printable
from weldbench.ingest.system_files import system_entry


class Look(NamedTuple):
    """What was found; names are relative to the folder.

    Attributes:
        files: The files that may be frames, those of a folder in filming order: digits count as numbers.
        removed: Known files that are not there any more.
        renamed: Known files that are not there any more, and may lie there under another name.
        left_alone: Suffixes of the files that are no pictures by their name, with one such file of each.
        unreadable: Folders that could not be looked into, with the reason.
        is_gone: Whether the folder itself is not there.
    """

    files: Mapping[str, Stamp] = MappingProxyType({})
    removed: Sequence[str] = ()
    renamed: Sequence[str] = ()
    left_alone: Mapping[str, str] = MappingProxyType({})
    unreadable: Mapping[str, str] = MappingProxyType({})
    is_gone: bool = False


def look_at(folder: Path, known: Mapping[str, Stamp]) -> Look:
    """Look at all files of a folder and its subfolders; links to folders are not followed."""
    files: dict[str, Stamp] = {}
    left_alone: dict[str, str] = {}
    unreadable: dict[str, str] = {}

    def refused(error: OSError) -> None:
        unreadable[os.path.relpath(error.filename, folder)] = error.strerror or type(error).__name__

    for place, folders, names in os.walk(folder, onerror=refused):
        folders[:] = [name for name in folders if not system_entry(name)]
        for name in names:
            path = os.path.relpath(Path(place, name), folder)
            if is_frame(path):
                stamp = stamp_of(folder / path)
                if stamp is not None:
                    files[path] = stamp
            elif not system_entry(name):
                left_alone.setdefault(Path(name).suffix.lower() or "no suffix", path)
    if "." in unreadable:
        return Look(unreadable=unreadable, is_gone=True)
    identities = {stamp.identity for stamp in files.values()}
    # What could not be looked into is not taken for removed.
    missing = [] if unreadable else [path for path in known if path not in files]
    return Look(
        files={path: files[path] for path in sorted(files, key=filming_order)},
        removed=[path for path in missing if known[path].identity not in identities],
        renamed=[path for path in missing if known[path].identity in identities],
        left_alone=left_alone,
        unreadable=unreadable,
    )


def is_frame(path: str) -> bool:
    """Tell by its name, relative to the watched folder, whether a file is judged; hidden files and folders are not."""
    return is_picture(path) and not system_entry(Path(path).as_posix())


def stamp_of(path: Path, folder: bool = False) -> Stamp | None:
    """Return the stamp of a file, or of a folder; None where there is none, or it cannot be told."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    is_wanted = stat.S_ISDIR(status.st_mode) if folder else stat.S_ISREG(status.st_mode)
    return Stamp.of(status) if is_wanted else None


def shown(path: str) -> str:
    """Return a file's name for the terminal: what is no text, or would move the cursor, becomes escapes."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in printable(path)
    )
