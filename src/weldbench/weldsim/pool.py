"""The plate, the molten pool and the bead behind it: heights, albedos and radiance before the light falls on them."""

from dataclasses import dataclass

import numpy as np

from weldbench.weldsim import textures
from weldbench.weldsim.optics import View, step
from weldbench.weldsim.scene import Plate, Pool


@dataclass
class Surface:
    """What lies under the arc, each (N, h, W), float32.

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
    cloud = textures.lookup("cloud", (x + moved) * 12, y * 12 + plate.offset_mm * 7, seen.pixel_mm * 12)
    grain = _grain(seen, plate, moved)
    inside = _inside(x, y, pool, cloud)
    molten = step(inside * 7)
    bead = step((pool.bead_half_width_mm + 0.12 * cloud - np.abs(y)) * 3)
    bead *= step((x + 0.3 * pool.front_mm) * 1.5)
    bead *= 1 - molten
    height = grain * (1 - np.maximum(bead, molten))
    height += bead * _ripples(x, y, pool, cloud)
    albedo = plate.albedo * (1 + plate.mottle * cloud)
    # Heat bleaches the plate beside the pool, oxide darkens it a little farther out.
    albedo *= 1 + 0.35 / (1 + 6 * (inside + 0.5) ** 2) - 0.15 / (1 + 4 * (inside + 1.6) ** 2)
    if np.any(plate.joint_gap_mm > 0):
        joint = np.exp(-(((y - plate.joint_y_mm) / np.maximum(plate.joint_gap_mm, 0.02)) ** 2))
        joint *= step(-x - 0.5 * pool.front_mm) * (plate.joint_gap_mm > 0)
        albedo *= 1 - 0.85 * joint
    rim = np.exp(-((inside / 0.09) ** 2))
    height -= 0.25 * molten
    glow = _mirror(seen, pool, cloud, inside) * molten
    glow += rim * 0.012 * (1 + 0.6 * cloud) / (1 + 0.05 * seen.square_mm)
    albedo *= 1 - 0.85 * molten
    waves = pool.wave * np.sin(np.sqrt(seen.square_mm) * (6.283 / pool.wave_mm) - pool.wave_phase + cloud)
    height += waves * molten
    surface = Surface(height, albedo, molten, glow, 0.5 * bead + 0.1, cloud)
    _shelf(seen, plate, surface)
    return surface


def _grain(seen: View, plate: Plate, moved: np.ndarray) -> np.ndarray:
    cos, sin = np.cos(plate.grain_angle_rad) / plate.grain_mm, np.sin(plate.grain_angle_rad) / plate.grain_mm
    x, y = seen.x_mm + moved, seen.y_mm
    along, across = cos * x + sin * y, cos * y - sin * x
    footprint = seen.pixel_mm / plate.grain_mm
    return plate.relief * textures.lookup(plate.texture, along, across, footprint)


def _inside(x: np.ndarray, y: np.ndarray, pool: Pool, cloud: np.ndarray) -> np.ndarray:
    """Return 1 in the middle of the pool, 0 at its rim, negative outside: an ellipse in front, a drop behind."""
    along = np.maximum(x * (1 / pool.tail_mm), x * (-1 / pool.front_mm))
    behind = np.clip(x * (1 / pool.tail_mm), 0, 1)
    half_width = pool.half_width_mm * (1 - pool.taper * behind)
    inside = 1 - along * along - (y / half_width) ** 2
    inside += pool.wobble * cloud
    return inside


def _ripples(x: np.ndarray, y: np.ndarray, pool: Pool, cloud: np.ndarray) -> np.ndarray:
    across = y / pool.bead_half_width_mm
    square = across * across
    phase = (x + pool.ripple_bow * square) * (6.283 / pool.ripple_pitch_mm) + 1.2 * cloud
    height = np.sin(phase)
    height *= pool.ripple_mm
    height += pool.crown_mm * (1 - square)
    return height


def _mirror(seen: View, pool: Pool, cloud: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the arc's mirror image, bright at the foot of the arc, and the skin of oxide that floats on the tail."""
    distance = seen.from_weld_u**2 + (1.6 * (seen.from_weld_v + 0.06)) ** 2
    image = pool.mirror / (1 + distance * 14) ** 2
    image += pool.sheen * (1.2 - 0.5 * np.clip(inside, 0, 1))
    islands = step((cloud - 2.2 + 2.6 * pool.islands) * 6) * (seen.x_mm > 0.15 * pool.tail_mm)
    image *= 1 + 0.9 * islands * (pool.islands > 0)
    return image


def _shelf(seen: View, plate: Plate, surface: Surface) -> None:
    """A near plate that stands higher hides the near part of the pool behind a lit edge."""
    if np.min(plate.shelf_mm) > 50:
        return
    front = seen.y_mm - plate.shelf_mm + plate.shelf_bend * (0.12 * seen.x_mm) ** 2 - 0.2 * surface.cloud
    hidden = step(front * 2.5)
    surface.pool *= 1 - hidden
    surface.glow *= 1 - hidden
    surface.glow += 0.02 * np.exp(-((front / 0.35) ** 2)) / (1 + 0.06 * seen.x_mm**2)
    surface.albedo += hidden * (0.45 * plate.albedo * (1 + 0.2 * surface.cloud) - surface.albedo)
    surface.height_mm *= 1 - 0.8 * hidden
