"""Frames that show no weld, made by code: what a camera gives when something else than a weld is before it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from weldbench.runtime.seeding import Stream, generator

_SENSOR_NOISE = 2.0  # standard deviation in gray levels, of every kind but pure noise


def no_weld(kind: str, number: int, height_px: int, width_px: int, seed: int = 0) -> NDArray[np.uint8]:
    """Make one frame without a weld.

    Args:
        kind: One of `KINDS`.
        number: Of the frame; each is another one.
        height_px: Of the frame.
        width_px: Of the frame.
        seed: Of all frames.

    Returns:
        uint8, shape (height_px, width_px).
    """
    rng = generator(Stream.NO_WELDS, seed, list(KINDS).index(kind), number, 1)
    levels = KINDS[kind](rng, height_px, width_px) + _SENSOR_NOISE * rng.standard_normal((height_px, width_px))
    frame: NDArray[np.uint8] = np.clip(np.round(levels), 0, 255).astype(np.uint8)
    return frame


def _noise(rng: np.random.Generator, height_px: int, width_px: int) -> NDArray[np.float64]:
    """A sensor without light at a high gain, or a broken cable."""
    return rng.uniform(30, 180) + rng.uniform(15, 70) * rng.standard_normal((height_px, width_px))


def _blank(rng: np.random.Generator, height_px: int, width_px: int) -> NDArray[np.float64]:
    """One gray level: no light, a closed shutter, or far too much light."""
    return np.full((height_px, width_px), rng.uniform(0, 255))


def _covered_lens(rng: np.random.Generator, height_px: int, width_px: int) -> NDArray[np.float64]:
    """A cap or a rag on the lens: dark, with light that leaks in from one side."""
    y, x = _grid(height_px, width_px)
    angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 1.5)
    toward = x * np.cos(angle) + y * np.sin(angle)
    levels: NDArray[np.float64] = rng.uniform(2, 25) + rng.uniform(5, 90) * np.exp((toward - 1.4) / reach)
    return levels


def _far_scene(rng: np.random.Generator, height_px: int, width_px: int) -> NDArray[np.float64]:
    """The hall behind the machine, out of focus: walls, boxes and lamps, all blurred."""
    scene = np.full((height_px, width_px), rng.uniform(40, 120))
    for _ in range(rng.integers(6, 20)):
        top, left = rng.integers(0, height_px), rng.integers(0, width_px)
        down, right = (int(side * rng.uniform(0.1, 0.6)) + 1 for side in (height_px, width_px))
        scene[top : top + down, left : left + right] = rng.uniform(10, 200)
    y, x = _grid(height_px, width_px)
    for _ in range(rng.integers(0, 4)):
        scene[np.hypot(x - rng.uniform(-1, 1), y - rng.uniform(-1, 1)) < rng.uniform(0.02, 0.08)] = 900
    blurred: NDArray[np.float64] = ndimage.gaussian_filter(scene, rng.uniform(0.02, 0.06) * width_px)
    return blurred


def _wood(rng: np.random.Generator, height_px: int, width_px: int) -> NDArray[np.float64]:
    """A board of wood in focus: rings that run along it, and its grain."""
    y, x = _grid(height_px, width_px)
    turn = rng.uniform(0, np.pi)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    bends = ndimage.gaussian_filter(rng.standard_normal((height_px, width_px)), 0.08 * width_px)
    rings = np.sin(rng.uniform(15, 60) * (across + 0.15 * along + 0.5 * bends / bends.std() * 0.1))
    grain = ndimage.gaussian_filter(rng.standard_normal((height_px, width_px)), 1.0)
    levels: NDArray[np.float64] = rng.uniform(90, 170) + rng.uniform(15, 45) * rings + 8 * grain / grain.std()
    return levels


def _cloth(rng: np.random.Generator, height_px: int, width_px: int) -> NDArray[np.float64]:
    """A woven cloth or a glove: threads that go over and under each other."""
    y, x = _grid(height_px, width_px)
    turn, threads = rng.uniform(0, np.pi), rng.uniform(40, 120)
    warp = np.sin(threads * (x * np.cos(turn) + y * np.sin(turn)))
    weft = np.sin(threads * (y * np.cos(turn) - x * np.sin(turn)))
    folds = ndimage.gaussian_filter(rng.standard_normal((height_px, width_px)), 0.1 * width_px)
    threads_seen = rng.uniform(10, 35) * np.maximum(warp, weft)
    levels: NDArray[np.float64] = rng.uniform(60, 160) + threads_seen + 15 * folds / folds.std()
    return levels


def _grid(height_px: int, width_px: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return y and x from the middle of the frame, in halves of its width."""
    y, x = np.mgrid[:height_px, :width_px].astype(np.float64)
    return (y - height_px / 2) / (width_px / 2), (x - width_px / 2) / (width_px / 2)


KINDS: dict[str, Callable[[np.random.Generator, int, int], NDArray[np.float64]]] = {
    "noise": _noise,
    "blank": _blank,
    "covered_lens": _covered_lens,
    "far_scene": _far_scene,
    "wood": _wood,
    "cloth": _cloth,
}
