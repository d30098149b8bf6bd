"""From the bytes of a picture to its gray levels, by one rule for every format (docs/datasets.md).

- The pixels of a file decide, and its metadata does not: gamma, color profiles, resolution and texts are not looked at,
  and damage to them costs no frame. The one exception is the orientation that a camera notes, as every viewer heeds it.
- A level counts by its share of white: 8-bit and 16-bit levels stay as they are, other depths are scaled to the next
  of these. White is the largest level that the depth of the file can hold, or that its header declares.
- Where 0 is white, levels are inverted; a palette is looked up; inks (CMYK) become red, green and blue.
- Color becomes luminance (ITU-R BT.601), at the depth of the file.
- Transparency is ignored: a pixel counts as it is stored, and the report says so.
- One file is one picture. A film in a file is refused; `pictures` takes it apart.

What cannot be read by this rule is refused by its name.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from weldbench.errors import BadFrameError
from weldbench.ingest.formats import jpeg, jpeg2000, netpbm, png, tiff, with_pillow
from weldbench.ingest.formats.samples import SAVE_AS, Contents, Samples, not_read

_TWELVE_BITS = 4095
_COLOR_CHANNELS = {"gray": 1, "rgb": 3, "cmyk": 4}
# 0.299, 0.587 and 0.114 in units of 2**-16; their sum is 2**16, so that gray stays as it is.
_LUMINANCE = (19595, 38470, 7471)

# How the readable files begin, the likeliest first.
_PILLOW_FORMATS = {
    "BMP": re.compile(rb"BM"),
    "GIF": re.compile(rb"GIF8[79]a"),
    "WEBP": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "AVIF": re.compile(rb"....ftypavi[fs]", re.DOTALL),
}
_LFS_POINTER = b"version https://git-lfs"
# How files begin that may well stand among frames, and that are not read.
_KNOWN_KINDS = {
    "HEIC": re.compile(rb"....ftyp(hei|hev|mif1|msf1)", re.DOTALL),
    "JPEG XL": re.compile(rb"\xff\x0a|\0\0\0\x0cJXL "),
    "JPEG XR": re.compile(rb"II\xbc"),
    "Photoshop": re.compile(rb"8BPS"),
    "OpenEXR": re.compile(rb"v/1\x01"),
    "Radiance HDR": re.compile(rb"#\?(RADIANCE|RGBE)"),
    "DICOM": re.compile(rb".{128}DICM", re.DOTALL),
    "floating-point PFM": netpbm.FLOAT_START,
    "a film": re.compile(rb"RIFF....AVI |....ftyp|\x1aE\xdf\xa3", re.DOTALL),
}


class Picture(NamedTuple):
    """A decoded picture.

    Attributes:
        gray: uint8 or uint16, shape (height, width).
        conversion: What had to be done to make it gray, for the report; empty if nothing.
    """

    gray: np.ndarray
    conversion: str


def decode(data: bytes) -> Picture:
    """Decode the one picture of a file as gray levels.

    Raises:
        BadFrameError: It is empty, damaged, no picture, too large, a film, or of a kind that has no gray levels.
    """
    with _only_bad_frames():
        count, samples = _contents(data)
        if count > 1:
            raise BadFrameError(f"it holds {count} pictures in one file; write each into a file of its own")
        return _picture(next(samples))


def pictures(data: bytes) -> Iterator[Picture]:
    """Decode all pictures of a file, one after the other: pages of a TIFF, or the frames of an animation.

    Raises:
        BadFrameError: As `decode`, except that a film is welcome.
    """
    with _only_bad_frames():
        count, samples = _contents(data)
    for _ in range(count):
        with _only_bad_frames():
            picture = _picture(next(samples))
        yield picture


@contextmanager
def _only_bad_frames() -> Iterator[None]:
    """Turn whatever a library raises for a damaged file into a BadFrameError, and keep its warnings to ourselves."""
    with warnings.catch_warnings(action="ignore"):
        try:
            yield
        except BadFrameError:
            raise
        except Exception as error:
            why = " ".join(str(error).split()) or type(error).__name__
            raise BadFrameError(f"it is a damaged picture ({why})") from None


def _contents(data: bytes) -> Contents:
    if not data:
        raise BadFrameError("it is empty")
    if data.startswith(png.START):
        return png.read(data)
    if data.startswith(jpeg.START):
        return jpeg.read(data)
    if data.startswith(tiff.STARTS):
        return tiff.read(data)
    if data.startswith((jpeg2000.STREAM_START, jpeg2000.BOX_START)):
        return jpeg2000.read(data)
    if netpbm.START.match(data):
        return netpbm.read(data)
    for name, start in _PILLOW_FORMATS.items():
        if start.match(data):
            return with_pillow.read(data, name)
    if data.startswith(_LFS_POINTER):
        raise BadFrameError("it is only a pointer of git-lfs to the picture; run `git lfs pull` where it was cloned")
    for name, start in _KNOWN_KINDS.items():
        if start.match(data):
            raise not_read(name)
    raise BadFrameError(f"it is no picture of a kind that is known here; {SAVE_AS}")


def _picture(samples: Samples) -> Picture:
    levels, white = samples.levels, samples.white
    remarks = list(samples.remarks)
    shown = _COLOR_CHANNELS[samples.color]
    colors = _scaled(levels[:, :, :shown], white)
    gray = colors[:, :, 0] if shown == 1 else _luminance(_red_green_blue(colors) if shown == 4 else colors)
    if shown > 1:
        remarks.append("color made gray by luminance")
    if levels.shape[2] > shown and levels[:, :, shown:].min() < white:
        remarks.append("transparency ignored")
    if samples.orientation != 1:
        gray = _upright(gray, samples.orientation)
        remarks.append("turned upright, as its orientation tag asks")
    if white == 65535:
        # Cameras of 10 or 12 bits often store their levels as they are.
        dark = colors.max() <= _TWELVE_BITS and samples.color != "cmyk"
        told = f", though none is above {_TWELVE_BITS:,}, which leaves the frame dark" if dark else ""
        remarks.append(f"16-bit levels scaled to 8 bit{told}")
    elif white > 255:
        remarks.append(f"levels of 0 to {white:,} scaled to 8 bit")
    return Picture(np.ascontiguousarray(gray), "; ".join(remarks))


def _scaled(levels: np.ndarray, white: int) -> np.ndarray:
    """Scale levels so that white is 255 or, where 8 bits would not hold them, 65,535."""
    dtype, peak = (np.uint8, 255) if white <= 255 else (np.uint16, 65535)
    if white == peak:
        return levels.astype(dtype, copy=False)
    every_level = (np.arange(white + 1, dtype=np.int64) * 2 * peak + white) // (2 * white)
    scaled: np.ndarray = every_level.astype(dtype)[levels]
    return scaled


def _red_green_blue(inks: np.ndarray) -> np.ndarray:
    peak = np.iinfo(inks.dtype).max
    light = (peak - inks).astype(np.uint64)
    return ((2 * light[:, :, :3] * light[:, :, 3:] + peak) // (2 * peak)).astype(inks.dtype)


def _luminance(colors: np.ndarray) -> np.ndarray:
    total = np.full(colors.shape[:2], 2**15, dtype=np.uint32)  # 16-bit levels just fit
    for channel, weight in enumerate(_LUMINANCE):
        total += colors[:, :, channel].astype(np.uint32) * np.uint32(weight)
    return (total >> 16).astype(colors.dtype)


def _upright(gray: np.ndarray, orientation: int) -> np.ndarray:
    """Undo how the camera was held: orientations 5 to 8 swap rows and columns, then rows or columns run backwards."""
    turned = gray.T if orientation >= 5 else gray
    rows = -1 if orientation in {3, 4, 7, 8} else 1
    columns = -1 if orientation in {2, 3, 6, 7} else 1
    return turned[::rows, ::columns]
