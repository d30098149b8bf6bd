"""A folder as one reproducible zip."""

import os
import zipfile
from pathlib import Path

from weldbench.errors import InputError
from weldbench.ingest.file_kinds import IMAGE_SUFFIXES, is_picture, is_read
from weldbench.ingest.system_files import system_entry
from weldbench.ingest.unused import Unused, kinds_of
from weldbench.runtime.disk import space_for
from weldbench.runtime.progress import track

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold; the files' own would make every packing differ
_USUAL = {".png", ".jpg", ".bmp", ".tif", ".webp", ".gif", ".pgm"}  # of the kinds that are read, those in messages


def pack_folder(folder: Path, archive: Path) -> Unused:
    """Pack the pictures and JSON files of a folder into the zip `archive`, not compressed: same files, same bytes.

    Hidden and system files stay out. Links to files are followed as long as they stay within the folder.

    Returns:
        What stayed out.

    Raises:
        InputError: The folder holds nothing to pack, a link leaves it or is a folder, a file cannot be read, or its
            name is no UTF-8.
    """
    files, unused = _files_to_pack(folder)
    if not any(is_picture(file.name) for file in files):
        raise InputError(f"{folder}: {_no_pictures(unused)}")
    size_bytes = sum(file.stat().st_size for file in files)
    with space_for(archive.parent, size_bytes, "packing"), zipfile.ZipFile(archive, "w") as packed:
        for file in track(files, f"pack {folder}", unit="files"):
            member = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _EPOCH)
            member.external_attr = 0o644 << 16
            try:
                packed.writestr(member, file.read_bytes())
            except PermissionError:
                raise InputError(f"{file}: this file may not be read; change its permissions") from None
    return unused


def _files_to_pack(folder: Path) -> tuple[list[Path], Unused]:
    found, unused = [], Unused()
    for place, folders, names in os.walk(folder, onerror=_refuse):
        here = Path(place).relative_to(folder)
        for name in [*folders, *names]:
            path = (here / name).as_posix()
            if system_entry(name):
                unused.system.append(printable(path))
            elif name in folders:
                if Path(place, name).is_symlink():
                    raise InputError(
                        f"{Path(place, name)}: this link to a folder is not followed; copy the folder here"
                    )
            elif is_read(name):
                _refuse_strange(folder / path, folder)
                found.append(folder / path)
            else:
                unused.unread.append(printable(path))
        folders[:] = [name for name in folders if not system_entry(name)]
        if not folders and not names and here.parts:
            unused.empty_folders.append(printable(here.as_posix()))
    unused = Unused(sorted(unused.unread), sorted(unused.system), sorted(unused.empty_folders))
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix()), unused


def _no_pictures(unused: Unused) -> str:
    zips = [name for name in unused.unread if name.lower().endswith(".zip")]
    if len(zips) == 1:
        return f"there are no pictures in this folder, but a zip; give the path of that zip, {zips[0]}"
    if zips:
        return f"there are no pictures in this folder, but {len(zips)} zips; unpack them into one folder and give that"
    if unused.unread:
        kinds = ", ".join(sorted(IMAGE_SUFFIXES & _USUAL))
        return f"there are no pictures in this folder that are read, but {kinds_of(unused.unread)}; {kinds} are read"
    return "there are no pictures in this folder; give the one that holds them"


def printable(name: str) -> str:
    """Return a file's name as text: bytes that are no UTF-8 become escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _refuse_strange(path: Path, folder: Path) -> None:
    shown = printable(str(path))
    if "\\x" in shown and shown != str(path):
        raise InputError(
            f"{shown}: this name is no UTF-8, as from a zip of an old Windows; rename it "
            "(`convmv -r -f cp1252 -t utf8 --notest FOLDER` renames all, if it is Western European)"
        )
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{path}: this link leaves the folder {folder}; copy what it points to into it")
    if not path.is_file():
        raise InputError(f"{path}: this is no file, or a link to nothing; remove it")


def _refuse(error: OSError) -> None:
    raise InputError(f"{error.filename}: this folder cannot be read ({error.strerror}); change its permissions")
