"""JPEG 2000, in its box (jp2) or as a bare stream (j2k), at any depth up to 16 bits."""

import struct

import imagecodecs

from weldbench.errors import BadFrameError
from weldbench.ingest.formats.samples import Color, Contents, Samples, check_size, not_read, one

STREAM_START = b"\xff\x4f\xff\x51"
BOX_START = b"\x00\x00\x00\x0cjP  \r\n\x87\n"

_SIZE = struct.Struct(">HHIIIIIIIIH")  # the segment SIZ, up to the number of components
_COLORS: dict[int, Color] = {1: "gray", 2: "gray", 3: "rgb", 4: "rgb"}
_SRGB, _GRAY = 16, 17  # EnumCS of the box `colr`


def read(data: bytes) -> Contents:
    """Read the picture of a JPEG 2000 file.

    Raises:
        BadFrameError: It is too large or damaged, or of a kind without gray levels.
    """
    start = data.find(STREAM_START)
    if start < 0:
        raise BadFrameError("it is a damaged picture (JPEG 2000 without a stream)")
    if start:
        _check_boxes(data[:start])
    _, _, right, bottom, left, top, *_, components = _SIZE.unpack_from(data, start + 4)
    check_size(right - left, bottom - top)
    kinds = {struct.unpack_from(">BBB", data, start + 4 + _SIZE.size + 3 * number) for number in range(components)}
    signed_and_depth = kinds.pop()[0]
    bits = signed_and_depth % 128 + 1
    if kinds or components not in _COLORS:
        raise not_read(f"JPEG 2000 of {components} unlike components")
    if signed_and_depth >= 128 or bits > 16:
        raise not_read(f"JPEG 2000 with {'signed ' if signed_and_depth >= 128 else ''}{bits}-bit levels")
    levels = imagecodecs.jpeg2k_decode(data)
    return one(Samples(levels.reshape(bottom - top, right - left, components), 2**bits - 1, _COLORS[components]))


def _check_boxes(boxes: bytes) -> None:
    if b"pclr" in boxes:
        raise not_read("JPEG 2000 with a palette")
    color = boxes.find(b"colr")
    if color >= 0 and boxes[color + 4 : color + 5] == b"\1":  # else an ICC profile, which is not looked at
        space = int.from_bytes(boxes[color + 7 : color + 11], "big")
        if space not in {_SRGB, _GRAY}:
            raise not_read(f"JPEG 2000 with the color space {space}, which is neither sRGB nor gray")
