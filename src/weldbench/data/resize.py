"""Scaling of a picture to the size that a network takes: the exact area mean."""

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy import sparse

_BLOCK_ROWS = 32


def area_mean(gray: np.ndarray, size_px: int) -> np.ndarray:
    """Scale a picture to a square, each pixel the mean of the area of the original that it covers.

    Pixels of the original that lie in two areas count in each by their share. The shares are whole numbers of one
    small unit, so all sums are exact, in the narrowest integers that hold them, and are rounded once, half up.
    16-bit levels are scaled to 8 bit in the same rounding.

    Args:
        gray: uint8 or uint16, shape (height, width).
        size_px: Height and width of the result; enlarging works too.

    Returns:
        uint8, shape (size_px, size_px).

    Example:
        >>> area_mean(np.array([[0, 10, 20, 30], [40, 50, 60, 70]], np.uint8), 2)
        array([[ 5, 25],
               [45, 65]], dtype=uint8)
    """
    height, width = gray.shape
    peak, levels = (65535, 257) if gray.dtype == np.uint16 else (255, 1)
    # The sum of all shares in one area, down and across.
    down, across = height // math.gcd(height, size_px), width // math.gcd(width, size_px)
    narrow = np.min_scalar_type(peak * down)
    wide = np.min_scalar_type((2 * peak + levels) * down * across)
    summed_down = area_shares(height, size_px, narrow) @ gray.astype(narrow)
    sums = area_shares(width, size_px, wide) @ _transposed(summed_down, wide)
    divisor = down * across * levels
    return np.ascontiguousarray(((2 * sums + divisor) // (2 * divisor)).astype(np.uint8).T)


@functools.lru_cache(maxsize=8)
def area_shares(pixels: int, areas: int, dtype: np.dtype) -> "sparse.csr_array":
    """Length of each pixel within each of `areas` equal areas, in the largest unit that makes all of them whole.

    Returns:
        Shape (areas, pixels).
    """
    from scipy import sparse  # late: a training on frames of the stored size starts without it

    edges = np.unique(np.concatenate([np.arange(pixels + 1) * areas, np.arange(areas + 1) * pixels]))
    starts, lengths = edges[:-1], np.diff(edges) // math.gcd(pixels, areas)
    return sparse.csr_array((lengths.astype(dtype), (starts // pixels, starts // areas)), shape=(areas, pixels))


def _transposed(table: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Transpose in blocks of rows, which stay in the cache: twice as fast as numpy's own copy."""
    result = np.empty(table.shape[::-1], dtype=dtype)
    for start in range(0, len(table), _BLOCK_ROWS):
        result[:, start : start + _BLOCK_ROWS] = table[start : start + _BLOCK_ROWS].T
    return result
