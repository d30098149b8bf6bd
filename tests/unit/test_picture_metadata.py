"""Metadata never changes pixels, save for the orientation, and damage to it costs no picture."""

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
import tifffile
from picture_files import chunk, levels, pillow, png, tiff
from picture_references import LOSSY
from PIL import Image, ImageOps

from weldbench.ingest.decode import decode

GRAY = levels(8)


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[274] = orientation
    return tags


PREVIEW = Image.new("L", (9, 9))
ORIENTED: dict[str, Callable[[int], bytes]] = {
    "JPEG": lambda number: pillow(GRAY, "JPEG", quality=95, exif=exif(number)),
    "MPO": lambda number: pillow(
        Image.fromarray(GRAY),
        "MPO",
        quality=95,
        exif=exif(number),
        save_all=True,
        append_images=[Image.new("L", (9, 9))],
    ),
    "PNG": lambda number: pillow(GRAY, "PNG", exif=exif(number)),
    "16-bit color PNG": lambda number: png(
        np.stack([GRAY.astype(np.uint16) * 257] * 3, axis=2), 2, chunks=chunk(b"eXIf", exif(number).tobytes()[6:])
    ),
    "WebP": lambda number: pillow(np.stack([GRAY] * 3, axis=2), "WEBP", lossless=True, exif=exif(number)),
    "AVIF": lambda number: pillow(np.stack([GRAY] * 3, axis=2), "AVIF", quality=95, exif=exif(number)),
    "TIFF": lambda number: tiff(GRAY, extratags=[(274, 3, 1, number, True)]),
    "TIFF of Pillow": lambda number: pillow(GRAY, "TIFF", exif=exif(number)),
    "TIFF with JPEG": lambda number: tiff(GRAY, compression="jpeg", extratags=[(274, 3, 1, number, True)]),
    "TIFF as YCbCr": lambda number: pillow(
        Image.fromarray(np.stack([GRAY] * 3, axis=2)).convert("YCbCr"), "TIFF", exif=exif(number)
    ),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ORIENTED)
def test_an_orientation_turns_every_format_alike(kind: str, orientation: int) -> None:
    image = Image.fromarray(GRAY)
    image.getexif()[274] = orientation
    upright = np.asarray(ImageOps.exif_transpose(image))
    picture = decode(ORIENTED[kind](orientation))
    assert picture.gray.shape == upright.shape
    assert np.abs(picture.gray / (257 if picture.gray.dtype == np.uint16 else 1) - upright).max() <= LOSSY
    assert ("turned upright" in picture.conversion) == (orientation != 1)


@pytest.mark.parametrize("kind", ORIENTED)
@pytest.mark.parametrize("orientation", [0, 9, 255, 65535])
def test_an_orientation_that_means_nothing_is_upright(kind: str, orientation: int) -> None:
    assert decode(ORIENTED[kind](orientation)).gray.shape == GRAY.shape


NOISE = np.random.default_rng(0).integers(0, 256, 300, dtype=np.uint8).tobytes()
CHUNKS = {
    "gamma": chunk(b"gAMA", struct.pack(">I", 220000)),
    "short gamma": chunk(b"gAMA", b"x"),
    "sRGB": chunk(b"sRGB", b"\3"),
    "chromaticities": chunk(b"cHRM", NOISE[:32]),
    "broken profile": chunk(b"iCCP", NOISE),
    "broken text": chunk(b"tEXt", NOISE),
    "broken packed text": chunk(b"zTXt", b"a\0\0" + NOISE) + chunk(b"iTXt", b"a\0\1\0\0\0" + NOISE),
    "broken EXIF": chunk(b"eXIf", b"MM\0*" + NOISE),
    "significant bits": chunk(b"sBIT", b"\4\4\4"),
    "background": chunk(b"bKGD", NOISE[:6]),
    "resolution": chunk(b"pHYs", b"x") + chunk(b"tIME", NOISE[:3]),
    "wrong checksum": chunk(b"tEXt", b"a\0b")[:-1] + b"?",
    "animation of nothing": chunk(b"acTL", NOISE[:8]),
    "unknown": chunk(b"weLd", NOISE),
}


@pytest.mark.parametrize("name", CHUNKS)
@pytest.mark.parametrize(
    ("pixels", "color_type"), [(GRAY, 0), (levels(16), 0), (levels(8, 3), 2), (levels(16, 3), 2), (levels(16, 2), 4)]
)
def test_no_chunk_of_a_png_changes_pixels(name: str, pixels: np.ndarray, color_type: int) -> None:
    plain = decode(png(pixels, color_type))
    assert np.array_equal(decode(png(pixels, color_type, chunks=CHUNKS[name])).gray, plain.gray)


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


SEGMENTS = {
    "broken EXIF": segment(0xE1, b"Exif\0\0MM\0*" + NOISE),
    "empty EXIF": segment(0xE1, b"Exif\0"),
    "broken XMP": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<" + NOISE),
    "broken profile": segment(0xE2, b"ICC_PROFILE\0\1\1" + NOISE),
    "broken index of pictures": segment(0xE2, b"MPF\0" + NOISE),
    "broken Photoshop data": segment(0xED, b"Photoshop 3.0\0" + NOISE),
    "short JFIF": segment(0xE0, b"JFIF\0"),
    "short Adobe": segment(0xEE, b"Adobe"),
    "comments": segment(0xFE, b"") + segment(0xFE, NOISE),
    "unknown": segment(0xEF, NOISE) + segment(0xE5, b""),
    "filling bytes": b"\xff\xff\xff" + segment(0xFE, b"x"),
}


@pytest.mark.parametrize("name", SEGMENTS)
@pytest.mark.parametrize("pixels", [GRAY, levels(8, 3)], ids=["gray", "color"])
def test_no_segment_of_a_jpeg_changes_pixels(name: str, pixels: np.ndarray) -> None:
    plain = pillow(pixels, "JPEG")
    assert np.array_equal(decode(plain[:2] + SEGMENTS[name] + plain[2:]).gray, decode(plain).gray)


@pytest.mark.parametrize("compression", [None, "lzw", "jpeg"])
@pytest.mark.parametrize("damage", ["type", "count", "value"])
def test_no_metadata_of_a_tiff_changes_pixels(compression: str | None, damage: str) -> None:
    """Damage every tag that tells nothing about the pixels, one after the other."""
    profile = (34675, 7, len(NOISE), NOISE, True)
    texts = {"description": "a weld " * 9, "software": "camera " * 9, "datetime": "2016:07:08 14:03:02"}
    data = tiff(GRAY, compression=compression, resolution=(99, 99), extratags=[profile], metadata=None, **texts)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tags = {tag.code: tag.offset for tag in file.pages[0].tags}
    plain = decode(data).gray
    told_nothing = {270, 282, 283, 296, 305, 306, 34675}
    assert told_nothing <= tags.keys()
    for code in told_nothing:
        place = tags[code] + {"type": 2, "count": 4, "value": 8}[damage]
        for garbage in (b"\xff\xff", b"\0\0", b"\x0d\0"):
            damaged = data[:place] + garbage + data[place + 2 :]
            assert np.array_equal(decode(damaged).gray, plain), code


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow's, when it writes them
@pytest.mark.parametrize(("file_format", "options"), [("WEBP", {"lossless": True}), ("AVIF", {"quality": 95})])
def test_no_metadata_of_webp_and_avif_changes_pixels(file_format: str, options: dict[str, object]) -> None:
    color = levels(8, 3)
    metadata = {"exif": b"Exif\0\0MM\0*" + NOISE, "icc_profile": NOISE, "xmp": NOISE}
    plain = decode(pillow(color, file_format, **options)).gray
    for name, content in metadata.items():
        assert np.array_equal(decode(pillow(color, file_format, **options, **{name: content})).gray, plain), name


def test_exif_data_that_cannot_be_read_is_told() -> None:
    data = pillow(GRAY, "JPEG")
    broken = data[:2] + segment(0xE1, b"Exif\0\0XX no TIFF at all") + data[2:]
    assert decode(broken).conversion == "EXIF data that cannot be read, so the frame is taken as upright"
