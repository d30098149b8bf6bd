"""The same picture gives the same gray levels in every kind of file, whatever its metadata, or is refused by name."""

import numpy as np
import picture_kinds
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import levels, pillow, png, tiff
from picture_kinds import all_kinds
from picture_references import Kind
from PIL import Image

from weldbench.errors import BadFrameError
from weldbench.ingest.decode import decode, pictures

KINDS = all_kinds()
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
    assert ("more channel" in kind.kind) == ("a channel that is no color left out" in picture.conversion)


def test_refusals_say_what_to_do() -> None:
    for kind in KINDS:
        if kind.expected is None:
            with pytest.raises(BadFrameError, match=r"; save it as an 8- or 16-bit gray PNG or TIFF|; write each into"):
                decode(kind.data)


def test_the_table_in_the_documentation_is_this_list() -> None:
    text = picture_kinds.DOCUMENT.read_text(encoding="utf-8")
    written = text.split(picture_kinds.BEGIN)[1].split(picture_kinds.END)[0]
    assert written == picture_kinds.table(), "run: python tests/picture_kinds.py"


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
