"""Tileable noise: the grain of the plates and the irregularity of everything else, made once per process."""

import functools
import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from weldbench.runtime.seeding import Stream, generator

SIZE = 512  # texels per side
LEVELS = 5  # each one is filtered for twice the pixel footprint of the one before
MATERIALS = ("sand", "cast", "brushed")
DETAILS = ("cloud", "streak", "flake", "turbulence")
_NAMES = MATERIALS + DETAILS
_TURNS = np.float32(64 * SIZE)


def lookup(texture: str, x: np.ndarray, y: np.ndarray, texels_per_px: float) -> NDArray[np.float32]:
    """Read a texture at texel coordinates that may lie anywhere (it repeats).

    Args:
        texture: One of MATERIALS or DETAILS.
        x: Texel coordinates, float32, between -32768 and 32768.
        y: Texel coordinates, float32, broadcasting with `x`.
        texels_per_px: Chooses the filtered copy, so that fine grain does not alias.

    Returns:
        float32 values with mean 0 and standard deviation 1 in the unfiltered copy (`flake`: 0 to 1).
    """
    level = min(max(round(math.log2(max(texels_per_px, 1e-3))) + 1, 0), LEVELS - 1)
    # Made positive by whole turns, a number is cut where it would be floored, which is three times slower.
    column = (x + _TURNS).astype(np.int64)
    column &= SIZE - 1
    row = (y + _TURNS).astype(np.int64)
    row &= SIZE - 1
    row *= SIZE
    texels: NDArray[np.float32] = _levels(texture)[level].take(column + row)
    return texels


@functools.cache
def _levels(name: str) -> NDArray[np.float32]:
    """Return a texture and its filtered copies, float32, shape (LEVELS, SIZE * SIZE)."""
    levels: NDArray[np.float32] = _atlas()[_NAMES.index(name)]
    return levels


@functools.cache
def _atlas() -> NDArray[np.float32]:
    rng = generator(Stream.SURFACE_TEXTURES, 304)
    # A cast skin has pits beside its grain; a flake texture shows the cells of a broken crust.
    grain = _noise(rng, 9.0, 1.2)
    textures = {
        "sand": grain + 0.5 * _noise(rng, 22.0, 1.0),
        "cast": _noise(rng, 14.0, 0.9) - 1.2 * np.clip(_noise(rng, 12.0, 0.8) - 1.2, 0, None),
        "brushed": _noise(rng, 5.0, 1.5, stretch=14.0) + 0.25 * grain,
        "cloud": _noise(rng, 150.0, 1.1),
        "streak": _noise(rng, 7.0, 0.8, stretch=10.0),
        "turbulence": 1.0 - 2.0 * np.abs(_noise(rng, 60.0, 0.5)),
    }
    textures = {name: (value - value.mean()) / value.std() for name, value in textures.items()}
    textures["flake"] = _cells(rng, 420)
    return (
        np.stack([_filtered(textures[name]) for name in _NAMES])
        .astype(np.float32)
        .reshape(len(_NAMES), LEVELS, SIZE * SIZE)
    )


def _filtered(texture: np.ndarray) -> np.ndarray:
    levels = [texture]
    levels += [ndimage.gaussian_filter(texture, 0.45 * 2**level, mode="wrap") for level in range(LEVELS - 1)]
    return np.stack(levels)


def _noise(rng: np.random.Generator, wavelength: float, sharpness: float, stretch: float = 1.0) -> NDArray[np.float64]:
    """Gaussian noise with a spectrum around one wavelength (texels), drawn out `stretch` times along x."""
    fx = np.fft.rfftfreq(SIZE)[None, :] * stretch
    fy = np.fft.fftfreq(SIZE)[:, None]
    octaves = np.log2(np.maximum(np.hypot(fx, fy), 1e-4) * wavelength)
    # Below the main wavelength the spectrum falls slowly: detail at every smaller size, as in nature.
    weight = np.where(octaves < 0, np.exp(-2.0 * octaves**2), 2.0 ** (-(1.0 + sharpness) * octaves))
    weight[0, 0] = 0
    field: NDArray[np.float64] = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((SIZE, SIZE))) * weight, s=(SIZE, SIZE))
    unit: NDArray[np.float64] = field / field.std()
    return unit


def _cells(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Domes around random points, 1 in the middle of a cell and 0 at its border."""
    points = rng.uniform(0, SIZE, (count, 2))
    grid = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE), indexing="ij"), -1).reshape(-1, 2)
    found, _ = cKDTree(points, boxsize=np.full(2, SIZE)).query(grid, k=2)
    distance = np.asarray(found, np.float64)
    dome: NDArray[np.float64] = 1.0 - distance[:, 0] / np.maximum(distance[:, 1], 1e-6)
    return dome.reshape(SIZE, SIZE)


@functools.cache
def white_noise() -> np.ndarray:
    """Return 512 x 512 normal deviates: the sensor's noise."""
    return generator(Stream.SURFACE_TEXTURES, 305).standard_normal((SIZE, SIZE)).astype(np.float32)
