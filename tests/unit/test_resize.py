from fractions import Fraction

import numpy as np
from archives import picture
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from weldbench.data.resize import area_mean


def exact_area_mean(gray: np.ndarray, size_px: int) -> np.ndarray:
    """The definition, summed pixel by pixel in fractions."""
    height, width = gray.shape
    levels = 257 if gray.dtype == np.uint16 else 1
    result = np.empty((size_px, size_px), dtype=np.uint8)
    for row in range(size_px):
        for column in range(size_px):
            top, bottom = Fraction(row * height, size_px), Fraction((row + 1) * height, size_px)
            left, right = Fraction(column * width, size_px), Fraction((column + 1) * width, size_px)
            total = Fraction(0)
            for y in range(int(top), -int(-bottom // 1)):
                for x in range(int(left), -int(-right // 1)):
                    share = (min(bottom, y + 1) - max(top, y)) * (min(right, x + 1) - max(left, x))
                    total += share * int(gray[y, x])
            mean = total / ((bottom - top) * (right - left) * levels)
            result[row, column] = int(mean + Fraction(1, 2))
    return result


def test_area_mean_by_hand() -> None:
    # Three pixels on two areas: the middle one counts half in each. (10 + 40/2)/1.5 = 20, (40/2 + 100)/1.5 = 80.
    gray = np.array([[10, 40, 100]] * 3, dtype=np.uint8)
    assert area_mean(gray, 2).tolist() == [[20, 80], [20, 80]]


def test_area_mean_rounds_half_up() -> None:
    assert area_mean(np.array([[0, 1], [0, 1]], dtype=np.uint8), 1).tolist() == [[1]]
    assert area_mean(np.array([[0, 1], [0, 0]], dtype=np.uint8), 1).tolist() == [[0]]


@settings(max_examples=40, deadline=None)
@given(
    gray=npst.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)))
    | npst.arrays(np.uint16, st.tuples(st.integers(1, 12), st.integers(1, 12))),
    size_px=st.integers(1, 9),
)
def test_area_mean_is_exact(gray: np.ndarray, size_px: int) -> None:
    assert area_mean(gray, size_px).tolist() == exact_area_mean(gray, size_px).tolist()


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000), factor=st.integers(1, 9), size_px=st.integers(1, 30))
def test_area_mean_is_that_of_pillow_at_whole_factors(seed: int, factor: int, size_px: int) -> None:
    gray = picture(seed, factor * size_px, factor * size_px)
    expected = np.asarray(Image.fromarray(gray).resize((size_px, size_px), Image.Resampling.BOX)).astype(int)
    assert np.abs(area_mean(gray, size_px) - expected).max() <= 1


def test_white_frames_of_any_size_stay_white() -> None:
    # The largest sums: 32 bit would overflow for the second and third.
    for height, width in ((700, 1280), (2100, 2000), (3000, 4000)):
        assert (area_mean(np.full((height, width), 255, dtype=np.uint8), 7) == 255).all()
    assert (area_mean(np.full((3000, 2000), 65535, dtype=np.uint16), 7) == 255).all()
