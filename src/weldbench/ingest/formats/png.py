"""PNG, with its metadata taken out first: no chunk but those of the pixels can then change or cost them."""

import struct
import zlib
from collections.abc import Iterator

import kornia_rs.io
import numpy as np

from weldbench.errors import BadFrameError
from weldbench.ingest.formats import with_pillow
from weldbench.ingest.formats.exif import orientation_of
from weldbench.ingest.formats.samples import Contents, Samples, check_size, not_read, one

START = b"\x89PNG\r\n\x1a\n"

_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_ANIMATION = {b"acTL", b"fcTL", b"fdAT"}
_GRAY_8_BIT = (8, 0, 0, 0, 0)  # bit depth, color type, compression, filter, interlace
_GRAY_WITH_ALPHA, _RGB_WITH_ALPHA = 4, 6
_16_BIT_COLORS = {2: "rgb", _RGB_WITH_ALPHA: "rgba"}  # color type -> kornia's name
_HEADER_BYTES = 33


def read(data: bytes) -> Contents:
    """Read a PNG of any kind.

    Raises:
        BadFrameError: It is too large or damaged.
    """
    if len(data) < _HEADER_BYTES or data[12:16] != b"IHDR":
        raise BadFrameError("it is a damaged picture (its PNG header is cut off)")
    width, height, *kind = struct.unpack(">IIBBBBB", data[16:29])
    check_size(width, height)
    chunks = list(_chunks(data))
    kinds = {name for name, _ in chunks}
    deep_color = kind[0] == 16 and (kind[1] > 0 or b"tRNS" in kinds)
    if (count := _frames(chunks)) > 1:
        if deep_color:
            raise not_read(f"16-bit color PNG with {count} pictures in one file")
        return Contents(count, with_pillow.read(_join(data, chunks, _PIXELS | _ANIMATION), "PNG").samples)
    pixels = _join(data, chunks, _PIXELS)
    if tuple(kind) == _GRAY_8_BIT and b"tRNS" not in kinds:
        samples = Samples(_decode_gray(pixels, height, width), 255, "gray")
    elif deep_color:
        _check_sums(data, chunks)
        key = next((data[place.start + 8 : place.stop - 4] for name, place in chunks if name == b"tRNS"), b"")
        samples = _decode_16_bit(_join(data, chunks, _PIXELS - {b"tRNS"}), height, width, kind[1], key)
    else:
        _check_sums(data, chunks)
        samples = next(with_pillow.read(pixels, "PNG").samples)
    exif = next((data[place.start + 8 : place.stop - 4] for name, place in chunks if name == b"eXIf"), None)
    orientation, remarks = orientation_of(exif)
    return one(samples._replace(orientation=orientation, remarks=remarks))


def _decode_gray(data: bytes, height: int, width: int) -> np.ndarray:
    try:
        return np.asarray(kornia_rs.io.decode_image_png_u8(data, (height, width), "mono"))
    except Exception as error:
        raise BadFrameError(f"it is a damaged PNG ({error})") from None


def _decode_16_bit(data: bytes, height: int, width: int, color_type: int, key: bytes) -> Samples:
    """Decode 16-bit levels, of which Pillow would keep the high bytes only; `key` is a transparent color, if any."""
    if color_type in _16_BIT_COLORS:
        shape, channels = (height, width), _16_BIT_COLORS[color_type]
        levels = np.asarray(kornia_rs.io.decode_image_png_u16(data, shape, channels))
    elif color_type == _GRAY_WITH_ALPHA:
        # No library at hand reads these. Filters work on bytes, so four channels of 8 bits unpack to the same bytes.
        header = b"IHDR" + data[16:24] + bytes([8, _RGB_WITH_ALPHA]) + data[26:29]
        as_bytes = data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[_HEADER_BYTES:]
        levels = next(with_pillow.read(as_bytes, "PNG").samples).levels.view(">u2").astype(np.uint16)
    else:
        levels = next(with_pillow.read(data, "PNG").samples).levels
    if len(key) == 2 * levels.shape[2]:
        is_key = (levels == np.frombuffer(key, ">u2")).all(axis=2, keepdims=True)
        levels = np.concatenate([levels, np.where(is_key, 0, 65535).astype(np.uint16)], axis=2)
    return Samples(levels, 65535, "rgb" if color_type in _16_BIT_COLORS else "gray")


def _frames(chunks: list[tuple[bytes, slice]]) -> int:
    """Count the pictures of an APNG, whose plain picture need not be one of its film; 1 for any other PNG."""
    film = [name for name, _ in chunks if name in {b"acTL", b"fcTL", b"IDAT"}]
    if b"acTL" not in film or b"fcTL" not in film:
        return 1
    return film.count(b"fcTL") + (b"IDAT" in film[: film.index(b"fcTL")])


def _chunks(data: bytes) -> Iterator[tuple[bytes, slice]]:
    """Yield the name and place of every chunk; of a file that is cut off, the last one ends with the data."""
    place = len(START)
    while place + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        yield name, slice(place, min(place + 12 + length, len(data)))
        if name == b"IEND":
            return
        place += 12 + length


def _join(data: bytes, chunks: list[tuple[bytes, slice]], wanted: set[bytes]) -> bytes:
    return START + b"".join(data[place] for name, place in chunks if name in wanted)


def _check_sums(data: bytes, chunks: list[tuple[bytes, slice]]) -> None:
    """Refuse damage to the pixels, which Pillow passes over at the end of a file."""
    whole = chunks[-1][0] == b"IEND"
    for name, place in chunks:
        if name in _PIXELS:
            expected = struct.unpack(">I", data[place.stop - 4 : place.stop])[0]
            whole &= zlib.crc32(data[place.start + 4 : place.stop - 4]) == expected
    if not whole:
        raise BadFrameError("it is a damaged PNG (cut off, or a wrong checksum)")
