"""What every reader hands over: the levels of one picture as its file holds them, not yet gray."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from weldbench.errors import BadFrameError

# Far above any weld camera, far below what a picture that lies about its size would ask for.
MAX_PIXELS = 64_000_000

SAVE_AS = "save it as an 8- or 16-bit gray PNG or TIFF"


Color = Literal["gray", "rgb", "cmyk"]


class Samples(NamedTuple):
    """One picture as it is stored.

    Attributes:
        levels: Unsigned integers, shape (height, width, channels): those of the color, then alpha if there is one.
        white: The level that stands for white (full ink, fully opaque), `2**bits - 1` for a depth of so many bits.
        color: What the first channels are: one of gray, three of rgb, or four of cmyk.
        orientation: Of the EXIF tag of this name, 1 to 8; 1 is upright.
        remarks: What the report must say of it.
    """

    levels: np.ndarray
    white: int
    color: Color
    orientation: int = 1
    remarks: tuple[str, ...] = ()


class Contents(NamedTuple):
    """The pictures of one file: how many there are, and their samples, each read when it is asked for."""

    pictures: int
    samples: Iterator[Samples]


def one(samples: Samples) -> Contents:
    """Return the contents of a file that holds a single picture."""
    return Contents(1, iter([samples]))


def check_size(width: int, height: int) -> None:
    """Refuse a picture by the size that it declares, before anything is allocated for it.

    Raises:
        BadFrameError: It has no pixels, or too many.
    """
    if width < 1 or height < 1:
        raise BadFrameError(f"it declares {width}x{height} pixels")
    if width * height > MAX_PIXELS:
        raise BadFrameError(f"it declares {width}x{height} pixels; {MAX_PIXELS} is the most that is read")


def not_read(kind: str) -> BadFrameError:
    """Return the refusal of a whole file whose kind is known, and not read."""
    return BadFrameError(f"it is a kind of picture that is not read ({kind}); {SAVE_AS}")
