"""Another lamp, another camera: changes of a frame as a camera gives it, each in three strengths, as pure functions.

Lengths are shares of the frame's width or height, so that a change means the same at every resolution. Hendrycks and
Dietterich (2019, "Benchmarking neural network robustness to common corruptions and perturbations") measure networks
this way; the changes here are those of a weld camera.
"""

import io
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter, rotate, shift

from weldbench.runtime.seeding import Stream, generator

Frame = NDArray[np.uint8]
STRENGTHS = ("mild", "medium", "strong")
_STAMP = "412 2016-07-05 09:37:17.480"  # 28 characters, as recorders write them
_DIRT_OPACITY = 0.7


class CameraChange(NamedTuple):
    """One kind of change.

    Attributes:
        name: For tables.
        unit: What its sizes are.
        sizes: Mild, medium, strong.
        apply: (frame, size, number of the frame) -> changed frame, uint8 of the same shape (height, width).
    """

    name: str
    unit: str
    sizes: tuple[float, float, float]
    apply: Callable[[Frame, float, int], Frame]


def _scaled(frame: Frame, factor: float, number: int) -> Frame:
    return _levels(frame * np.float32(factor))


def _blurred(frame: Frame, share: float, number: int) -> Frame:
    return _levels(gaussian_filter(frame.astype(np.float32), share * frame.shape[1], mode="nearest"))


def _noisy(frame: Frame, deviation: float, number: int) -> Frame:
    # The same noise in every strength, only stronger.
    noise = generator(Stream.CAMERA_NOISE, number, 1).standard_normal(frame.shape, np.float32)
    return _levels(frame + np.float32(deviation) * noise)


def _turned(frame: Frame, degrees: float, number: int) -> Frame:
    return _levels(rotate(frame.astype(np.float32), degrees, reshape=False, order=1, mode="nearest"))


def _shifted(frame: Frame, share: float, number: int) -> Frame:
    by = (share * frame.shape[0], share * frame.shape[1])
    return _levels(shift(frame.astype(np.float32), by, order=1, mode="nearest"))


def _dirty(frame: Frame, share: float, number: int) -> Frame:
    return _levels(frame * (1 - np.float32(_DIRT_OPACITY) * _spots(frame.shape, share)))


def _stamped(frame: Frame, share: float, number: int) -> Frame:
    height, width = frame.shape
    letters = Image.new("L", (170, 12))
    ImageDraw.Draw(letters).text((1, 0), _STAMP, fill=255)
    rows = max(1, round(share * height))
    shown = np.asarray(letters.resize((min(width, 14 * rows), rows), Image.Resampling.BOX))
    top, left = height // 30, width // 300
    changed = frame.copy()
    corner = changed[top : top + shown.shape[0], left : left + shown.shape[1]]
    np.maximum(corner, shown[: corner.shape[0], : corner.shape[1]], out=corner)
    return changed


def _without_stamp(frame: Frame, share: float, number: int) -> Frame:
    rows, columns = (max(1, round(part)) for part in (share * frame.shape[0], 3 * share * frame.shape[1]))
    beside = np.concatenate([frame[rows : rows + 1, :columns].ravel(), frame[:rows, columns : columns + 1].ravel()])
    changed = frame.copy()
    changed[:rows, :columns] = np.median(beside) if beside.size else 0
    return changed


def _compressed(frame: Frame, quality: float, number: int) -> Frame:
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "jpeg", quality=int(quality))
    return np.array(Image.open(file))


CAMERA_CHANGES = (
    CameraChange("brighter", "gray levels, times", (1.1, 1.4, 2.0), _scaled),
    CameraChange("darker", "gray levels, times", (0.9, 0.7, 0.5), _scaled),
    CameraChange("blur", "standard deviation, share of the width", (0.002, 0.005, 0.012), _blurred),
    CameraChange("noise", "standard deviation, gray levels of 255", (4, 12, 30), _noisy),
    CameraChange("rotation", "degrees", (2, 5, 12), _turned),
    CameraChange("shift", "right and down, share of the side", (0.02, 0.06, 0.15), _shifted),
    CameraChange("dirt on the lens", "share of the area that loses 70 % of its light", (0.01, 0.05, 0.15), _dirty),
    CameraChange("time stamp added", "height of its letters, share of the height", (0.015, 0.025, 0.04), _stamped),
    CameraChange(
        "time stamp removed", "gray corner, share of the height, and three times it of the width", (0.05, 0.08, 0.12),
        _without_stamp,
    ),
    CameraChange("JPEG", "quality of 100", (80, 50, 15), _compressed),
)  # fmt: skip


@lru_cache(maxsize=3)
def _spots(shape: tuple[int, int], share: float) -> NDArray[np.float32]:
    """Draw the same spots for all frames, as dirt stays on a lens; a stronger one has those of a milder one and more.

    Returns:
        How much of the light each pixel may lose, 0 to 1, its mean `share`.
    """
    height, width = shape
    down, across = np.mgrid[:height, :width].astype(np.float32)
    random = generator(Stream.CAMERA_DIRT, 0, 2)
    covered = np.zeros(shape, np.float32)
    while covered.mean() < share:
        radius = width * random.uniform(0.01, 0.04)
        distance = np.hypot(down - height * random.random(), across - width * random.random())
        covered = np.maximum(covered, np.clip(2 - 2 * distance / radius, 0, 1))
    return covered


def _levels(values: NDArray[np.float32]) -> Frame:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
