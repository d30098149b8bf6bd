"""Every kind of TIFF that Pillow, OpenCV and tifffile write; the greater part of picture_kinds.py's list."""

import io
import itertools
from collections.abc import Iterator

import cv2
import numpy as np
import tifffile
from picture_files import big_endian_tiff, levels, opencv, pillow, tiff, with_alpha
from picture_references import (
    BLACK_AND_WHITE,
    BOTH,
    COLOR,
    COLORS,
    GRAY,
    IGNORED,
    INDICES,
    LOSSY,
    PALETTE,
    Kind,
    gray,
    read,
    refused,
)
from PIL import Image


def tiff_kinds() -> Iterator[Kind]:
    layouts = [{}, {"rowsperstrip": 5}, {"rowsperstrip": 5, "predictor": True}, {"tile": (16, 32)}]
    for picture, order, layout in itertools.product(BOTH, "<>", layouts):
        white = np.iinfo(picture.levels.dtype).max
        is_color = picture.levels.ndim == 3
        for compression in (None, "lzw", "zlib", "packbits", "lzma", "zstd"):
            if "predictor" in layout and compression in {None, "packbits"}:
                continue
            options = {"byteorder": order, "compression": compression, **layout}
            made_by = f"tifffile {options}"
            data = tiff(picture.levels, photometric="rgb" if is_color else "minisblack", **options)
            yield read("TIFF", picture, made_by, data)
            if is_color:
                planes = np.moveaxis(picture.levels, 2, 0)
                data = tiff(planes, photometric="rgb", planarconfig="separate", **options)
                yield read("TIFF", picture, f"{made_by}, planes", data)
            else:
                data = tiff(white - picture.levels, photometric="miniswhite", **options)
                yield read("TIFF", picture, made_by, data, suffix=", 0 is white", also=", inverted")
    for picture, compression in itertools.product(BOTH, (1, 5, 8, 32773)):
        options = (cv2.IMWRITE_TIFF_COMPRESSION, compression)
        yield read("TIFF", picture, f"OpenCV {compression}", opencv(picture.levels, ".tif", *options))
    for picture in (BLACK_AND_WHITE, PALETTE, GRAY[8], GRAY[16], COLOR[8]):
        for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
            data = pillow(picture.levels, "TIFF", compression=compression)
            yield read("TIFF", picture, f"Pillow {compression}", data)
    for compression in ("group3", "group4"):
        data = pillow(BLACK_AND_WHITE.levels, "TIFF", compression=compression)
        yield read("TIFF", BLACK_AND_WHITE, f"Pillow {compression}", data)
    for maker in (_lossy, _channels, _packed, _not_read):
        yield from maker()


def _lossy() -> Iterator[Kind]:
    for picture, photometric in ((GRAY[8], "minisblack"), (COLOR[8], "rgb")):
        data = pillow(picture.levels, "TIFF", compression="jpeg", quality=95)
        yield read("TIFF", picture, "Pillow", data, LOSSY, suffix=", JPEG inside")
        for layout in ({}, {"rowsperstrip": 16}, {"tile": (16, 32)}):
            data = tiff(picture.levels, photometric=photometric, compression="jpeg", **layout)
            yield read("TIFF", picture, f"tifffile {layout}", data, LOSSY, suffix=", JPEG inside")
    data = pillow(Image.fromarray(COLOR[8].levels).convert("YCbCr"), "TIFF")
    yield read("TIFF", COLOR[8], "Pillow", data, 2, suffix=", YCbCr")


def _channels() -> Iterator[Kind]:
    for picture in BOTH:
        common = {"photometric": "rgb" if picture.levels.ndim == 3 else "minisblack", "planarconfig": "contig"}
        for opaque in (True, False):
            pixels = with_alpha(picture.levels, opaque)
            data = tiff(pixels, extrasamples=["unassalpha"], **common)
            yield read("TIFF", picture, f"tifffile, {opaque}", data, suffix=" with alpha", also=IGNORED)
            data = tiff(pixels, extrasamples=["unspecified"], **common)
            yield read(
                "TIFF", picture, f"tifffile, {opaque}", data, suffix=" and one more channel", also=", that left out"
            )
        data = tiff(with_alpha(picture.levels, True), extrasamples=["assocalpha"], **common)
        yield read("TIFF", picture, "tifffile", data, suffix=" with opaque premultiplied alpha")
        data = tiff(with_alpha(picture.levels, False), extrasamples=["assocalpha"], **common)
        words = "transparency multiplied into its levels"
        yield refused("TIFF", f"{picture.kind} with premultiplied alpha", "tifffile", data, words)
    for picture, order in itertools.product(COLOR.values(), "<>"):
        inks = with_alpha(np.iinfo(picture.levels.dtype).max - picture.levels, True)
        inks[..., 3] = 0  # no black
        data = tiff(inks, photometric="separated", byteorder=order)
        yield read("TIFF", picture, f"tifffile {order}", data, suffix=", CMYK")
    for step in (1, 256, 257):  # what programs make of the standard's 16-bit colors
        colormap = np.zeros((3, 256), np.uint16)
        colormap[:, : len(COLORS)] = COLORS.T * np.uint16(step)
        yield read("TIFF", PALETTE, f"tifffile {step}", tiff(INDICES, photometric="palette", colormap=colormap))
    preview = io.BytesIO()
    with tifffile.TiffWriter(preview, bigtiff=True) as file:
        file.write(GRAY[16].levels, photometric="minisblack")
        file.write(GRAY[16].levels[::2, ::2], photometric="minisblack", subfiletype=1)
    yield read("TIFF", GRAY[16], "tifffile, BigTIFF with a preview", preview.getvalue())
    raw = io.BytesIO()
    with tifffile.TiffWriter(raw) as file:
        file.write(GRAY[8].levels[::2, ::2], photometric="minisblack", subfiletype=1, subifds=1)
        file.write(GRAY[8].levels, photometric="minisblack")
    words = "TIFF with a preview in front of its picture"
    yield refused("TIFF", "a preview in front of the picture, as in raw files", "tifffile", raw.getvalue(), words)


def _packed() -> Iterator[Kind]:
    for bits, black_is_zero in itertools.product((1, 2, 4, 10, 12, 14), (True, False)):
        picture = gray(bits)._replace(kind="1- to 14-bit gray, packed")
        stored = picture.levels if black_is_zero else 2**bits - 1 - picture.levels
        photometric = "minisblack" if black_is_zero else "miniswhite"
        files = {
            "tifffile": tiff(stored, bitspersample=bits, photometric=photometric),
            "big-endian": big_endian_tiff(stored, bits, tag_262=int(black_is_zero)),
            "low bit first": big_endian_tiff(stored, bits, low_bit_first=True, tag_262=int(black_is_zero)),
        }
        for made_by, data in files.items():
            other = {} if black_is_zero else {"suffix": ", 0 is white", "also": ", inverted"}
            yield read("TIFF", picture, f"{made_by}, {bits}", data, **other)


def _not_read() -> Iterator[Kind]:
    for dtype, order in itertools.product(("i1", "i2", "i4", "u4", "u8", "f2", "f4", "f8", "c8"), "<>"):
        name = {"i": "signed", "u": "unsigned", "f": "floating-point", "c": "complex"}[dtype[0]]
        data = tiff(levels(7).astype(dtype), photometric="minisblack", byteorder=order)
        bits = 8 * int(dtype[1])
        words = f"it has {bits}-bit levels ({name} TIFF), a kind that is not read"
        yield refused("TIFF", f"{bits}-bit {name}", f"tifffile {order}", data, words)
    lab = Image.merge("LAB", [Image.fromarray(levels(8, seed=seed)) for seed in range(3)])
    yield refused("TIFF", "CIELab", "Pillow", pillow(lab, "TIFF"), "TIFF with CIELAB color")
    deep = COLOR[16].levels
    yield refused("TIFF", "raw color mosaic", "tifffile", tiff(levels(16), photometric="cfa"), "TIFF with CFA color")
    data = tiff(deep, photometric="minisblack", planarconfig="contig")
    words = "TIFF of 3 channels that are not said to be a color"
    yield refused("TIFF", "channels of no color", "tifffile", data, words)
    data = big_endian_tiff(levels(8), 8, tag_262=None)
    words = "TIFF that does not say whether 0 is black or white"
    yield refused("TIFF", "not said whether 0 is black or white", "by hand", data, words)
    data = tiff(with_alpha(COLOR[8].levels, True), photometric="separated", extratags=[(332, 3, 1, 2, True)])
    yield refused("TIFF", "inks other than CMYK", "tifffile", data, "TIFF with inks other than CMYK")
    data = tiff(COLOR[8].levels, photometric="rgb").replace(b"\x06\x01\x03\0\1\0\0\0\2", b"\x06\x01\x03\0\1\0\0\0\6")
    yield refused("TIFF", "8-bit color, subsampled YCbCr", "by hand", data, "TIFF with subsampled YCbCr color")
    for codec in ("jpegxl", "jpeg2000", "webp"):
        data = tiff(COLOR[8].levels, photometric="rgb", compression=codec)
        yield refused(
            "TIFF", "JPEG XL, JPEG 2000 or WebP inside", codec, data, f"TIFF with {codec.upper()} compression"
        )
