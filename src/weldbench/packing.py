"""A folder as one reproducible zip."""

import os
import zipfile
from pathlib import Path

from weldbench.disk import space_for
from weldbench.errors import InputError
from weldbench.layout import IMAGE_SUFFIXES
from weldbench.progress import track

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold; the files' own would make every packing differ


def pack_folder(folder: Path, archive: Path) -> None:
    """Pack the pictures and JSON files of a folder into the zip `archive`, not compressed: same files, same bytes.

    Hidden files stay out. Links are followed as long as they stay within the folder.

    Raises:
        InputError: The folder holds nothing to pack, a link leaves it, or a file cannot be read.
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
    inside = folder.resolve()
    found = []
    for place, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = Path(place, name)
            if path.is_symlink() and not path.resolve().is_relative_to(inside):
                raise InputError(f"{path}: this link leaves the folder {folder}; copy what it points to into it")
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(place, name)
            for name in names
            if not name.startswith(".") and Path(name).suffix.lower() in {*IMAGE_SUFFIXES, ".json"}
        ]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())
