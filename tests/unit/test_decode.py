import io

import numpy as np
import pytest
from archives import encoded, picture
from picture_files import tiff
from PIL import Image

from weldbench.data.resize import area_mean
from weldbench.errors import BadFrameError
from weldbench.ingest.decode import decode


def test_a_gray_png() -> None:
    gray = picture(1)
    assert np.array_equal(decode(encoded(gray)).gray, gray)
    assert decode(encoded(gray)).conversion == ""


@pytest.mark.parametrize("file_format", ["BMP", "TIFF"])
def test_other_formats_without_loss(file_format: str) -> None:
    assert np.array_equal(decode(encoded(picture(1), file_format)).gray, picture(1))


def test_jpeg() -> None:
    smooth = np.linspace(0, 255, 40 * 24).reshape(24, 40).astype(np.uint8)
    assert np.abs(decode(encoded(smooth, "JPEG")).gray.astype(int) - smooth).max() < 10


def test_color_becomes_luminance() -> None:
    # ITU-R BT.601: 0.299 red + 0.587 green + 0.114 blue.
    color = np.zeros((2, 3, 3), dtype=np.uint8)
    color[0] = [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
    color[1] = [[10, 10, 10], [255, 255, 255], [0, 0, 0]]
    decoded = decode(encoded(color))
    assert decoded.gray.tolist() == [[76, 150, 29], [10, 255, 0]]
    assert decoded.conversion == "color made gray by luminance"


def test_a_palette_is_looked_up() -> None:
    image = Image.fromarray(np.array([[0, 1], [2, 1]], dtype=np.uint8))
    image.putpalette([0, 0, 0, 100, 100, 100, 255, 255, 255])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    assert decode(buffer.getvalue()).gray.tolist() == [[0, 100], [255, 100]]


def test_16_bit_levels_are_scaled_with_the_mean() -> None:
    deep = np.array([[0, 65535], [257 * 7, 128]], dtype=np.uint16)
    decoded = decode(encoded(deep))
    assert decoded.gray.tolist() == deep.tolist()
    assert decoded.conversion == "16-bit levels scaled to 8 bit"
    assert area_mean(decoded.gray, 2).tolist() == [[0, 255], [7, 0]]


def test_16_bit_frames_of_a_camera_with_fewer_bits_are_told_apart() -> None:
    for highest, told in ((4095, ", though none is above 4,095, which leaves the frame dark"), (4096, "")):
        deep = np.array([[0, highest]], dtype=np.uint16)
        assert decode(encoded(deep)).conversion == f"16-bit levels scaled to 8 bit{told}"


def test_black_and_white_and_transparency() -> None:
    bits = Image.fromarray(np.array([[0, 255]], dtype=np.uint8)).convert("1")
    transparent = Image.merge("LA", [Image.fromarray(picture(1)), Image.fromarray(picture(2))])
    for image, expected in ((bits, [[0, 255]]), (transparent, picture(1).tolist())):
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        assert decode(buffer.getvalue()).gray.tolist() == expected


def test_a_pointer_of_git_lfs_is_told() -> None:
    with pytest.raises(BadFrameError, match="only a pointer of git-lfs to the picture; run `git lfs pull`"):
        decode(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")


def test_one_picture_of_a_stack_is_read_though_its_description_was_copied() -> None:
    gray = picture(1)
    assert (decode(tiff(gray, description="ImageJ=1.54f\nimages=3\nslices=3\n")).gray == gray).all()
