"""From the bytes of a picture to its gray levels."""

import io
import struct
from typing import NamedTuple

import kornia_rs.io
import numpy as np
from PIL import Image, UnidentifiedImageError

from weldbench.errors import BadFrameError

# Far above any weld camera, far below what a picture that lies about its size would ask for.
MAX_PIXELS = 64_000_000

_PNG_START = b"\x89PNG\r\n\x1a\n"
_TWELVE_BITS = 4095
_GRAY_8_BIT = (8, 0, 0, 0, 0)  # bit depth, color type, compression, filter, interlace of a PNG


class Picture(NamedTuple):
    """A decoded picture.

    Attributes:
        gray: uint8 or uint16, shape (height, width).
        conversion: What had to be done to make it gray, for the report; empty if nothing.
    """

    gray: np.ndarray
    conversion: str


def decode(data: bytes) -> Picture:
    """Decode one picture as gray levels; color becomes luminance (ITU-R BT.601).

    Raises:
        BadFrameError: It is empty, damaged, no picture, too large, or of a kind that has no gray levels.
    """
    if not data:
        raise BadFrameError("it is empty")
    if data.startswith(_PNG_START) and len(data) >= 29 and data[12:16] == b"IHDR":
        width, height, *kind = struct.unpack(">IIBBBBB", data[16:29])
        _check_size(width, height)
        if tuple(kind) == _GRAY_8_BIT:
            return Picture(_decode_gray_png(data, height, width), "")
    return _decode_with_pillow(data)


def _decode_gray_png(data: bytes, height: int, width: int) -> np.ndarray:
    try:
        return np.asarray(kornia_rs.io.decode_image_png_u8(data, (height, width), "mono"))[:, :, 0]
    except Exception as error:
        raise BadFrameError(f"it is a damaged PNG ({error})") from None


def _decode_with_pillow(data: bytes) -> Picture:
    try:
        with Image.open(io.BytesIO(data)) as image:
            _check_size(*image.size)
            if (pictures := getattr(image, "n_frames", 1)) > 1:
                raise BadFrameError(f"it holds {pictures} pictures in one file")
            image.load()
            return _as_gray(image)
    except BadFrameError:
        raise
    except UnidentifiedImageError:
        raise BadFrameError("it is no picture") from None
    except Exception as error:
        # Damaged files make Pillow's readers raise nearly anything.
        raise BadFrameError(f"it is a damaged picture ({error})") from None


def _as_gray(image: Image.Image) -> Picture:
    if image.mode == "L":
        return Picture(np.asarray(image), "")
    if image.mode.startswith("I;16"):
        levels = np.asarray(image).astype(np.uint16)
        # Cameras of 10 or 12 bits often store their levels as they are.
        dark = f", though none is above {_TWELVE_BITS:,}, which leaves the frame dark"
        return Picture(levels, "16-bit levels scaled to 8 bit" + (dark if levels.max() <= _TWELVE_BITS else ""))
    if image.mode in {"I", "F"}:
        raise BadFrameError("it has 32-bit levels; 8 and 16 bit are read")
    if image.mode in {"1", "LA"}:
        return Picture(np.asarray(image.convert("L")), "")
    return Picture(np.asarray(image.convert("RGB").convert("L")), "color made gray by luminance")


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise BadFrameError(f"it declares {width}x{height} pixels")
    if width * height > MAX_PIXELS:
        raise BadFrameError(f"it declares {width}x{height} pixels; {MAX_PIXELS} is the most that is read")
