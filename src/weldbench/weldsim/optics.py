"""From the plate to the frame: the camera's view, the arc's light, what stands in front, the sensor."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weldbench.weldsim import textures
from weldbench.weldsim.scene import Camera, Plate, Sensor, Torch

ASPECT = 700 / 1280


@dataclass(frozen=True)
class View:
    """The frame's points: u (1, W) and v (h, 1) in half widths; the same on the plate, (h, W), in mm; all float32."""

    camera: Camera
    u: np.ndarray
    v: np.ndarray
    from_weld_u: np.ndarray
    from_weld_v: np.ndarray
    x_mm: np.ndarray
    y_mm: np.ndarray
    square_mm: np.ndarray  # of the distance from the point under the arc
    step_u: float
    step_v: float

    @property
    def pixel_mm(self) -> float:
        """Length on the plate that a pixel spans under the arc."""
        return max(self.step_u, self.step_v) / self.camera.scale_per_mm

    def window(self, x_mm: float, y_mm: float, along_mm: float, across_mm: float) -> tuple[slice, slice]:
        """Return the rows and columns in which a rectangle of the plate lies, given by its middle and its half sides.

        What is drawn only there costs only as much as it is large in the frame.
        """
        camera = self.camera
        corners_u, corners_v = [], []
        for x in (x_mm - along_mm, x_mm + along_mm):
            for y in (y_mm - across_mm, y_mm + across_mm):
                # A plate seen so obliquely has a horizon: what lies near it or beyond it counts as far away.
                down = y * camera.foreshortening * camera.scale_per_mm
                down /= max(1 - down * camera.perspective, 0.05)
                along = x * camera.mirror * camera.scale_per_mm * max(1 + camera.perspective * down, 0.05)
                cos, sin = math.cos(camera.tilt_rad), math.sin(camera.tilt_rad)
                corners_u.append(camera.weld_u + cos * along - sin * down)
                corners_v.append(camera.weld_v + sin * along + cos * down)
        rows = _within(self.v[:, 0], min(corners_v), max(corners_v), self.step_v)
        return rows, _within(self.u[0], min(corners_u), max(corners_u), self.step_u)


def _within(points: np.ndarray, low: float, high: float, step: float) -> slice:
    first = min(max(math.floor((low - float(points[0])) / step), 0), len(points))
    last = min(max(math.ceil((high - float(points[0])) / step) + 1, first), len(points))
    return slice(first, last)


def view(camera: Camera, u: np.ndarray, v: np.ndarray, step_u: float, step_v: float) -> View:
    """Project the frame's points, u (1, W) and v (h, 1), onto the plate."""
    from_weld_u, from_weld_v = u - camera.weld_u, v - camera.weld_v
    cos, sin = math.cos(camera.tilt_rad), math.sin(camera.tilt_rad)
    y_mm = cos * from_weld_v - sin * from_weld_u
    mm_per_u = y_mm * (camera.perspective * camera.scale_per_mm)
    mm_per_u += camera.scale_per_mm
    np.maximum(mm_per_u, 0.01, out=mm_per_u)
    np.divide(1, mm_per_u, out=mm_per_u)
    x_mm = cos * camera.mirror * from_weld_u + sin * camera.mirror * from_weld_v
    x_mm *= mm_per_u
    y_mm *= mm_per_u
    y_mm /= camera.foreshortening
    square_mm = x_mm * x_mm
    square_mm += y_mm * y_mm
    return View(camera, u, v, from_weld_u, from_weld_v, x_mm, y_mm, square_mm, step_u, step_v)


def relief(height_mm: np.ndarray, seen: View) -> np.ndarray:
    """Return the rise of a surface away from the arc, mm: X dh/dX + Y dh/dY, positive where it faces the arc.

    The derivative along the rays from the point under the arc is the same in the frame as on the plate, because the
    view is (but for the perspective) linear about that point.
    """
    along_u = np.empty_like(height_mm)
    np.subtract(height_mm[:, 2:], height_mm[:, :-2], out=along_u[:, 1:-1])
    along_u[:, 0], along_u[:, -1] = along_u[:, 1], along_u[:, -2]
    along_u *= seen.from_weld_u / (2 * seen.step_u)
    along_v = np.empty_like(height_mm)
    np.subtract(height_mm[2:], height_mm[:-2], out=along_v[1:-1])
    along_v[0], along_v[-1] = along_v[1], along_v[-2]
    along_v *= seen.from_weld_v / (2 * seen.step_v)
    along_u += along_v
    return along_u


def add_arc(radiance: np.ndarray, seen: View, torch: Torch) -> None:
    """Add the arc's column, its rays and the glow around it."""
    tip_u, tip_v = seen.camera.weld_u + torch.lean, seen.camera.weld_v - torch.arc_length
    below = seen.v - tip_v
    lit = slice(int((below < -0.02).sum()), None)
    length = np.maximum(below[lit], 0)
    # A column leaves its brightness behind over a length, not in a point: it fades in just above the tip.
    column = torch.brightness * np.clip(1 + below[lit] / 0.02, 0, 1)
    column /= 1 + (length / (0.5 * torch.arc_length)) ** 2
    # It ends on the weld; what seems to go on below is its mirror image, which the pool draws.
    column /= 1 + (np.maximum(length - torch.arc_length, 0) / 0.07) ** 2
    ratio = seen.u - tip_u + torch.lean / torch.arc_length * below[lit]
    ratio /= torch.column_width + torch.column_spread * length
    # Hot gas has no surface: the column's light falls off softly, like a power of the distance.
    shape = ratio * ratio
    shape *= 0.25
    shape += 1
    shape *= shape
    shape *= shape
    np.divide(1, shape, out=shape)
    if torch.rays > 0:
        ratio *= torch.ray_count
        ratio += torch.ray_phase
        shape *= 1 - torch.rays * (0.5 + 0.5 * np.sin(ratio, out=ratio))
    shape *= column
    radiance[lit] += shape
    distance = ((seen.u - tip_u) / torch.halo_radius) ** 2 + (
        (1.1 * (below - 0.3 * torch.arc_length) / torch.halo_radius) ** 2 + 1
    )
    distance *= distance
    np.divide(torch.halo, distance, out=distance)
    if torch.fumes > 0:
        shift = torch.ray_phase * 5
        smoke = textures.lookup("cloud", seen.u * 170 + shift, seen.v * 170 + 3 * shift, 170 * seen.step_u)
        distance *= np.maximum(1 + torch.fumes * smoke, 0.2)
    radiance += distance


def occlude_by_torch(radiance: np.ndarray, seen: View, torch: Torch) -> None:
    """Draw the electrode and the nozzle in front of everything."""
    tip_u, tip_v = seen.camera.weld_u + torch.lean, seen.camera.weld_v - torch.arc_length
    rows = slice(0, int((seen.v < tip_v + 0.06).sum()))
    if not rows.stop:
        return
    v, part = seen.v[rows], radiance[rows]
    above = tip_v - v
    radius = torch.electrode_radius * np.clip(0.25 + above / (2.2 * torch.electrode_radius), 0, 1)
    stub = step((radius - np.abs(seen.u - tip_u)) / 0.008)
    stub *= step(above / 0.01)
    part += stub * (torch.electrode_brightness - part)
    across = (seen.u - tip_u) / torch.nozzle_radius
    rim = tip_v - torch.stickout - torch.nozzle_drop * (1 - np.sqrt(np.clip(1 - across**2, 0, 1)))
    if torch.nozzle_ragged > 0:
        # Drops of metal stick to the rim here and there.
        drops = textures.lookup(
            "cloud", seen.u * 500 + torch.ray_phase * 40, np.full((1, 1), 7.0, np.float32), 500 * seen.step_u
        )
        rim = rim + torch.nozzle_ragged * np.maximum(drops - 0.4, 0)
    into = rim - v
    nozzle = step(into / 0.012)
    nozzle *= np.abs(across) < 1
    lit = np.exp(np.clip(into, 0, None) / -0.08)
    lit += 0.25
    lit *= torch.nozzle_brightness
    part += nozzle * (lit - part)


def occlude_by_edge(radiance: np.ndarray, seen: View, plate: Plate) -> None:
    """Draw the near edge of the plate: a lit band out of focus, and the dark behind it."""
    beyond = (seen.v - plate.edge_v - plate.edge_slope * seen.u) / plate.edge_blur
    rows = slice(int((beyond.max(axis=1) < -2.5).sum()), None)
    beyond, part = beyond[rows], radiance[rows]
    if not part.size:
        return
    band = np.exp(-((beyond - 0.3) ** 2))
    band *= plate.edge_band * (0.25 + 0.75 * np.exp(-4 * seen.from_weld_u**2))
    void = 0.18 * plate.edge_band * np.exp(-np.clip(beyond, 0, None) * 0.5) + 0.0015
    part += step(beyond) * (void - part)
    part += band


def expose(radiance: np.ndarray, seen: View, sensor: Sensor) -> NDArray[np.uint8]:
    """Turn radiance into gray levels, uint8, by a logarithmic response, the sensor's line pattern and its noise."""
    radiance += sensor.haze
    gain = sensor.exposure / sensor.toe
    radiance *= (gain - gain * sensor.vignette * seen.u**2) - gain * sensor.vignette * seen.v**2
    np.maximum(radiance, 0, out=radiance)
    radiance += 1  # log1p would be five times slower, and its precision is not seen
    gray = np.log(radiance, out=radiance)
    row = np.rint((seen.v[:, 0] + ASPECT) / seen.step_v - 0.5).astype(np.int32)
    contrast = np.full(seen.v.shape, (sensor.white - sensor.black) / math.log1p(1 / sensor.toe), np.float32)
    if seen.step_v < 0.005:  # a coarser image averages the line pattern away
        contrast *= 1 + sensor.row_pattern * ((row & 1) * 2 - 1)[:, None].astype(np.float32)
    gray *= contrast
    grain = textures.white_noise()[(row * 7 + sensor.noise_offset) & 511]
    grain = grain * sensor.noise + (sensor.black + 0.5)
    for left in range(0, gray.shape[1], textures.SIZE):
        columns = gray[:, left : left + textures.SIZE]
        columns += grain[:, : columns.shape[1]]
    levels: NDArray[np.uint8] = np.clip(gray, 0, 255, out=gray).astype(np.uint8)
    return levels


def step(value: np.ndarray) -> np.ndarray:
    """Rise smoothly from 0 at -1 to 1 at 1, by (2 + 3 value - value^3) / 4; uses up `value`."""
    np.clip(value, -1, 1, out=value)
    rise: np.ndarray = value * value
    rise -= 3
    rise *= value
    rise *= -0.25
    rise += 0.5
    return rise


def bump(value: np.ndarray, width: float) -> np.ndarray:
    """Return exp(-(value / width)^2); uses up `value`."""
    value *= 1 / width
    value *= value
    np.negative(value, out=value)
    np.exp(value, out=value)
    return value


def is_empty(at: tuple[slice, slice]) -> bool:
    """Tell whether a window has no points."""
    return any(points.start == points.stop for points in at)
