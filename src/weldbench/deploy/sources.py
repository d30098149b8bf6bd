"""Where frames to be judged come from: pictures, folders, zips, videos, or a list of them, one frame at a time.

A film is what a vote goes over: a video, or the pictures of one folder, here or in a zip, in the order of their names,
whose numbers count as numbers. A frame that cannot be read is a frame with a problem, and the next one follows.
"""

import os
import re
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
        InputError: A source that is named on the command line is not there, or holds no frame.
    """
    for source in sources:
        if source == LIST:
            for line in listed or sys.stdin:
                if path := line.rstrip("\r\n"):
                    yield from _of_listed(Path(path))
        else:
            yield from _of_named(Path(source))


def refuse_missing(sources: Iterable[str]) -> None:
    """Refuse sources that are not there before the first frame is judged.

    Raises:
        InputError: One is missing.
    """
    for source in sources:
        if source != LIST and not Path(source).exists():
            raise InputError(f"{source}: there is no such file or folder; name a picture, a folder, a zip or a video")


def camera_frame(gray: NDArray[np.uint8] | NDArray[np.uint16], frame_size_px: int) -> NDArray[np.uint8]:
    """Return a frame as an exported graph takes it: as it is, or scaled as ingest does where the graph cannot.

    The graph takes 8 bits, and is exact up to 4096 pixels.

    Args:
        gray: Shape (height, width).
        frame_size_px: Height and width to which ingest scales.
    """
    if gray.dtype == np.uint8 and max(gray.shape) <= LARGEST_SIDE_PX:
        return gray
    from weldbench.data.resize import area_mean  # late: it takes a while to import, and is rarely needed

    return area_mean(gray, frame_size_px)


def _of_named(path: Path) -> Iterator[SourceFrame]:
    found = False
    for frame in _of_folder(path) if path.is_dir() else _of_file(path):
        found = True
        yield frame
    if not found:
        raise InputError(f"{path}: there is no frame in it; name a picture, a folder, a zip or a video with frames")


def _of_listed(path: Path) -> Iterator[SourceFrame]:
    try:
        yield from _of_named(path)
    except InputError as error:
        yield SourceFrame(str(path.parent), path.name, None, problem=str(error))


def _of_file(path: Path) -> Iterator[SourceFrame]:
    if path.suffix.lower() in VIDEO_SUFFIXES:
        from weldbench.deploy.video import frames_of_video

        yield from frames_of_video(path)
    elif is_zipfile(path):
        yield from _of_zip(path)
    else:
        yield _picture(str(path.parent), path.name, path)


def _of_folder(folder: Path) -> Iterator[SourceFrame]:
    """Go through a folder and those in it, each in the order of its names; memory holds the names of one folder."""
    unread = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted((name for name in folders if not system_entry(name)), key=_in_order)
        for name in sorted(files, key=_in_order):
            path = Path(place, name)
            if system_entry(name):
                continue
            if is_picture(name) or path.suffix.lower() in VIDEO_SUFFIXES:
                yield from _of_file(path)
            else:
                unread.append(name)
    _say_unread(folder, unread)


def _of_zip(path: Path) -> Iterator[SourceFrame]:
    with Archive(path) as archive:
        for note in archive.notes:
            print(f"{path}: {note}", file=sys.stderr)
        pictures = [name for name in archive.names if is_picture(name)]
        for name in sorted(pictures, key=lambda name: (name.rpartition("/")[0], _in_order(name))):
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


def _in_order(name: str) -> str:
    """Return a sort key in which numbers count as numbers, as in ingest."""
    return re.sub(r"\d+", lambda digits: digits[0].zfill(20), name)


def _say_unread(place: Path, names: list[str]) -> None:
    if names:
        print(
            f"{place}: {counted(len(names), 'file')} stayed out, as such kinds are not read: {some(names)}",
            file=sys.stderr,
        )
