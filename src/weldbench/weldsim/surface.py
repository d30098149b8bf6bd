"""The surface that the light falls on, layer by layer, and the light that it sends to the camera."""

from dataclasses import dataclass

import numpy as np

from weldbench.weldsim.optics import glow, plate_coordinates, smoothstep
from weldbench.weldsim.scene import Scene
from weldbench.weldsim.texture import Textures


@dataclass
class Surface:
    """Layers of one frame; float32 arrays of the rendering's shape unless said otherwise.

    Attributes:
        x, y: Picture coordinates in frame heights, shapes (1, width) and (height, 1).
        behind, near: Plate coordinates in pool units.
        relief: Height of the surface in frame heights.
        albedo: Diffuse brightness.
        gloss: Share of the mirror image.
        light: Light that is added whatever falls on the surface.
    """

    x: np.ndarray
    y: np.ndarray
    behind: np.ndarray
    near: np.ndarray
    relief: np.ndarray
    albedo: np.ndarray
    gloss: np.ndarray
    light: np.ndarray


def bare_plate(scene: Scene, textures: Textures, x: np.ndarray, y: np.ndarray) -> Surface:
    """Return the plate before the arc comes: grain, brushed lines, stains and the joint."""
    plate = scene.plate
    behind, near = plate_coordinates(scene.camera, scene.torch, x, y)
    relief = 0.004 * plate.grain * textures.grain + 0.003 * plate.brushing * textures.lines
    albedo = plate.albedo * (1 + 0.12 * plate.stains * textures.clouds + 0.05 * plate.grain * textures.grain)
    albedo += 0.06 * plate.brushing * textures.lines
    if plate.joint:
        relief -= 0.03 * plate.joint * np.exp(-((near / 0.06) ** 2))
    zeros = np.zeros_like(relief)
    return Surface(x, y, behind, near, relief, np.maximum(albedo, 0.05), zeros, zeros.copy())


def lit(scene: Scene, surface: Surface) -> np.ndarray:
    """Return the light that reaches the camera from the surface, without the arc itself."""
    camera, torch = scene.camera, scene.torch
    foot_y = camera.tip_y + torch.gap
    right, down = surface.x - camera.tip_x, 1.3 * (surface.y - foot_y)
    distance = np.sqrt(right**2 + down**2) + 0.03
    falling = torch.power / (1 + (distance / (0.9 * torch.halo)) ** 2)
    pitch = surface.y[1, 0] - surface.y[0, 0]
    slope_y, slope_x = np.gradient(surface.relief, pitch, surface.x[0, 1] - surface.x[0, 0])
    facing = (slope_x * right + slope_y * down) / distance
    # Lit from the arc at a flat angle, slopes show strongly; the haze over the plate fills every shadow.
    shade = np.clip(1 + 1.3 * facing - 0.35 * slope_y, 0.12, 3.5)
    diffuse = surface.albedo * (0.045 + 0.34 * falling) * shade
    bent_x = surface.x + 0.5 * slope_x
    mirrored_y = 2 * foot_y - surface.y - 0.5 * slope_y
    mirror = glow(camera, torch, bent_x, foot_y + 0.7 * (mirrored_y - foot_y))
    return diffuse * (1 - 0.6 * surface.gloss) + 0.75 * surface.gloss * mirror + surface.light


def cover(surface: Surface, mask: np.ndarray, **layers: np.ndarray | float) -> None:
    """Lay something opaque over the surface: where `mask` is 1 the named layers take the given values."""
    for name, value in layers.items():
        layer = getattr(surface, name)
        layer += mask * (value - layer)


def ring(distance: np.ndarray, width: float) -> np.ndarray:
    """Return a soft line of this width where `distance` is 0."""
    return np.exp(-((distance / width) ** 2))


def inside(distance: np.ndarray, edge: float = 0.06) -> np.ndarray:
    """Return 1 where `distance` is below 1, 0 where it is above, soft over `edge`."""
    return smoothstep(-distance, -1 - edge, -1 + edge)
