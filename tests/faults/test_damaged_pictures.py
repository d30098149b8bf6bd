"""Damaged pictures and pictures that lie about their size: a picture or a bad frame, and nothing on the terminal."""

import io
import struct
import warnings

import numpy as np
import pytest
import tifffile
from picture_files import levels, pillow, png, tiff
from picture_kinds import all_kinds
from picture_references import Kind

from weldbench.errors import BadFrameError
from weldbench.ingest.decode import decode

ONE_OF_EACH = list({(kind.file_format, kind.kind): kind for kind in all_kinds()}.values())
GRAY = levels(8)


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
