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
    cloud: np.ndarray  # slow noise, deviation 1, that moves with the plate


def lay(seen: View, plate: Plate, pool: Pool) -> Surface:
    """Lay the plate, with its joint, and the weld in it."""
    x, y = seen.x_mm, seen.y_mm
    moved = plate.offset_mm - plate.travel_mm
    along_mm, across_mm = x + moved % (textures.SIZE / 12), y + plate.offset_mm * 0.6
    cloud = textures.lookup("cloud", along_mm * 12, across_mm * 12, seen.pixel_mm * 12)
    inside = _inside(x, y, pool, cloud)
    molten = step(inside * 7)
    solid = 1 - molten
    bead = _bead(x, y, pool, cloud)
    bead *= solid
    height = _grain(seen, plate, moved)
    height *= solid - bead
    height += _ripples(seen, pool, cloud, moved) * bead
    height -= 0.25 * molten
    if pool.wave > 0:
        waves = np.sqrt(seen.square_mm) * (2 * math.pi / pool.wave_mm)
        waves += cloud
        waves -= pool.wave_phase
        height += np.sin(waves, out=waves) * pool.wave * molten
    albedo = _tinted(cloud, inside, plate)
    if plate.joint_gap_mm > 0:
        _cut_joint(seen, plate, pool, albedo)
    solid *= 0.85
    solid += 0.15
    albedo *= solid
    glow = _mirror(seen, pool, cloud, inside)
    glow *= molten
    glow += _rim(seen, inside, cloud)
    bead *= 0.5
    bead += 0.1
    surface = Surface(height, albedo, molten, glow, bead, cloud)
    if plate.shelf_mm < 50:
        _shelf(seen, plate, surface)
    return surface


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


def _bead(x: np.ndarray, y: np.ndarray, pool: Pool, cloud: np.ndarray) -> np.ndarray:
    near = 0.36 * cloud
    near -= 3 * np.abs(y)
    near += 3 * pool.bead_half_width_mm
    bead = step(near)
    behind = x * 1.5
    behind += 0.45 * pool.front_mm
    bead *= step(behind)
    return bead


def _ripples(seen: View, pool: Pool, cloud: np.ndarray, moved: float) -> np.ndarray:
    """Return the bead's height: a crown, even ripples that repeat the pool's tail, and fine uneven lines along them."""
    square = seen.y_mm * (1 / pool.bead_half_width_mm)
    square *= square
    behind = pool.ripple_bow * square
    behind += seen.x_mm
    lines = textures.lookup("streak", seen.y_mm * 12, (behind + moved % 128) * 32, seen.pixel_mm * 32)
    behind *= 2 * math.pi / pool.ripple_pitch_mm
    behind += 1.2 * cloud
    height = np.sin(behind, out=behind)
    height += 0.8 * lines
    height *= pool.ripple_mm
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
    rows, columns = seen.window(-pool.front_mm - 20, plate.joint_y_mm, 20 + 0.5 * pool.front_mm)
    x, y = seen.x_mm[rows, columns], seen.y_mm[rows, columns]
    joint = np.exp(-(((y - plate.joint_y_mm) / plate.joint_gap_mm) ** 2))
    joint *= step(-x - 0.5 * pool.front_mm)
    albedo[rows, columns] *= 1 - 0.85 * joint


def _rim(seen: View, inside: np.ndarray, cloud: np.ndarray) -> np.ndarray:
    """Return the light that the rounded rim of the pool throws back."""
    rim = inside * (1 / 0.09)
    rim *= rim
    np.negative(rim, out=rim)
    np.exp(rim, out=rim)
    rim *= 0.012 + 0.0072 * cloud
    rim /= 1 + 0.05 * seen.square_mm
    return rim


def _mirror(seen: View, pool: Pool, cloud: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the arc's mirror image, bright at the foot of the arc, and the skin of oxide that floats on the tail."""
    distance = 14 * seen.from_weld_u**2 + (1 + 14 * (1.6 * (seen.from_weld_v + 0.06)) ** 2)
    distance *= distance
    image = np.divide(pool.mirror, distance, out=distance)
    depth = np.clip(inside, 0, 1)
    depth *= -0.5 * pool.sheen
    depth += 1.2 * pool.sheen
    image += depth
    if pool.islands > 0:
        islands = step((cloud - 2.2 + 2.6 * pool.islands) * 6)
        islands *= seen.x_mm > 0.15 * pool.tail_mm
        image *= 1 + 0.9 * islands
    return image


def _shelf(seen: View, plate: Plate, surface: Surface) -> None:
    """A near plate that stands higher hides the near part of the pool behind a lit edge."""
    front = seen.y_mm - plate.shelf_mm + plate.shelf_bend * (0.12 * seen.x_mm) ** 2 - 0.2 * surface.cloud
    hidden = step(front * 2.5)
    shown = 1 - hidden
    surface.pool *= shown
    surface.glow *= shown
    surface.glow += 0.02 * np.exp(-((front / 0.35) ** 2)) / (1 + 0.06 * seen.x_mm**2)
    surface.albedo += hidden * (0.45 * plate.albedo * (1 + 0.2 * surface.cloud) - surface.albedo)
    surface.height_mm *= 1 - 0.8 * hidden
