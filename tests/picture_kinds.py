"""Every kind of picture file that Pillow, OpenCV and tifffile write, and the gray levels that each must give.

`python tests/picture_kinds.py` writes the table of docs/datasets.md from this list.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
from picture_files import HEIGHT, WIDTH, chunk, levels, opencv, pillow, png, tiff, with_alpha
from picture_kinds_tiff import tiff_kinds
from picture_references import (
    BLACK_AND_WHITE,
    BOTH,
    COLOR,
    GRAY,
    IGNORED,
    LOSSY,
    LUMINANCE,
    PALETTE,
    Kind,
    color,
    gray,
    read,
    refused,
)
from PIL import Image

DOCUMENT = Path(__file__).parents[1] / "docs" / "datasets.md"
BEGIN, END = "<!-- what is read -->\n", "<!-- end -->"


def all_kinds() -> list[Kind]:
    makers = (_png, tiff_kinds, _bmp, _netpbm, _jpeg, _jpeg2000, _web, _refused)
    return [kind for maker in makers for kind in maker()]


def _png() -> Iterator[Kind]:
    for picture in (BLACK_AND_WHITE, PALETTE, GRAY[8], GRAY[16], COLOR[8]):
        yield read("PNG", picture, "Pillow", pillow(picture.levels, "PNG"))
    data = pillow(PALETTE.levels, "PNG", transparency=5)
    yield read("PNG", PALETTE, "Pillow", data, suffix=" with a transparent color", also=IGNORED)
    for picture in BOTH:
        yield read("PNG", picture, "OpenCV", opencv(picture.levels, ".png"))
        color_type = 2 if picture.levels.ndim == 3 else 0
        for interlaced in (False, True):
            made_by = f"by hand, interlaced={interlaced}"
            yield read("PNG", picture, made_by, png(picture.levels, color_type, interlaced))
            for opaque in (True, False):
                data = png(with_alpha(picture.levels, opaque), color_type + 4, interlaced)
                yield read("PNG", picture, f"{made_by}, {opaque}", data, suffix=" with alpha", also=IGNORED)
    for picture, color_type, key in ((GRAY[8], 0, b"\0\x09"), (GRAY[16], 0, b"\x33\x33"), (COLOR[16], 2, b"\x33" * 6)):
        first = picture.levels.copy()
        first[0, 0] = 9 if key[1] == 9 else 0x3333
        seen = picture.expected.copy()
        seen[0, 0] = 9 if key[1] == 9 else 0x33
        data = png(first, color_type, chunks=chunk(b"tRNS", key))
        other = {"suffix": " with a transparent color", "also": IGNORED}
        yield read("PNG", picture._replace(expected=seen), "by hand", data, **other)
    for picture in COLOR.values():
        data = opencv(with_alpha(picture.levels, False), ".png")
        yield read("PNG", picture, "OpenCV", data, suffix=" with alpha", also=IGNORED)


def _bmp() -> Iterator[Kind]:
    for picture in (BLACK_AND_WHITE, PALETTE, GRAY[8], COLOR[8]):
        yield read("BMP", picture, "Pillow", pillow(picture.levels, "BMP"))
    for picture in (GRAY[8], COLOR[8]):
        yield read("BMP", picture, "OpenCV", opencv(picture.levels, ".bmp"))
    for opaque in (True, False):
        pixels = with_alpha(COLOR[8].levels, opaque)
        for made_by, data in (("Pillow", pillow(pixels, "BMP")), ("OpenCV", opencv(pixels, ".bmp"))):
            yield read("BMP", COLOR[8], f"{made_by}, {opaque}", data, suffix=" with alpha", also=IGNORED)


def _netpbm() -> Iterator[Kind]:
    name = "PBM, PGM, PPM, PAM"
    for picture in (BLACK_AND_WHITE, GRAY[8], GRAY[16], COLOR[8]):
        yield read(name, picture, "Pillow", pillow(picture.levels, "PPM"))
    for picture, binary in itertools.product(BOTH, (0, 1)):
        suffix = ".ppm" if picture.levels.ndim == 3 else ".pgm"
        data = opencv(picture.levels, suffix, cv2.IMWRITE_PXM_BINARY, binary)
        yield read(name, picture, f"OpenCV, binary={binary}", data)
    yield read(name, GRAY[8], "OpenCV, PAM", opencv(GRAY[8].levels, ".pam"))
    for bits, make in itertools.product((2, 4, 10, 12), (gray, color)):
        picture = make(bits)
        stored = picture.levels.astype(">u2" if bits > 8 else "u1").tobytes()
        header = b"P%d\n# a comment\n%d %d\n%d\n" % (5 if make is gray else 6, WIDTH, HEIGHT, 2**bits - 1)
        few = picture._replace(kind=picture.kind.replace(f"{bits}-bit", "declared 2- to 14-bit"))
        yield read(name, few, f"by hand, {bits}", header + stored, 0.6 if bits < 8 else 0)


def _jpeg() -> Iterator[Kind]:
    for picture in (GRAY[8], COLOR[8]):
        yield read("JPEG", picture, "OpenCV", opencv(picture.levels, ".jpg"), LOSSY)
        for options in ({}, {"progressive": True}, {"subsampling": 0}, {"keep_rgb": True}):
            data = pillow(picture.levels, "JPEG", quality=95, **options)
            yield read("JPEG", picture, f"Pillow {options}", data, LOSSY)
    inks = with_alpha(255 - COLOR[8].levels, True)
    inks[..., 3] = 0
    data = pillow(Image.fromarray(inks, "CMYK"), "JPEG", quality=95)
    yield read("JPEG", COLOR[8], "Pillow", data, LOSSY, suffix=", CMYK")
    behind = [Image.fromarray(255 - COLOR[8].levels)]
    data = pillow(COLOR[8].levels, "MPO", save_all=True, append_images=behind, quality=95)
    suffix, also = ", with previews or other views behind (MPO)", ", the first picture is read"
    yield read("JPEG", COLOR[8], "Pillow", data, LOSSY, suffix=suffix, also=also)
    data = imagecodecs.jpeg_encode(levels(12), bitspersample=12)
    yield refused("JPEG", "12-bit gray", "imagecodecs", data, "JPEG with 12-bit levels")


def _jpeg2000() -> Iterator[Kind]:
    for bits, make, alpha, codec in itertools.product((1, 4, 8, 10, 12, 16), (gray, color), (0, 1), ("jp2", "j2k")):
        picture = make(bits)
        if bits not in {8, 16}:
            picture = picture._replace(kind=picture.kind.replace(f"{bits}-bit", "1- to 15-bit"))
        pixels = picture.levels
        other = {}
        if alpha:
            pixels = np.concatenate([pixels.reshape(HEIGHT, WIDTH, -1), levels(bits, seed=5)[..., None]], axis=2)
            other = {"suffix": " with alpha", "also": IGNORED}
        data = imagecodecs.jpeg2k_encode(pixels, level=0, reversible=True, bitspersample=bits, codecformat=codec)
        yield read("JPEG 2000", picture, f"imagecodecs {codec} {bits}", data, 0.6 if bits < 8 else 0, **other)
    data = imagecodecs.jpeg2k_encode(levels(7).astype(np.int16), level=0, reversible=True)
    yield refused("JPEG 2000", "signed", "imagecodecs", data, "JPEG 2000 with signed 16-bit levels")
    ycc = Image.fromarray(COLOR[8].levels).convert("YCbCr")
    words = "JPEG 2000 with the color space 18, which is neither sRGB nor gray"
    yield refused("JPEG 2000", "YCbCr", "Pillow", pillow(ycc, "JPEG2000"), words)
    for picture in (GRAY[8], GRAY[16], COLOR[8]):
        yield read("JPEG 2000", picture, "Pillow", pillow(picture.levels, "JPEG2000", irreversible=False))
    for picture in BOTH:
        data = opencv(picture.levels, ".jp2", cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000)
        yield read("JPEG 2000", picture, "OpenCV", data, 0.6)


def _web() -> Iterator[Kind]:
    """Yield the formats of web pages, which hold 8 bits, or are read at 8 bits."""
    gray_palette = GRAY[8]._replace(result=LUMINANCE)
    for picture, options in itertools.product((PALETTE, gray_palette), ({"interlace": 0}, {"interlace": 1})):
        yield read("GIF", picture, f"Pillow {options}", pillow(picture.levels, "GIF", **options))
    color_8 = COLOR[8]
    lossless = pillow(color_8.levels, "WEBP", lossless=True)
    yield read("WebP", color_8, "Pillow", lossless, suffix=", lossless")
    lossless = opencv(color_8.levels, ".webp", cv2.IMWRITE_WEBP_QUALITY, 101)
    yield read("WebP", color_8, "OpenCV", lossless, suffix=", lossless")
    yield read("WebP", color_8, "Pillow", pillow(color_8.levels, "WEBP", quality=95), LOSSY, suffix=", lossy")
    yield read("AVIF", color_8, "Pillow", pillow(color_8.levels, "AVIF", quality=95), LOSSY)
    for opaque in (True, False):
        pixels = with_alpha(color_8.levels, opaque)
        data = pillow(pixels, "WEBP", lossless=True, exact=True)
        yield read("WebP", color_8, f"Pillow, {opaque}", data, suffix=" with alpha, lossless", also=IGNORED)
        data = pillow(pixels, "AVIF", quality=95)
        yield read("AVIF", color_8, f"Pillow, {opaque}", data, LOSSY, suffix=" with alpha", also=IGNORED)
    for bits in (10, 12):
        picture = color(bits)._replace(kind="10- and 12-bit color")
        data = imagecodecs.avif_encode(picture.levels, level=95, bitspersample=bits)
        yield read("AVIF", picture, f"imagecodecs {bits}", data, LOSSY)


def _refused() -> Iterator[Kind]:
    """Yield films in one file, and what may lie among frames and is not read at all."""
    pages = [GRAY[8].levels, GRAY[8].levels[::-1], GRAY[8].levels[:, ::-1]]
    first, *others = map(Image.fromarray, pages)
    several = ("several pictures in one file", "it holds 3 pictures in one file")
    for name in ("PNG", "GIF", "WebP", "AVIF", "TIFF"):
        data = pillow(first, name.upper(), save_all=True, append_images=others)
        yield refused(name, several[0], "Pillow", data, several[1])
    data = tiff(np.stack(pages).astype(np.uint16) * 257, photometric="minisblack")
    yield refused("TIFF", several[0], "tifffile", data, several[1])
    data = tiff(np.stack(pages), imagej=True, truncate=True)
    yield refused("TIFF", several[0], "tifffile, as ImageJ", data, several[1])
    bright = (COLOR[8].levels / 255).astype(np.float32)
    yield refused("PFM", "any", "OpenCV", opencv(bright, ".pfm"), "floating-point PFM")
    yield refused("Radiance HDR", "any", "OpenCV", opencv(bright, ".hdr"), "Radiance HDR")
    yield refused("JPEG-LS", "any", "imagecodecs", imagecodecs.jpegls_encode(levels(8)), "JPEG-LS")
    yield refused("JPEG XL", "any", "imagecodecs", imagecodecs.jpegxl_encode(levels(8)), "JPEG XL")
    starts = {
        "HEIC": b"\0\0\0\x18ftypheic",
        "OpenEXR": b"v/1\x01",
        "Photoshop": b"8BPS",
        "a film": b"\0\0\0\x18ftypmp42",
    }
    for name, start in starts.items():
        yield refused(name, "any", "its first bytes", start + bytes(200), name)


def table() -> str:
    """Return the table of docs/datasets.md; kinds that differ only in how they are stored share a row."""
    rows = {}
    for kind in all_kinds():
        precision = "exact" if kind.tolerance < 1 else f"within {kind.tolerance:g} of 255 levels"
        result = f"refused: “{kind.result}”" if kind.expected is None else f"{kind.result} ({precision})"
        rows[kind.file_format, kind.kind] = result
    lines = [f"| {file_format} | {kind} | {result} |" for (file_format, kind), result in sorted(rows.items())]
    return "\n".join(["| format | kind | what becomes of it |", "|---|---|---|", *lines, ""])


if __name__ == "__main__":
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)
    DOCUMENT.write_text(before + BEGIN + table() + END + rest.split(END, 1)[1], encoding="utf-8")
