"""JPEG, with its metadata taken out first: only what says how colors are coded can then change a pixel."""

import struct
from collections.abc import Iterator

from weldbench.errors import BadFrameError
from weldbench.ingest.formats import with_pillow
from weldbench.ingest.formats.exif import orientation_of
from weldbench.ingest.formats.samples import Contents, not_read, one

START = b"\xff\xd8\xff"

_JFIF, _EXIF, _MULTI_PICTURE, _ADOBE, _COMMENT, _SCAN = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE, 0xDA
# Starts of a frame; C4, C8 and CC are others' markers.
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JPEG_LS = 0xF7
# JFIF says that colors are YCbCr; its version and resolution do not matter.
_PLAIN_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_ADOBE_BYTES = 12  # of its segment: name, version, flags, and how the colors are coded

_FIRST_OF_SEVERAL = "the first picture of a file that holds several (MPO), whose others are previews or other views"


def read(data: bytes) -> Contents:
    """Read a JPEG; of a camera's file with several pictures (MPO) the first, which is the photograph.

    Raises:
        BadFrameError: It is too large or damaged, or its levels have not 8 bits.
    """
    kept, exif, several = [START[:2]], None, False
    for marker, content, segment in _segments(data):
        if marker == _JPEG_LS:
            raise not_read("JPEG-LS")
        if marker in _FRAMES and content and content[0] != 8:
            raise not_read(f"JPEG with {content[0]}-bit levels")
        if marker == _JFIF and content.startswith(b"JFIF\0"):
            kept.append(_PLAIN_JFIF)
        elif marker == _EXIF and content.startswith(b"Exif\0"):
            exif = exif or content
        elif marker == _MULTI_PICTURE and content.startswith(b"MPF\0"):
            several = True
        elif _is_pixels(marker, content):
            kept.append(segment)
    samples = next(with_pillow.read(b"".join(kept), "JPEG").samples)
    orientation, remarks = orientation_of(exif)
    return one(samples._replace(orientation=orientation, remarks=(*remarks, _FIRST_OF_SEVERAL) if several else remarks))


def declared_size(data: bytes) -> tuple[int, int]:
    """Return the width and height that a JPEG says it has."""
    for marker, content, _ in _segments(data):
        if marker in _FRAMES and len(content) >= 5:
            height, width = struct.unpack_from(">HH", content, 1)
            return width, height
    raise BadFrameError("it is a damaged picture (JPEG without a size)")


def _is_pixels(marker: int, content: bytes) -> bool:
    if marker == _ADOBE:
        return content.startswith(b"Adobe") and len(content) >= _ADOBE_BYTES
    return not 0xE0 <= marker <= 0xEF and marker != _COMMENT


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield marker, content and all bytes of each segment; the last is the first scan with everything behind it."""
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            raise BadFrameError("it is a damaged picture (JPEG: no marker where one must be)")
        marker, length = data[place + 1], struct.unpack_from(">H", data, place + 2)[0]
        if marker == 0xFF:
            place += 1  # a filling byte
            continue
        end = len(data) if marker == _SCAN else place + 2 + length
        if length < 2 or end > len(data):
            break
        yield marker, data[place + 4 : end], data[place:end]
        if marker == _SCAN:
            return
        place = end
    raise BadFrameError("it is a damaged picture (JPEG: cut off before its pixels)")
