"""The welds of the drift drill: a simulated plant whose lamp, focus, camera or shielding gas changes, by known amounts.

A weld is drawn afresh, as training runs are: the camera is mounted anew, within the plant's ranges. Of ten welds eight
are good, where training has mostly defective ones. Sizes were fixed before the first try.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from weldbench.weldsim.domain import PLANT, process_of
from weldbench.weldsim.draw import scene_of, with_defect
from weldbench.weldsim.film import at
from weldbench.weldsim.render import render
from weldbench.weldsim.scene import CLASSES, Scene

WIDTH_PX, HEIGHT_PX = 320, 175  # as params.yaml has them for weldsim
FRAMES, SECONDS_APART = 5, 2.0  # of a weld; as long apart as one stretch of a film
GOOD_SHARE = 0.8  # of welds; the rest has the other classes in equal shares
_GOOD, _GAS = CLASSES.index("good_weld"), CLASSES.index("lack_of_shielding_gas")

SIZES = ("mild", "medium", "strong")
# Mild is within what differs from weld to weld anyway: a lamp of 0.8 to 1.25, a camera of 6 degrees in tilt and 9 in
# elevation.
AMOUNTS: dict[str, tuple[float, float, float]] = {
    "lamp": (0.85, 0.6, 0.4),  # light that is left, as a share
    "focus": (0.003, 0.008, 0.02),  # standard deviation of a Gaussian blur, as a share of the frame's width
    "camera angle": (2.0, 6.0, 15.0),  # degrees by which it is turned, and by which it is lower
    "shielding gas": (0.25, 0.5, 1.0),  # how far arc and pool are on their way to those without gas
}


class Change(NamedTuple):
    """What is different from some weld on."""

    kind: str
    amount: float


@dataclass(frozen=True)
class Film:
    """Frames of one weld, uint8, shape (FRAMES, HEIGHT_PX, WIDTH_PX), and the class that it shows."""

    frames: NDArray[np.uint8]
    label: int


def film(seed: tuple[int, ...], change: Change | None = None) -> Film:
    """Draw and render a weld; the same seed is the same weld, with and without a change."""
    rng = np.random.default_rng(seed)
    is_good = rng.random() < GOOD_SHARE
    label = _GOOD if is_good else int(rng.integers(1, len(CLASSES)))
    process = process_of(label, rng)
    weld = scene_of(_GOOD, process, PLANT, rng)
    start = float(rng.uniform(0, 60))
    frames = np.empty((FRAMES, HEIGHT_PX, WIDTH_PX), np.uint8)
    for number in range(FRAMES):
        # A defect is another one in every stretch, as in the films of the dataset.
        scene = with_defect(replace(weld, label=label), rng)
        without_gas = with_defect(replace(weld, label=_GAS), rng)
        seconds = start + SECONDS_APART * number
        blur_px = 0.0
        if change and change.kind == "shielding gas":
            scene = _towards(scene, without_gas, change.amount)
        elif change and change.kind == "focus":
            blur_px = change.amount * WIDTH_PX
        elif change:
            scene = _CHANGED[change.kind](scene, change.amount)
        frame = render([at(scene, seconds, process.travel_speed_cm_min / 6)], WIDTH_PX, HEIGHT_PX)[0]
        frames[number] = _blurred(frame, blur_px) if blur_px else frame
    return Film(frames, label)


def _dimmed(scene: Scene, light: float) -> Scene:
    return replace(scene, sensor=replace(scene.sensor, exposure=scene.sensor.exposure * light))


def _turned(scene: Scene, degrees: float) -> Scene:
    camera, angle = scene.camera, math.radians(degrees)
    elevation = math.asin(camera.foreshortening) - angle
    return replace(scene, camera=replace(camera, tilt_rad=camera.tilt_rad + angle, foreshortening=math.sin(elevation)))


_CHANGED: dict[str, Callable[[Scene, float], Scene]] = {"lamp": _dimmed, "camera angle": _turned}

Part = TypeVar("Part")


def _towards(scene: Scene, other: Scene, share: float) -> Scene:
    """Move arc and pool towards those of another scene; its objects appear as strongly as the share says."""
    defect = replace(other.defect, strength=other.defect.strength * share) if not scene.label else scene.defect
    label = other.label if not scene.label else scene.label  # which kind of object is drawn
    return replace(
        scene,
        label=label,
        torch=_between(scene.torch, other.torch, share),
        pool=_between(scene.pool, other.pool, share),
        defect=defect,
    )


def _between(one: Part, other: Part, share: float) -> Part:
    names = [field.name for field in fields(one)]  # type: ignore[arg-type]
    values = {name: (1 - share) * getattr(one, name) + share * getattr(other, name) for name in names}
    return replace(one, **values)  # type: ignore[type-var]


def _blurred(frame: NDArray[np.uint8], sigma_px: float) -> NDArray[np.uint8]:
    return np.asarray(np.rint(gaussian_filter(frame.astype(np.float32), sigma_px, mode="nearest")), np.uint8)
