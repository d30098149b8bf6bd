"""Writers of picture files: those of Pillow, OpenCV and tifffile, and by hand what none of them writes."""

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import tifffile
from PIL import Image

HEIGHT, WIDTH = 33, 45  # odd, so that packed rows end within a byte

_ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def levels(bits: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Smooth levels from 0 to the white of a depth, no channel like another; shape (height, width[, channels])."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    phases = np.arange(channels) + seed
    waves = 0.5 + 0.5 * np.sin(x[..., None] / 7 + phases) * np.cos(y[..., None] / 5 - phases)
    scaled = np.rint((waves - waves.min()) / np.ptp(waves) * (2**bits - 1))
    return scaled.astype(np.uint8 if bits <= 8 else np.uint16).squeeze()


def with_alpha(pixels: np.ndarray, opaque: bool) -> np.ndarray:
    bits = 8 * pixels.dtype.itemsize
    alpha = np.full((HEIGHT, WIDTH), 2**bits - 1) if opaque else levels(bits, seed=3)
    return np.concatenate([pixels.reshape(HEIGHT, WIDTH, -1), alpha[..., None].astype(pixels.dtype)], axis=2)


def pillow(image: Image.Image | np.ndarray, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(buffer, file_format, **options)
    return buffer.getvalue()


def opencv(pixels: np.ndarray, suffix: str, *options: int) -> bytes:
    """Write with OpenCV, which wants blue first."""
    if pixels.ndim == 3:
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    written, data = cv2.imencode(suffix, pixels, options)
    assert written
    return data.tobytes()


def tiff(pixels: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def big_endian_packed_tiff(pixels: np.ndarray, bits: int, black_is_zero: bool) -> bytes:
    """Write levels of any depth as the standard has it: from the highest bit on, each row filled up to a whole byte.

    tifffile swaps the bytes of such levels, which the standard does not.
    """
    height, width = pixels.shape
    bit_rows = (pixels[..., None] >> np.arange(bits)[::-1] & 1).reshape(height, -1).astype(bool)
    strip = np.packbits(bit_rows, axis=1).tobytes()
    size = {256: width, 257: height, 278: height}
    tags = size | {258: bits, 259: 1, 262: int(black_is_zero), 273: 8, 277: 1, 279: len(strip)}
    directory = b"".join(struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in sorted(tags.items()))
    strip += b"\0" * (len(strip) % 2)
    return b"MM\0*" + struct.pack(">I", 8 + len(strip)) + strip + struct.pack(">H", len(tags)) + directory + bytes(4)


def chunk(name: bytes, content: bytes) -> bytes:
    """Return one chunk of a PNG."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(pixels: np.ndarray, color_type: int, interlaced: bool = False, chunks: bytes = b"") -> bytes:
    """Write 8 or 16 bit without any filter; `chunks` stand between header and pixels."""
    passes = _ADAM7 if interlaced else [(0, 0, 1, 1)]
    stored = pixels.astype(pixels.dtype.newbyteorder(">"))
    rows = [b"\0" + row.tobytes() for top, left, down, right in passes for row in stored[top::down, left::right]]
    header = struct.pack(
        ">IIBBBBB", pixels.shape[1], pixels.shape[0], 8 * pixels.dtype.itemsize, color_type, 0, 0, interlaced
    )
    body = chunk(b"IHDR", header) + chunks + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
