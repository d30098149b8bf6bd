"""A folder as one reproducible zip."""

import os
import zipfile
from pathlib import Path

from weldbench.errors import InputError
from weldbench.ingest.layout import IMAGE_SUFFIXES
from weldbench.runtime.disk import space_for
from weldbench.runtime.progress import track

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold; the files' own would make every packing differ


def pack_folder(folder: Path, archive: Path) -> None:
    """Pack the pictures and JSON files of a folder into the zip `archive`, not compressed: same files, same bytes.

    Hidden files stay out. Links to files are followed as long as they stay within the folder.

    Raises:
        InputError: The folder holds nothing to pack, a link leaves it or is a folder, or a file cannot be read.
    """
    files = _files_to_pack(folder)
    if not files:
        raise InputError(f"{folder}: there are no pictures in this folder")
    size_bytes = sum(file.stat().st_size for file in files)
    with space_for(archive.parent, size_bytes, "packing"), zipfile.ZipFile(archive, "w") as packed:
        for file in track(files, f"pack {folder}", unit="files"):
            member = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _EPOCH)
            member.external_attr = 0o644 << 16
            try:
                packed.writestr(member, file.read_bytes())
            except PermissionError:
                raise InputError(f"{file}: this file may not be read; change its permissions") from None


def _files_to_pack(folder: Path) -> list[Path]:
    found = []
    for place, folders, names in os.walk(folder, onerror=_refuse):
        for name in folders:
            if Path(place, name).is_symlink():
                raise InputError(f"{Path(place, name)}: this link to a folder is not followed; copy the folder here")
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(place, name)
            if not name.startswith(".") and path.suffix.lower() in {*IMAGE_SUFFIXES, ".json"}:
                _refuse_strange(path, folder)
                found.append(path)
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _refuse_strange(path: Path, folder: Path) -> None:
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{path}: this link leaves the folder {folder}; copy what it points to into it")
    if not path.is_file():
        raise InputError(f"{path}: this is no file, or a link to nothing; remove it")


def _refuse(error: OSError) -> None:
    raise InputError(f"{error.filename}: this folder cannot be read ({error.strerror}); change its permissions")
