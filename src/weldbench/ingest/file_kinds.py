"""Which files are read: pictures by their suffix; and what a file is that was given instead of a zip."""

from pathlib import Path, PurePosixPath

from PIL import Image

_FORMATS = {"PNG", "JPEG", "MPO", "JPEG2000", "BMP", "DIB", "TIFF", "WEBP", "GIF", "PPM", "AVIF"}

IMAGE_SUFFIXES = frozenset(
    suffix for suffix, file_format in Image.registered_extensions().items() if file_format in _FORMATS
)

# What files begin with that are taken for a zip.
_KINDS = {
    b"\x1f\x8b": "a gzip archive, as .tar.gz",
    b"BZh": "a bzip2 archive, as .tar.bz2",
    b"\xfd7zXZ\0": "an xz archive, as .tar.xz",
    b"\x28\xb5\x2f\xfd": "a zstd archive, as .tar.zst",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a rar archive",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "a database",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
}
_TAR_MARK, _TAR_PLACE = b"ustar", 257
_UNPACK = "unpack it and give the folder"
_PICTURE_START = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*", b"GIF8", b"RIFF")


def is_picture(name: str) -> bool:
    """Tell by its suffix whether a file is taken for a picture."""
    return PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES


def is_read(name: str) -> bool:
    """Tell by its suffix whether a file is looked at: a picture, or JSON, which may hold labels. Others stay out."""
    return is_picture(name) or name.lower().endswith(".json")


def instead_of_zip(path: Path) -> str | None:
    """Say what a file is that is no zip, and what to do; None where that cannot be told."""
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        return "this is no complete zip, as the file is empty; copy or download it again"
    if start.startswith(b"version https://git-lfs"):
        return "this is only a pointer of git-lfs to the file; run `git lfs pull` where it was cloned"
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "this is a web page, as a server sends for a login or an error; download the zip in a browser"
    if start[_TAR_PLACE:].startswith(_TAR_MARK):
        return f"this is a tar archive, and a folder or a zip is read; {_UNPACK}"
    for mark, kind in _KINDS.items():
        if start.startswith(mark):
            return f"this is {kind}, and a folder or a zip is read; {_UNPACK if 'archive' in kind else _FOLDER}"
    if start.startswith(_PICTURE_START):
        return f"this is one picture, and a folder or a zip is read; {_FOLDER}"
    if path.suffix.lower() not in {"", ".zip"} and b"\0" not in start:
        return f"this is a text file, and a folder or a zip is read; {_FOLDER}"
    return None


_FOLDER = "give the folder that holds the pictures, with one folder per class in it"
