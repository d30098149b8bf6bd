"""The plate, the molten pool and the bead behind it: heights, albedos and radiance before the light falls on them."""

import math
from dataclasses import dataclass

import numpy as np

from weldbench.weldsim import textures
from weldbench.weldsim.optics import View, step
from weldbench.weldsim.scene import Plate, Pool


@dataclass
class Surface:
    """What lies under the arc, each (h, W), float32.

    `height_mm` is lit by the arc; `albedo` scales that light; `pool` is 1 where metal is molten; `glow` is radiance
    that is added as it is (mirror images, white-hot rims); `gloss` makes slopes that face the arc shine.
    """

    height_mm: np.ndarray
    albedo: np.ndarray
    pool: np.ndarray
    glow: np.ndarray
    gloss: np.ndarray
    cloud: np.ndarray  # slow noise, standard deviation 1, that moves with the plate


def lay(seen: View, plate: Plate, pool: Pool) -> Surface:
    """Lay the plate, with its joint, and the weld in it."""
    x, y = seen.x_mm, seen.y_mm
    moved = plate.offset_mm - plate.travel_mm
    along_mm, across_mm = x + moved % (textures.SIZE / 12), y + plate.offset_mm * 0.6
    cloud = textures.lookup("cloud", along_mm * 12, across_mm * 12, seen.pixel_mm * 12)
    inside = _inside(x, y, pool, cloud)
    height = _grain(seen, plate, moved)
    albedo = _tinted(cloud, inside, plate)
    if plate.litter > 0:
        _litter(seen, plate, moved, cloud, height, albedo)
    if plate.joint_gap_mm > 0:
        _cut_joint(seen, plate, pool, albedo)
    surface = Surface(height, albedo, np.zeros_like(height), np.zeros_like(height), np.zeros_like(height), cloud)
    surface.gloss += 0.1
    # The rim wobbles by less than this share of the pool's size.
    at = seen.window(
        (pool.tail_mm - pool.front_mm) / 2, 0, 0.7 * (pool.tail_mm + pool.front_mm), 1.4 * pool.half_width_mm
    )
    surface.pool[at] = step(inside[at] * 7)
    _lay_bead(seen, pool, surface, moved)
    _melt(seen, pool, surface, inside, at)
    return surface


def _lay_bead(seen: View, pool: Pool, surface: Surface, moved: float) -> None:
    at = seen.window(30 - pool.front_mm, 0, 30, pool.bead_half_width_mm + 0.8)
    x, y, cloud = seen.x_mm[at], seen.y_mm[at], surface.cloud[at]
    bead = step(0.36 * cloud + 3 * (pool.bead_half_width_mm - np.abs(y)))
    bead *= step(x * 1.5 + 0.45 * pool.front_mm)
    bead *= 1 - surface.pool[at]
    surface.height_mm[at] += bead * (_ripples(x, y, pool, cloud, moved, seen.pixel_mm) - surface.height_mm[at])
    surface.gloss[at] += 0.5 * bead
    surface.albedo[at] *= 1 + 0.4 * bead


def _melt(seen: View, pool: Pool, surface: Surface, inside: np.ndarray, at: tuple[slice, slice]) -> None:
    molten, inside, cloud = surface.pool[at], inside[at], surface.cloud[at]
    x, y = seen.x_mm[at], seen.y_mm[at]
    waves = np.sqrt(seen.square_mm[at]) * (2 * math.pi / pool.wave_mm)
    waves += cloud
    waves -= pool.wave_phase
    liquid = np.sin(waves, out=waves)
    liquid *= pool.wave
    liquid -= 0.25
    surface.height_mm[at] *= 1 - molten
    surface.height_mm[at] += liquid * molten
    surface.albedo[at] *= 1 - 0.85 * molten
    surface.glow[at] += _mirror(seen, pool, cloud, inside, at) * molten
    # The rounded rim throws light back.
    rim = np.exp(np.square(inside * (1 / 0.09)) * -1)
    rim *= pool.rim * (1 + 0.6 * cloud)
    facing = math.cos(pool.rim_turn_rad) * x + math.sin(pool.rim_turn_rad) * y
    facing /= np.sqrt(seen.square_mm[at] + 0.01)
    rim *= np.clip(0.5 + facing, 0, 1)
    rim /= 1 + 0.05 * seen.square_mm[at]
    surface.glow[at] += rim


def _grain(seen: View, plate: Plate, moved: float) -> np.ndarray:
    cos, sin = math.cos(plate.grain_angle_rad) / plate.grain_mm, math.sin(plate.grain_angle_rad) / plate.grain_mm
    # The coordinates of a lookup are bounded, and the grain repeats anyhow.
    shift = moved % (textures.SIZE * plate.grain_mm)
    along = cos * seen.x_mm + sin * seen.y_mm
    along += cos * shift
    across = cos * seen.y_mm - sin * seen.x_mm
    across -= sin * shift
    grain = textures.lookup(textures.MATERIALS[plate.texture], along, across, seen.pixel_mm / plate.grain_mm)
    grain *= plate.relief
    return grain


def _litter(seen: View, plate: Plate, moved: float, cloud: np.ndarray, height: np.ndarray, albedo: np.ndarray) -> None:
    along_mm = seen.x_mm + moved % (textures.SIZE / 40)
    crumbs = textures.lookup("flake", along_mm * 40, seen.y_mm * 40, seen.pixel_mm * 40)
    lies = step((crumbs - 0.3) * 8)
    lies *= step((cloud - 2.2 + 2 * plate.litter) * 4)
    height += 0.15 * crumbs * lies
    albedo *= 1 + 0.8 * lies


def _inside(x: np.ndarray, y: np.ndarray, pool: Pool, cloud: np.ndarray) -> np.ndarray:
    """Return 1 in the middle of the pool, 0 at its rim, negative outside: an ellipse in front, a drop behind."""
    behind = x * (1 / pool.tail_mm)
    along = np.maximum(behind, x * (-1 / pool.front_mm))
    np.clip(behind, 0, 1, out=behind)
    behind *= -pool.taper * pool.half_width_mm
    behind += pool.half_width_mm
    inside = y / behind
    inside *= inside
    along *= along
    inside += along
    np.subtract(1, inside, out=inside)
    inside += pool.wobble * cloud
    return inside


def _ripples(x: np.ndarray, y: np.ndarray, pool: Pool, cloud: np.ndarray, moved: float, pixel_mm: float) -> np.ndarray:
    """Return the bead's height: a crown, even ripples that repeat the pool's tail, and fine uneven lines along them."""
    square = y * (1 / pool.bead_half_width_mm)
    square *= square
    behind = pool.ripple_bow * square
    behind += x
    lines = textures.lookup("streak", y * 12, (behind + moved % 128) * 32, pixel_mm * 32)
    behind *= 2 * math.pi / pool.ripple_pitch_mm
    behind += 1.2 * cloud
    height = np.sin(behind, out=behind)
    height += 0.8 * lines
    height *= pool.ripple_mm * np.clip(0.6 + 0.5 * cloud, 0, 1.6)
    square *= -pool.crown_mm
    square += pool.crown_mm
    height += square
    return height


def _tinted(cloud: np.ndarray, inside: np.ndarray, plate: Plate) -> np.ndarray:
    """Return the plate's albedo: heat bleaches it beside the pool, oxide darkens it a little farther out."""
    albedo = cloud * (plate.albedo * plate.mottle)
    albedo += plate.albedo
    near, far = inside + 0.5, inside + 1.6
    for band, width, gain in ((near, 6.0, 0.35), (far, 4.0, -0.15)):
        band *= band
        band *= width
        band += 1
        np.divide(gain, band, out=band)
    near += far
    near += 1
    albedo *= near
    return albedo


def _cut_joint(seen: View, plate: Plate, pool: Pool, albedo: np.ndarray) -> None:
    at = seen.window(-20 - 0.4 * pool.front_mm, plate.joint_y_mm, 20, 3 * plate.joint_gap_mm)
    x, y = seen.x_mm[at], seen.y_mm[at]
    joint = np.exp(-(((y - plate.joint_y_mm) / plate.joint_gap_mm) ** 2))
    joint *= step(-x - 0.5 * pool.front_mm)
    albedo[at] *= 1 - 0.85 * joint


def _mirror(seen: View, pool: Pool, cloud: np.ndarray, inside: np.ndarray, at: tuple[slice, slice]) -> np.ndarray:
    """Return the arc's mirror image, bright at the foot of the arc, and the skin of oxide that floats on the tail."""
    rows, columns = at
    distance = 14 * seen.from_weld_u[:, columns] ** 2 + (1 + 14 * (1.6 * (seen.from_weld_v[rows] + 0.06)) ** 2)
    distance *= distance
    image = np.divide(pool.mirror, distance, out=distance)
    image += pool.sheen * (1.2 - 0.5 * np.clip(inside, 0, 1)) / (1 + seen.square_mm[at] / pool.sheen_mm**2)
    if pool.glare > 0:
        image += _glare(seen, pool, cloud, at)
    if pool.islands > 0:
        islands = step((cloud - 2.2 + 2.6 * pool.islands) * 6)
        islands *= step(seen.x_mm[at] * (3 / pool.tail_mm) - 1)
        image *= 1 + 0.9 * islands
    return image


def _glare(seen: View, pool: Pool, cloud: np.ndarray, at: tuple[slice, slice]) -> np.ndarray:
    """Return what the pool mirrors of the lit fumes around the arc: bright within a rounded border, dark beyond."""
    along = (seen.x_mm[at] - 0.3 * pool.glare_mm) * (0.75 / pool.glare_mm)
    across = (seen.y_mm[at] - pool.glare_shift * pool.glare_mm) * (1 / pool.glare_mm)
    along *= along
    across *= across
    along += across
    np.subtract(1, along, out=along)
    along += 0.08 * cloud
    along *= pool.glare_edge
    glare = step(along)
    glare *= pool.glare
    return glare


def hide_by_shelf(seen: View, plate: Plate, surface: Surface) -> None:
    """Let a near plate that stands higher hide the near part of the weld, its defect included, behind a lit edge."""
    if plate.shelf_mm > 50:
        return
    front = seen.x_mm * 0.12
    front *= front
    front *= plate.shelf_bend
    front += seen.y_mm
    front -= 0.2 * surface.cloud
    front -= plate.shelf_mm
    edge = front * (1 / 0.35)
    edge *= edge
    np.negative(edge, out=edge)
    np.exp(edge, out=edge)
    edge *= 0.02
    edge /= 1 + 0.06 * seen.x_mm**2
    front *= 2.5
    hidden = step(front)
    skin = surface.cloud * (0.09 * plate.albedo)
    skin += 0.45 * plate.albedo
    skin -= surface.albedo
    skin *= hidden
    surface.albedo += skin
    shown = 1 - hidden
    surface.pool *= shown
    surface.glow *= shown
    surface.glow += edge
    hidden *= -0.8
    hidden += 1
    surface.height_mm *= hidden
