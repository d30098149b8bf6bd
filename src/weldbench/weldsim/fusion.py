"""Lack of fusion: the defect with the most to draw."""

import numpy as np

from weldbench.weldsim import textures
from weldbench.weldsim.optics import View, bump, is_empty, step
from weldbench.weldsim.pool import Surface
from weldbench.weldsim.scene import Scene


def lack_of_fusion(seen: View, scene: Scene, surface: Surface) -> None:
    """Draw two half pools that do not join: a reflection cut off level, folded lips before it, torn skin behind it."""
    d, half_width, tail = scene.defect, scene.pool.half_width_mm, scene.pool.tail_mm
    at = seen.window(10.0, d.bend, 20.0, 2 * half_width)
    x, y, inside, glow = seen.x_mm[at], seen.y_mm[at], surface.pool[at], surface.glow[at]
    fold = y - d.bend - 0.4 * np.cos(0.35 * x) + 0.05 * surface.cloud[at]
    near = step(fold * 5 - 0.5)
    near *= np.maximum(inside, step((tail - x) * 0.6) * step((1.6 * half_width - y) * 2))
    glow *= 1 - 0.85 * near
    surface.albedo[at] *= 1 - 0.5 * near
    ring = ((x - 0.45 * tail) / (0.38 * tail)) ** 2 + ((fold - 0.35 * half_width) / (0.18 * half_width)) ** 2
    glow += 0.006 * (1 + float(d.phase[0])) * near * bump(ring - 1, 0.4)
    behind = step((x - 0.6 * tail) * 0.7)
    # One edge of the open joint stands higher than the other.
    surface.height_mm[at] += 1.2 * fold * bump(fold.copy(), 0.5) * behind * (1 - inside)
    surface.albedo[at] *= 1 - 0.85 * bump(fold, 0.16) * behind
    if d.kind < 0.5:
        _bowl(seen, scene, surface)
    else:
        _swirl(seen, scene, surface)
    if d.height_mm[1] > 0.25:
        _skin(seen, scene, surface)
    for x_mm, y_mm, size_mm, aspect, height_mm, phase in d.objects():
        at = seen.window(x_mm, y_mm, 4.5 * size_mm * aspect, size_mm + 1.0)
        if is_empty(at):
            continue
        x_from, glow = seen.x_mm[at] - x_mm, surface.glow[at]
        lip = (
            seen.y_mm[at]
            - y_mm
            - 0.35 * size_mm * np.cos(0.5 * x_from)
            - 0.08 * surface.cloud[at]
            - 0.02 * phase * x_from
        )
        length = bump(x_from, 2.4 * size_mm * aspect) * (0.2 + 0.8 * surface.pool[at])
        surface.height_mm[at] += height_mm * np.tanh(lip * 5) * bump(lip.copy(), 0.2) * length
        glow *= 1 - 0.65 * bump(lip - 0.34, 0.2) * length
        glow += 0.025 * (1 + phase) * bump(lip, 0.14) * length / (1 + 0.03 * seen.square_mm[at])


def _bowl(seen: View, scene: Scene, surface: Surface) -> None:
    """Draw the far pool as a steep mirror: the arc's image, cut off along a level line above and round below."""
    d, half_width = scene.defect, scene.pool.half_width_mm
    width_mm, deep_mm = d.reach_mm, half_width * (0.35 + 0.3 * float(d.size_mm[0]) / 2.4)
    mm_per_v = 1 / (seen.camera.scale_per_mm * seen.camera.foreshortening)
    at = seen.window(0.0, 0.0, 3 * width_mm, 3 * half_width)
    aside = (seen.from_weld_u[:, at[1]] / seen.camera.scale_per_mm - 0.3 * float(d.phase[1]) * width_mm) / width_mm
    square = np.square(aside)
    level = seen.from_weld_v[at[0]] * mm_per_v + 0.35 * half_width
    below = level + (0.12 * half_width) * square * square + 0.04 * surface.cloud[at]
    above = deep_mm * (1 - 0.8 * square) + 0.15 * deep_mm * float(d.phase[2]) * aside - level
    image = 0.35 + np.exp(np.abs(below) / (-0.35 * deep_mm)) + 0.5 * bump(above.copy(), 0.18 * deep_mm)
    image *= step(below / (0.06 * half_width)) * step(above / (0.10 * half_width))
    image *= bump(aside, 0.95)
    surface.glow[at] += d.strength * 0.12 * image


def _skin(seen: View, scene: Scene, surface: Surface) -> None:
    """Draw the skin of oxide that hangs over the end of the pool in ridges, with a dark gap under its near edge."""
    d, half_width, tail = scene.defect, scene.pool.half_width_mm, scene.pool.tail_mm
    x_mm, y_mm = tail * (0.7 + 0.3 * float(d.phase[2])), d.bend + 0.3 * half_width * float(d.phase[1])
    at = seen.window(x_mm + 2 * tail, y_mm - half_width, 4 * tail, 2 * half_width + 1.5)
    if is_empty(at):
        return
    x, y, cloud = seen.x_mm[at] - x_mm, seen.y_mm[at] - y_mm, surface.cloud[at]
    aslant = x + (0.8 + 0.6 * float(d.phase[0])) * y + 0.3 * cloud
    ridges = textures.lookup("streak", (x - 0.6 * y) * 5, (y + 0.6 * x) * 14, seen.pixel_mm * 14)
    skin = step(aslant * 2.5) * step((0.1 * cloud - y) * 3) * step((y + 1.6 * half_width) * 1.5)
    surface.albedo[at] += skin * (1.5 * scene.plate.albedo * (1 + 0.2 * ridges) - surface.albedo[at])
    surface.height_mm[at] += skin * (0.05 * ridges + 0.3 - surface.height_mm[at])
    surface.glow[at] *= 1 - 0.7 * skin
    surface.pool[at] *= 1 - skin
    gap = bump(y - 0.35, 0.3) * step(aslant * 2.5)
    surface.albedo[at] *= 1 - 0.8 * gap
    surface.glow[at] *= 1 - 0.8 * gap


def _swirl(seen: View, scene: Scene, surface: Surface) -> None:
    """Draw the melt that turns on the spot instead of bridging the joint: a bright round dent, a spark at its rim."""
    d = scene.defect
    x_mm, y_mm, radius_mm = d.reach_mm, d.bend, 0.35 * scene.pool.half_width_mm
    at = seen.window(x_mm, y_mm, 2.5 * radius_mm, 2 * radius_mm)
    x, y = (seen.x_mm[at] - x_mm) / radius_mm, (seen.y_mm[at] - y_mm) / radius_mm
    radius = np.sqrt((x / 1.4) ** 2 + y**2)
    angle = np.arctan2(y, x)
    ring = bump(radius - 1 - 0.1 * surface.cloud[at], 0.18) * (0.6 + 0.4 * np.cos(angle - 2 * d.strength))
    surface.glow[at] += d.strength * (0.035 * ring + 0.012 * step((1 - radius) * 3))
    spark = np.abs(x - 1.1) + 4 * np.abs(y + 0.3 * x)
    surface.glow[at] += d.strength * 0.15 * bump(spark, 0.5)
