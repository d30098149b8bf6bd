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


def big_endian_tiff(pixels: np.ndarray, bits: int, low_bit_first: bool = False, **changed: int | None) -> bytes:
    """Write levels of any depth as the standard has it, each row of bits filled up to a whole byte.

    tifffile swaps the bytes of packed levels, which the standard does not.

    Args:
        pixels: Shape (height, width).
        bits: Of a level.
        low_bit_first: How the bits of a byte are ordered (FillOrder).
        changed: Other values of tags, such as `tag_262=0`; None leaves a tag out.
    """
    height, width = pixels.shape
    bit_rows = (pixels[..., None] >> np.arange(bits)[::-1] & 1).reshape(height, -1).astype(bool)
    strip = np.packbits(bit_rows, axis=1, bitorder="little" if low_bit_first else "big").tobytes()
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 266: 1 + low_bit_first, 273: 8, 277: 1, 278: height}
    tags |= {279: len(strip)} | {int(name.removeprefix("tag_")): value for name, value in changed.items()}
    entries = [struct.pack(">HHIHH", tag, 3, 1, tags[tag], 0) for tag in sorted(tags) if tags[tag] is not None]
    strip += b"\0" * (len(strip) % 2)
    directory = struct.pack(">H", len(entries)) + b"".join(entries) + bytes(4)
    return b"MM\0*" + struct.pack(">I", 8 + len(strip)) + strip + directory


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
