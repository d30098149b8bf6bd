"""The five defects: how each one changes the surface under the arc, from the objects in a scene."""

from collections.abc import Callable, Iterator

import numpy as np

from weldbench.weldsim import textures
from weldbench.weldsim.optics import View, step
from weldbench.weldsim.pool import Surface
from weldbench.weldsim.scene import CLASSES, Defect, Scene


def apply(seen: View, scene: Scene, surface: Surface) -> None:
    """Change the surface as the scene's class demands; a good weld stays as it is."""
    if scene.label:
        _DEFECTS[CLASSES[scene.label]](seen, scene, surface)


def _objects(defect: Defect) -> Iterator[tuple[np.ndarray, ...]]:
    return zip(defect.x_mm, defect.y_mm, defect.size_mm, defect.aspect, defect.height_mm, defect.phase, strict=True)


def _burn_through(seen: View, scene: Scene, surface: Surface) -> None:
    """A hole behind the arc with a bright rim, a curtain of ridged metal at its end, strands across it."""
    x, y, d = seen.x_mm, seen.y_mm, scene.defect
    middle = d.reach_mm
    half_width = scene.pool.half_width_mm
    radius = ((x - middle) / (0.62 * d.reach_mm)) ** 2 + ((y - d.bend) / (0.85 * half_width)) ** 2
    hole = step((1 - radius + 0.25 * surface.cloud) * 5) * d.strength
    rim = np.exp(-(((1 - radius + 0.25 * surface.cloud) / 0.16) ** 2)) * d.strength
    surface.pool *= 1 - 0.6 * hole
    surface.albedo *= 1 - 0.93 * hole
    surface.height_mm *= 1 - hole
    surface.glow *= 1 - 0.85 * hole
    surface.glow += 0.03 * rim / (1 + 0.03 * seen.square_mm)
    ridges = textures.lookup("streak", y * 9 + x * 2, (x - 0.25 * y) * 26, seen.pixel_mm * 18)
    curtain = x - 1.55 * d.reach_mm - 0.5 * surface.cloud + 0.06 * (y + 1) ** 2
    curtain = (
        step(curtain * 2.5) * step((d.size_mm[0] * 1.6 - curtain) * 1.5) * step((1.15 * half_width - np.abs(y)) * 2)
    )
    surface.albedo += curtain * (0.9 * scene.plate.albedo * (1 + 0.25 * ridges) - surface.albedo)
    surface.height_mm += curtain * (0.05 * ridges + 0.5)
    surface.glow *= 1 - curtain
    for x_mm, y_mm, size_mm, aspect, height_mm, phase in _objects(d):
        bent = y - y_mm - 0.05 * height_mm * (x - x_mm) ** 2 - 0.06 * np.sin(x + phase)
        strand = np.exp(-((bent / (0.10 * size_mm)) ** 2))
        strand *= step((x - 0.5 * d.reach_mm) * 2) * step((1.6 * d.reach_mm - x) * 2) * d.kind
        surface.glow += 0.035 * aspect * strand / (1 + 0.03 * x * x)


def _contamination(seen: View, scene: Scene, surface: Surface) -> None:
    """Dark rounded slag at the rim of the pool, flaky crusts and glue, a pool that does not wet its rim."""
    x, y, d = seen.x_mm, seen.y_mm, scene.defect
    crumbs = textures.lookup("flake", (x - scene.plate.travel_mm) * 34, y * 34 + d.bend * 50, seen.pixel_mm * 34)
    fine = textures.lookup("flake", (x - scene.plate.travel_mm) * 80, y * 80, seen.pixel_mm * 80)
    where = np.exp(-(((x + 0.9 * scene.pool.front_mm) / d.reach_mm) ** 2 + ((y - d.bend) / (0.8 * d.reach_mm)) ** 2))
    crust = step((where + 0.3 * surface.cloud - 0.55) * 4) * step((crumbs - 0.25) * 8) * d.kind
    surface.height_mm += crust * (0.5 * crumbs + 0.15 * fine)
    surface.albedo += crust * (1.7 * scene.plate.albedo * (0.5 + crumbs) - surface.albedo)
    surface.pool *= 1 - crust
    surface.glow *= 1 - crust
    surface.glow += crust * 0.02 * crumbs / (1 + 0.15 * seen.square_mm)
    for x_mm, y_mm, size_mm, aspect, height_mm, phase in _objects(d):
        bend = 0.22 * surface.cloud
        radius = ((x - x_mm + 0.3 * phase * (y - y_mm)) / (size_mm * aspect)) ** 2 + ((y - y_mm) / size_mm) ** 2 + bend
        lump = step((1 - radius) * 4)
        dome = np.sqrt(np.clip(1 - radius, 0, 1))
        top = np.exp(-(((1 - radius) / 0.18) ** 2)) * step((y_mm - y) / size_mm * 2)
        surface.pool *= 1 - lump
        surface.glow *= 1 - 0.92 * lump
        surface.glow += 0.022 * top / (1 + 0.05 * seen.square_mm)
        surface.albedo += lump * (0.22 * scene.plate.albedo * (1 + 0.3 * fine) - surface.albedo)
        surface.height_mm += height_mm * dome * (1 + 0.1 * fine * (height_mm > 0.6))


def _lack_of_fusion(seen: View, scene: Scene, surface: Surface) -> None:
    """Two half pools that do not join: a sharp horizontal reflection, folded lips, the joint open behind them."""
    x, y, d = seen.x_mm, seen.y_mm, scene.defect
    half_width = scene.pool.half_width_mm
    fold = y - d.bend + 0.3 * np.cos(0.35 * x) - 0.02 * x
    mirror_line = y + 0.35 * half_width
    inside = surface.pool
    line = np.exp(-np.where(mirror_line > 0, mirror_line / (0.5 * half_width), -mirror_line / 0.10))
    line *= np.exp(-np.square(np.square((x - 0.3) / d.reach_mm))) * step((-fold) * 3) * inside
    surface.glow += d.strength * 0.10 * line * (1 - d.kind)
    near = step((fold - 0.1) * 5) * inside
    surface.glow *= 1 - 0.75 * near
    ring = ((x - 0.45 * scene.pool.tail_mm) / (0.38 * scene.pool.tail_mm)) ** 2
    ring += ((fold - 0.3 * half_width) / (0.16 * half_width)) ** 2
    surface.glow += 0.007 * near * np.exp(-(((ring - 1) / 0.5) ** 2))
    for x_mm, y_mm, size_mm, aspect, height_mm, phase in _objects(d):
        lip = y - y_mm + 0.35 * size_mm * np.cos(0.5 * (x - x_mm)) - 0.08 * surface.cloud - 0.02 * phase * x
        crease = np.exp(-((lip / 0.16) ** 2)) * np.exp(-(((x - x_mm) / (2.4 * size_mm * aspect)) ** 2))
        surface.height_mm += height_mm * np.tanh(lip / 0.2) * crease
        surface.glow += 0.03 * crease / (1 + 0.04 * x * x)
        surface.glow *= 1 - 0.5 * np.exp(-(((lip - 0.28) / 0.14) ** 2))
    open_joint = np.exp(-((fold / 0.16) ** 2)) * step((x - 0.6 * scene.pool.tail_mm) * 0.7)
    surface.albedo *= 1 - 0.8 * open_joint
    surface.height_mm += 0.25 * np.tanh(fold / 0.4) * (1 - inside) * step(x)


def _lack_of_shielding_gas(seen: View, scene: Scene, surface: Surface) -> None:
    """A pool torn into oxidised, turbulent streaks around the arc, and clusters of spatter behind it."""
    x, y, d = seen.x_mm, seen.y_mm, scene.defect
    distance = np.sqrt(seen.square_mm)
    angle = np.arctan2(y, x)
    swirl = textures.lookup(
        "turbulence", angle * 81.5, distance * 34 + d.bend * 60 + 10 * surface.cloud, seen.pixel_mm * 34
    )
    torn = step((d.reach_mm - distance + 0.6 * surface.cloud) * 1.2) * d.strength
    surface.height_mm += 0.11 * swirl * torn
    surface.albedo += torn * (0.8 * scene.plate.albedo - surface.albedo)
    surface.glow *= 1 - 0.7 * torn
    surface.glow += torn * 0.009 * np.clip(swirl + 0.6, 0, 2) / (1 + 0.04 * distance * distance)
    crumbs = textures.lookup("flake", (x - scene.plate.travel_mm) * 55, y * 55, seen.pixel_mm * 55)
    for x_mm, y_mm, size_mm, aspect, _height_mm, _phase in _objects(d):
        radius = ((x - x_mm) / (size_mm * aspect)) ** 2 + ((y - y_mm) / size_mm) ** 2
        spatter = step((1.1 - radius + 0.4 * surface.cloud) * 2) * step((crumbs - 0.42) * 8)
        surface.height_mm += 0.12 * spatter * crumbs
        surface.albedo += spatter * (2.6 * scene.plate.albedo - surface.albedo)
        surface.gloss += spatter


def _high_travel_speed(seen: View, scene: Scene, surface: Surface) -> None:
    """Humps in rows behind the arc instead of a pool, with glossy hollows between them."""
    x, y, d = seen.x_mm, seen.y_mm, scene.defect
    for x_mm, y_mm, size_mm, aspect, height_mm, phase in _objects(d):
        along, across = (x - x_mm) / (size_mm * aspect), (y - y_mm + 0.25 * phase * (x - x_mm)) / size_mm
        # Frozen while it ran backwards, a hump is steep in front and drawn out behind.
        along = np.minimum(along * 0.6, along * 1.5)
        radius = along * along + across * across + 0.12 * surface.cloud
        hump = np.exp(-1.6 * radius)
        surface.height_mm += height_mm * hump
        surface.gloss += 0.8 * hump
        hollow = (along - 1.3) ** 2 + 1.4 * (across - 0.3) ** 2
        surface.height_mm -= 0.5 * height_mm * np.exp(-2.2 * hollow)
        surface.albedo *= 1 - 0.45 * np.exp(-2.5 * hollow)


_DEFECTS: dict[str, Callable[[View, Scene, Surface], None]] = {
    "burn_through": _burn_through,
    "contamination": _contamination,
    "lack_of_fusion": _lack_of_fusion,
    "lack_of_shielding_gas": _lack_of_shielding_gas,
    "high_travel_speed": _high_travel_speed,
}
