"""Where frames to be judged come from: pictures, folders, zips, videos, or a list of them, one frame at a time.

A film is what a vote goes over: a video, or the pictures of one folder, here or in a zip, in the order of their names,
whose numbers count as numbers. A frame that cannot be read is a frame with a problem, and the next one follows.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from zipfile import is_zipfile

import numpy as np
from numpy.typing import NDArray

from weldbench.deploy.bundle import LARGEST_SIDE_PX
from weldbench.errors import BadFrameError, InputError
from weldbench.ingest.archive import Archive
from weldbench.ingest.decode import decode
from weldbench.ingest.file_kinds import is_picture
from weldbench.ingest.filming_order import filming_order
from weldbench.ingest.system_files import system_entry
from weldbench.runtime.text import counted, some

LIST = "-"
VIDEO_SUFFIXES = frozenset({".avi", ".mp4", ".m4v", ".mov", ".mkv", ".wmv", ".webm", ".mpg", ".mpeg", ".mts"})


@dataclass(frozen=True)
class SourceFrame:
    """One frame to be judged.

    Attributes:
        source: The film: a video, a folder, or a folder in a zip.
        frame: The name of a picture in it, or the number of a frame of a video, from 0.
        gray: uint8 or uint16, shape (height, width); None where it cannot be read.
        seconds: Since the start of the video; None for a picture.
        problem: Why it cannot be read; empty where it can.
    """

    source: str
    frame: str
    gray: NDArray[np.uint8] | NDArray[np.uint16] | None
    seconds: float | None = None
    problem: str = ""


def frames_of(sources: Iterable[str], listed: TextIO | None = None) -> Iterator[SourceFrame]:
    """Yield the frames of all sources, one after the other; none is kept.

    Args:
        sources: Paths; `-` reads further paths, one a line.
        listed: Where `-` reads; None means the standard input.

    Raises:
        InputError: A source is not there, or is a damaged zip; `count_frames` says so before.
    """
    for source in sources:
        if source == LIST:
            for line in listed or sys.stdin:
                if path := line.rstrip("\r\n"):
                    yield from _of_listed(Path(path))
        else:
            yield from _of_path(Path(source))


def count_frames(sources: Iterable[str]) -> int | None:
    """Count the frames of all sources before the first is judged; None where a list or a video leaves that open.

    Raises:
        InputError: A source is not there, holds no frame, or is a damaged zip.
    """
    counts = [_count(Path(source)) for source in sources if source != LIST]
    return None if None in counts or LIST in sources else sum(count for count in counts if count)


def camera_frame(gray: NDArray[np.uint8] | NDArray[np.uint16], frame_size_px: int) -> NDArray[np.uint8]:
    """Return a frame as an exported graph takes it: as it is, or scaled as ingest does where the graph cannot.

    The graph takes 8 bits, and is exact up to 4096 pixels.

    Args:
        gray: Shape (height, width).
        frame_size_px: Height and width to which ingest scales.
    """
    if gray.dtype == np.uint8 and max(gray.shape) <= LARGEST_SIDE_PX:
        return gray.astype(np.uint8, copy=False)
    from weldbench.data.resize import area_mean  # late: it takes a while to import, and is rarely needed

    scaled: NDArray[np.uint8] = area_mean(gray, frame_size_px)
    return scaled


def _of_path(path: Path) -> Iterator[SourceFrame]:
    yield from _of_folder(path) if path.is_dir() else _of_file(path)


def _of_listed(path: Path) -> Iterator[SourceFrame]:
    """Go on behind a line that names nothing of use: whoever wrote the list may be far away."""
    try:
        yield from _of_path(path)
    except InputError as error:
        yield SourceFrame(str(path.parent), path.name, None, problem=str(error))


def _of_file(path: Path) -> Iterator[SourceFrame]:
    if _is_video(path.name):
        from weldbench.deploy.video import frames_of_video

        yield from frames_of_video(path)
    elif is_zipfile(path):
        yield from _of_zip(path)
    else:
        yield _picture(str(path.parent), path.name, path)


def _count(path: Path) -> int | None:
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder; name a picture, a folder, a zip or a video")
    if path.is_dir():
        names = [name for place, name in _walk(path) if _is_read(name)]
    elif _is_video(path.name) or not is_zipfile(path):
        names = [path.name]
    else:
        with Archive(path) as archive:
            names = [name for name in archive.names if is_picture(name)]
    if not names:
        raise InputError(f"{path}: there is no picture or video in it; name a folder or a zip that holds some")
    return None if any(_is_video(name) for name in names) else len(names)


def _of_folder(folder: Path) -> Iterator[SourceFrame]:
    """Go through a folder and those in it, each in the order of its names; memory holds the names of one folder."""
    unread = []
    for place, name in _walk(folder):
        if _is_read(name):
            yield from _of_file(place / name)
        else:
            unread.append(name)
    _say_unread(folder, unread)


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted((name for name in folders if not system_entry(name)), key=filming_order)
        yield from ((Path(place), name) for name in sorted(files, key=filming_order) if not system_entry(name))


def _is_video(name: str) -> bool:
    return Path(name).suffix.lower() in VIDEO_SUFFIXES


def _is_read(name: str) -> bool:
    return is_picture(name) or _is_video(name)


def _of_zip(path: Path) -> Iterator[SourceFrame]:
    with Archive(path) as archive:
        for note in archive.notes:
            print(f"{path}: {note}", file=sys.stderr)
        pictures = [name for name in archive.names if is_picture(name)]
        for name in sorted(pictures, key=lambda name: (name.rpartition("/")[0], filming_order(name))):
            folder, _, last = name.rpartition("/")
            yield _picture(f"{path}/{folder}" if folder else str(path), last, (archive, name))
        _say_unread(path, [name for name in archive.names if not is_picture(name)])


def _picture(source: str, name: str, place: Path | tuple[Archive, str]) -> SourceFrame:
    try:
        data = place.read_bytes() if isinstance(place, Path) else place[0].read(place[1])
        return SourceFrame(source, name, decode(data).gray)
    except BadFrameError as error:
        return SourceFrame(source, name, None, problem=str(error))
    except OSError as error:
        return SourceFrame(source, name, None, problem=f"it cannot be read ({error.strerror})")


def _say_unread(place: Path, names: list[str]) -> None:
    if names:
        print(
            f"{place}: {counted(len(names), 'file')} stayed out, as such kinds are not read: {some(names)}",
            file=sys.stderr,
        )
