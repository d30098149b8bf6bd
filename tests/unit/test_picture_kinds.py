"""The same picture gives the same gray levels in every kind of file, whatever its metadata, or is refused by name."""

import io
import struct
import warnings
from collections.abc import Callable

import numpy as np
import picture_kinds
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import chunk, levels, pillow, png, tiff
from picture_kinds import all_kinds
from picture_references import Kind
from PIL import Image, ImageOps

from weldbench.errors import BadFrameError
from weldbench.ingest.decode import decode, pictures

KINDS = all_kinds()
ONE_OF_EACH = list({(kind.file_format, kind.kind): kind for kind in KINDS}.values())
GRAY = levels(8)
ROUNDING = 0.501  # half a level, and a 257th for what was rounded before


def of_255(gray: np.ndarray) -> np.ndarray:
    return gray / (257 if gray.dtype == np.uint16 else 1)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind(kind: Kind) -> None:
    if kind.expected is None:
        with pytest.raises(BadFrameError) as refusal:
            decode(kind.data)
        assert kind.result in str(refusal.value)
        return
    picture = decode(kind.data)
    assert picture.gray.shape == kind.expected.shape
    assert np.abs(of_255(picture.gray) - kind.expected).max() <= max(kind.tolerance, ROUNDING)
    assert ("luminance" in kind.result) == ("luminance" in picture.conversion)
    if "transparency" in picture.conversion:
        assert "transparency ignored" in kind.result
    if "with a transparent color" in kind.kind:
        assert "transparency ignored" in picture.conversion


def test_refusals_say_what_to_do() -> None:
    for kind in KINDS:
        if kind.expected is None:
            with pytest.raises(BadFrameError, match=r"; save it as an 8- or 16-bit gray PNG or TIFF|; write each into"):
                decode(kind.data)


def test_the_table_in_the_documentation_is_this_list() -> None:
    text = picture_kinds.DOCUMENT.read_text(encoding="utf-8")
    written = text.split(picture_kinds.BEGIN)[1].split(picture_kinds.END)[0]
    assert written == picture_kinds.table(), "run: python tests/picture_kinds.py"


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
    assert np.abs(of_255(picture.gray) - upright).max() <= picture_kinds.LOSSY
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


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_luminance_is_that_of_pillow(seed: int) -> None:
    color = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(color).convert("L"))
    for data in (pillow(color, "PNG"), tiff(color, photometric="rgb"), pillow(color, "PPM")):
        assert np.array_equal(decode(data).gray, expected)


def test_dark_colors_are_told_like_dark_grays() -> None:
    for pixels, color_type in ((levels(12), 0), (levels(12, 3), 2)):
        assert "none is above 4,095, which leaves the frame dark" in decode(png(pixels, color_type)).conversion
        data = tiff(pixels, photometric="rgb" if color_type else "minisblack")
        assert "none is above 4,095, which leaves the frame dark" in decode(data).conversion


@pytest.mark.parametrize("file_format", ["PNG", "GIF", "WEBP", "AVIF", "TIFF"])
def test_pictures_takes_a_film_apart(file_format: str) -> None:
    film = [GRAY, GRAY[::-1], GRAY[:, ::-1]]
    first, *others = map(Image.fromarray, film)
    lossless = {"lossless": True} if file_format == "WEBP" else {}
    data = pillow(first, file_format, save_all=True, append_images=others, **lossless)
    found = [picture.gray for picture in pictures(data)]
    assert len(found) == len(film)
    for gray, expected in zip(found, film, strict=True):
        assert np.abs(of_255(gray) - expected).max() <= (picture_kinds.LOSSY if file_format == "AVIF" else ROUNDING)


def test_pictures_of_a_single_one() -> None:
    assert [picture.gray.tolist() for picture in pictures(pillow(GRAY, "PNG"))] == [GRAY.tolist()]


def damaged(data: bytes, random: np.random.Generator) -> bytes:
    """Cut a file off, or change a few bytes: anywhere, in its header, or at its end."""
    changed = np.frombuffer(data, np.uint8).copy()
    way = random.integers(4)
    if way == 0:
        return data[: random.integers(len(data))]
    first, last = ((0, len(data)), (0, min(200, len(data))), (max(0, len(data) - 300), len(data)))[way - 1]
    places = random.integers(first, last, random.integers(1, 6))
    changed[places] = np.where(
        random.random(len(places)) < 0.5,
        random.choice([0, 255], len(places)),
        changed[places] ^ 1 << random.integers(8),
    )
    return changed.tobytes()


@pytest.mark.parametrize("kind", ONE_OF_EACH, ids=lambda kind: f"{kind.file_format}, {kind.kind}")
def test_damage_ends_in_a_picture_or_a_bad_frame(kind: Kind, capfd: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(len(kind.data))
    with warnings.catch_warnings(action="error"):
        for _ in range(40):
            data = damaged(kind.data, random)
            try:
                gray = decode(data).gray
            except BadFrameError:
                continue
            assert gray.ndim == 2
            assert gray.dtype in (np.uint8, np.uint16)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ONE_OF_EACH, ids=lambda kind: f"{kind.file_format}, {kind.kind}")
def test_noise_behind_a_true_beginning(kind: Kind, capfd: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(len(kind.data))
    for length in (0, 1, 4, 12, 40, 400):
        try:
            gray = decode(kind.data[: random.integers(2, 60)] + random.bytes(length)).gray
        except BadFrameError:
            continue
        assert gray.ndim == 2
    assert capfd.readouterr() == ("", "")


HUGE = struct.pack("<I", 60_000)
BOMBS = {
    "PNG": png(GRAY, 0)[:16] + struct.pack(">II", 60_000, 60_000) + png(GRAY, 0)[24:],
    "BMP": pillow(GRAY, "BMP")[:18] + HUGE * 2 + pillow(GRAY, "BMP")[26:],
    "GIF": pillow(GRAY, "GIF")[:6] + struct.pack("<HH", 60_000, 60_000) + pillow(GRAY, "GIF")[10:],
    "PGM": b"P5 60000 60000 255\n" + bytes(100),
    "PPM": b"P3 60000 60000 255\n1 2 3",
    "PAM": b"P7\nWIDTH 60000\nHEIGHT 60000\nDEPTH 4\nMAXVAL 255\nENDHDR\n",
    "JPEG": pillow(GRAY, "JPEG").replace(struct.pack(">HH", *GRAY.shape), struct.pack(">HH", 60_000, 60_000)),
    "JPEG 2000": pillow(GRAY, "JPEG2000", no_jp2=True).replace(
        struct.pack(">II", *GRAY.shape[::-1]), struct.pack(">II", 60_000, 60_000)
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_size_beyond_all_measure_is_refused_by_the_header(name: str) -> None:
    with pytest.raises(BadFrameError, match=r"it declares .* pixels; 64000000 is the most that is read"):
        decode(BOMBS[name])


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd", "lzma", "jpeg"])
@pytest.mark.parametrize("tag", ["image", "tile"])
def test_a_size_beyond_all_measure_in_a_tiff(compression: str | None, tag: str) -> None:
    data = bytearray(tiff(GRAY, compression=compression, tile=(16, 16)))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        for code in (256, 257) if tag == "image" else (322, 323):
            place = file.pages[0].tags[code].offset
            data[place + 2 : place + 12] = struct.pack("<HII", 4, 1, 60_000)
    with pytest.raises(BadFrameError, match="it declares 60000x60000 pixels"):
        decode(bytes(data))


def test_a_jpeg_in_a_tiff_that_is_larger_than_its_tile() -> None:
    data = tiff(GRAY, compression="jpeg")
    larger = data.replace(b"\x08" + struct.pack(">HH", *GRAY.shape), b"\x08" + struct.pack(">HH", 60_000, 60_000))
    assert larger != data
    with pytest.raises(BadFrameError, match="it declares 60000x60000 pixels"):
        decode(larger)
