"""The five defects: how each one changes the surface under the arc, from the objects in a scene."""

import math
from collections.abc import Callable

import numpy as np

from weldbench.weldsim import textures
from weldbench.weldsim.fusion import lack_of_fusion
from weldbench.weldsim.optics import View, bump, is_empty, step
from weldbench.weldsim.pool import Surface
from weldbench.weldsim.scene import CLASSES, Scene


def apply(seen: View, scene: Scene, surface: Surface) -> None:
    """Change the surface as the scene's class demands; a good weld stays as it is."""
    if scene.label:
        _DEFECTS[CLASSES[scene.label]](seen, scene, surface)


def _burn_through(seen: View, scene: Scene, surface: Surface) -> None:
    """A hole behind the arc with a white-hot wall, a curtain of ridged metal at its end, the dark sagging root."""
    d, half_width = scene.defect, scene.pool.half_width_mm
    at = seen.window(1.4 * d.reach_mm, 0.0, 2.8 * d.reach_mm + half_width, 1.6 * half_width)
    x, y, cloud, glow = seen.x_mm[at], seen.y_mm[at], surface.cloud[at], surface.glow[at]
    near = 1 / (1 + 0.08 * seen.square_mm[at])
    depth = 1 - ((x - d.reach_mm) / (0.95 * d.reach_mm)) ** 2 - ((y - d.bend) / (0.95 * half_width)) ** 2 + 0.15 * cloud
    hole = step(depth * 6) * d.strength
    glow += (0.003 + 0.03 * float(d.height_mm[0])) * surface.pool[at] * near
    # Right beside the arc the wall is as bright as the melt.
    glow *= 1 - (0.7 + 0.25 * d.kind) * hole * (1 - 1 / (1 + 0.3 * seen.square_mm[at]))
    # Its wall still glows beside the arc, and less and less away from it.
    glow += (1 - d.kind) * 0.12 * hole / (1 + 0.06 * seen.square_mm[at])
    surface.albedo[at] *= 1 - 0.9 * hole
    surface.height_mm[at] *= 1 - hole
    lip = bump(depth, 0.07)
    glow *= 1 - 0.4 * lip * step(-y)
    glow += 0.03 * lip * step(y.copy()) * near
    # The curtain hangs aslant, and its ridges run down it.
    aslant = x - 1.75 * d.reach_mm + 0.7 * (y - d.bend) - 0.4 * cloud
    width = float(d.size_mm.max())
    across = step((1.1 * half_width - np.abs(y - d.bend)) * 2)
    curtain = step(aslant * 3) * step((width - aslant) * 2) * across
    ridges = textures.lookup("streak", y * 6, aslant * 16, seen.pixel_mm * 12)
    surface.albedo[at] += curtain * (1.8 * scene.plate.albedo * (1 + 0.25 * ridges) - surface.albedo[at])
    surface.height_mm[at] += curtain * (0.04 * ridges + 0.5)
    glow *= 1 - 0.8 * curtain
    behind = step((aslant - width) * 2) * across * step((4 * d.reach_mm - x) * 0.4)
    surface.albedo[at] *= 1 - 0.75 * behind
    surface.height_mm[at] *= 1 - 0.7 * behind
    glow *= 1 - 0.9 * behind
    for x_mm, y_mm, size_mm, aspect, height_mm, phase in d.objects():
        at = seen.window(x_mm, y_mm, 2 * size_mm, 2 * size_mm)
        x, y = seen.x_mm[at] - x_mm, seen.y_mm[at] - y_mm
        drop = np.exp(-((x / (aspect + 0.4)) ** 2 + (y + 0.3 * phase * x) ** 2) / (0.5 * size_mm) ** 2)
        surface.height_mm[at] += (0.4 + 0.4 * height_mm) * size_mm * drop
        surface.gloss[at] += drop
        surface.albedo[at] += drop * 0.6 * scene.plate.albedo


def _contamination(seen: View, scene: Scene, surface: Surface) -> None:
    """Dark rounded slag at the rim of the pool, flaky crusts and burnt glue around it."""
    d = scene.defect
    if d.kind > 0:
        _glue(seen, scene, surface)
    for number, (x_mm, y_mm, size_mm, aspect, height_mm, phase) in enumerate(d.objects()):
        at = seen.window(x_mm, y_mm, 1.5 * size_mm * aspect, 1.5 * size_mm)
        if is_empty(at):
            continue
        x, y, cloud = seen.x_mm[at] - x_mm, seen.y_mm[at] - y_mm, surface.cloud[at]
        radius = ((x + 0.5 * phase * y) / (size_mm * aspect)) ** 2 + (y / size_mm) ** 2 + 0.3 * cloud
        radius += 0.3 * np.sin(2.3 * x / size_mm + 9 * phase)
        lump = step((1 - radius) * 5)
        fine = textures.lookup("flake", (seen.x_mm[at] - scene.plate.travel_mm) * 110, y * 110, seen.pixel_mm * 110)
        if number % 3 == 2:
            # A feathery crust: pale, rough, without a shape.
            lump *= step((fine - 0.15) * 6)
            surface.albedo[at] += lump * (2.0 * scene.plate.albedo * (0.5 + fine) - surface.albedo[at])
            surface.height_mm[at] += 0.12 * fine * lump
            surface.glow[at] *= 1 - 0.8 * lump
            surface.pool[at] *= 1 - lump
            continue
        # The melt does not wet slag: it rises to it in a bright meniscus on the arc's side.
        meniscus = bump(radius - 1.1, 0.14)
        meniscus *= step(-(x * x_mm + y * y_mm) * (2 / (size_mm * math.hypot(x_mm, y_mm))) - 0.3)
        near = 1 / (1 + 0.04 * seen.square_mm[at])
        dome = np.sqrt(np.clip(1 - radius, 0, 1))
        surface.pool[at] *= 1 - lump
        surface.glow[at] *= 1 - 0.95 * lump
        surface.glow[at] += 0.03 * height_mm * meniscus * near
        surface.albedo[at] += lump * (
            (0.25 + 0.4 * height_mm) * scene.plate.albedo * (1 + 0.3 * fine) - surface.albedo[at]
        )
        surface.height_mm[at] += height_mm * size_mm * dome - lump * surface.height_mm[at]


def _glue(seen: View, scene: Scene, surface: Surface) -> None:
    d = scene.defect
    x_mm = -0.9 * scene.pool.front_mm
    at = seen.window(x_mm, d.bend, 1.8 * d.reach_mm, 1.6 * d.reach_mm)
    x, y = seen.x_mm[at], seen.y_mm[at]
    along = x - scene.plate.travel_mm % 512
    crumbs = textures.lookup("flake", along * 60, y * 60 + d.bend * 50, seen.pixel_mm * 60)
    fine = textures.lookup("flake", along * 90, y * 90, seen.pixel_mm * 90)
    where = np.exp(-((x - x_mm) ** 2 + 1.44 * (y - d.bend) ** 2) / d.reach_mm**2)
    crust = step((where * (1 + 0.6 * surface.cloud[at]) - 0.45) * 5) * step((crumbs - 0.2) * 8) * d.kind
    surface.height_mm[at] += crust * (0.4 * crumbs + 0.08 * fine)
    surface.albedo[at] += crust * (2.4 * scene.plate.albedo * (0.4 + crumbs) - surface.albedo[at])
    surface.pool[at] *= 1 - crust
    surface.glow[at] *= 1 - crust
    surface.glow[at] += crust * 0.12 * crumbs / (1 + 0.2 * seen.square_mm[at])


def _lack_of_shielding_gas(seen: View, scene: Scene, surface: Surface) -> None:
    """A pool that boils in a round glow under the arc, oxidised ridges around it, clusters of spatter behind it."""
    d = scene.defect
    at = seen.window(0.0, 0.0, 1.8 * d.reach_mm, 1.8 * d.reach_mm)
    x, y, cloud = seen.x_mm[at], seen.y_mm[at], surface.cloud[at]
    distance = np.sqrt(seen.square_mm[at])
    distance *= 1 + 0.08 * cloud
    angle = np.arctan2(y, x)
    swirl = textures.lookup("turbulence", angle * 81.5, distance * 85 + d.bend * 60 + 14 * cloud, seen.pixel_mm * 85)
    torn = step((d.reach_mm - distance) * 1.5) * d.strength
    ridged = bump(distance - 0.85 * d.reach_mm, 0.45 * d.reach_mm)
    ridged *= torn
    surface.height_mm[at] *= 1 - torn
    surface.height_mm[at] += (0.012 * torn + (0.06 + 0.05 * float(d.phase[0])) * ridged) * swirl
    surface.albedo[at] += torn * (0.8 * scene.plate.albedo - surface.albedo[at])
    surface.glow[at] *= 1 - 0.8 * torn
    surface.glow[at] += torn * (0.005 + 0.03 * d.kind) * np.clip(1 + 0.3 * swirl, 0.3, 2) / (1 + 0.06 * distance**2)
    for x_mm, y_mm, size_mm, aspect, height_mm, _phase in d.objects():
        at = seen.window(x_mm, y_mm, 1.5 * size_mm * aspect, 1.5 * size_mm)
        if is_empty(at):
            continue
        x, y = seen.x_mm[at], seen.y_mm[at]
        crumbs = textures.lookup("flake", (x - scene.plate.travel_mm) * 75, y * 75, seen.pixel_mm * 75)
        radius = ((x - x_mm) / (size_mm * aspect)) ** 2 + ((y - y_mm) / size_mm) ** 2
        spatter = step((1.1 - radius + 0.4 * surface.cloud[at]) * 2) * step((crumbs - 0.42) * 6)
        spatter *= height_mm
        surface.height_mm[at] += 0.05 * spatter * crumbs
        surface.albedo[at] += spatter * (2.0 * scene.plate.albedo - surface.albedo[at])
        surface.gloss[at] += spatter


def _high_travel_speed(seen: View, scene: Scene, surface: Surface) -> None:
    """A rough bead that froze as it was dragged along, humps in rows in it with glossy hollows, no pool to speak of."""
    d, width = scene.defect, scene.pool.bead_half_width_mm
    at = seen.window(0.0, d.bend, 25.0, 2.5 * width)
    along, across = seen.x_mm[at] - scene.plate.travel_mm % 512, seen.y_mm[at] - d.bend
    waves = textures.lookup("cloud", along * 45, across * 60, seen.pixel_mm * 120)
    dragged = step(((1.25 + 0.25 * waves) * width - np.abs(across)) * 3)
    dragged *= 1 - 0.7 * surface.pool[at]
    surface.height_mm[at] += dragged * (0.12 * d.strength * waves - 0.8 * surface.height_mm[at])
    surface.gloss[at] += 0.6 * dragged
    surface.albedo[at] *= 1 - 0.25 * dragged
    for x_mm, y_mm, size_mm, aspect, height_mm, phase in d.objects():
        at = seen.window(x_mm, y_mm, 2.7 * size_mm * aspect, (1.9 + 0.6 * aspect) * size_mm)
        if is_empty(at):
            continue
        x, y = seen.x_mm[at] - x_mm, seen.y_mm[at] - y_mm
        # Frozen while it ran backwards, a hump is steep in front and drawn out behind.
        along = np.minimum(x * (0.7 / (size_mm * aspect)), x * (1.5 / (size_mm * aspect)))
        across = (y + 0.25 * phase * x) / size_mm
        radius = np.sqrt(np.maximum(along * along + across * across + 0.12 * surface.cloud[at], 0) + 0.06)
        hump = step((1.1 - radius) * 2.5)
        # Some have a lit top; all lie in their own shadow on the side away from the arc, mostly that of the camera.
        top = 0.2 + 0.5 * phase
        shade = step((across + 0.25 * along - 0.1) * 3)
        surface.height_mm[at] += height_mm * np.exp(-1.7 * radius) * step(2.5 * (1.5 - radius))
        surface.gloss[at] += d.strength * hump
        surface.albedo[at] *= 1 + hump * (top - (0.8 + top) * shade)
        hook = bump(across + 0.4 - 0.4 * along, 0.2) * hump
        surface.glow[at] += 0.12 * d.strength * hook / (1 + 0.4 * seen.square_mm[at])


_DEFECTS: dict[str, Callable[[View, Scene, Surface], None]] = {
    "burn_through": _burn_through,
    "contamination": _contamination,
    "lack_of_fusion": lack_of_fusion,
    "lack_of_shielding_gas": _lack_of_shielding_gas,
    "high_travel_speed": _high_travel_speed,
}
