"""From the plate to the frame: the camera's view, the arc's light, what stands in front, the sensor."""

from dataclasses import dataclass

import numpy as np

from weldbench.weldsim import textures
from weldbench.weldsim.scene import Camera, Plate, Sensor, Torch

ASPECT = 700 / 1280


@dataclass
class View:
    """The frame's points: u (1, 1, W) and v (1, h, 1) in half widths; the same on the plate, (N, h, W), in mm."""

    u: np.ndarray
    v: np.ndarray
    x_mm: np.ndarray
    y_mm: np.ndarray
    square_mm: np.ndarray  # of the distance from the point under the arc
    from_weld_u: np.ndarray
    from_weld_v: np.ndarray
    pixel_mm: np.ndarray
    step_u: float
    step_v: float


def view(camera: Camera, u: np.ndarray, v: np.ndarray, step_u: float, step_v: float) -> View:
    """Project the frame's points onto the plate."""
    from_weld_u, from_weld_v = u - camera.weld_u, v - camera.weld_v
    cos, sin = np.cos(camera.tilt_rad), np.sin(camera.tilt_rad)
    down = cos * from_weld_v - sin * from_weld_u
    nearness = 1 / np.maximum(camera.scale_per_mm * (1 + camera.perspective * down), 0.01)
    x_mm = (cos * from_weld_u + sin * from_weld_v) * camera.mirror
    x_mm *= nearness
    down *= nearness
    down /= camera.foreshortening
    pixel_mm = max(step_u, step_v) / camera.scale_per_mm
    square_mm = x_mm * x_mm
    square_mm += down * down
    return View(u, v, x_mm, down, square_mm, from_weld_u, from_weld_v, pixel_mm, step_u, step_v)


def relief(height_mm: np.ndarray, seen: View) -> np.ndarray:
    """Return the rise of a surface away from the arc, mm: X dh/dX + Y dh/dY, positive where it faces the arc.

    The derivative along the rays from the point under the arc is the same in the frame as on the plate, because the
    view is (but for the perspective) linear about that point.
    """
    along_u = np.empty_like(height_mm)
    along_u[..., 1:-1] = height_mm[..., 2:] - height_mm[..., :-2]
    along_u[..., 0], along_u[..., -1] = along_u[..., 1], along_u[..., -2]
    along_u *= seen.from_weld_u / np.float32(2 * seen.step_u)
    along_v = np.empty_like(height_mm)
    along_v[..., 1:-1, :] = height_mm[..., 2:, :] - height_mm[..., :-2, :]
    along_v[..., 0, :], along_v[..., -1, :] = along_v[..., 1, :], along_v[..., -2, :]
    along_v *= seen.from_weld_v / np.float32(2 * seen.step_v)
    along_u += along_v
    return along_u


def add_arc(radiance: np.ndarray, seen: View, camera: Camera, torch: Torch) -> None:
    """Add the arc's column, its rays and the glow around it."""
    tip_u, tip_v = camera.weld_u + torch.lean, camera.weld_v - torch.arc_length
    below = seen.v - tip_v
    across = seen.u - tip_u + torch.lean * below / torch.arc_length
    length = np.maximum(below, 0)
    width = torch.column_width + torch.column_spread * length
    column = 1 / (1 + (length / (0.7 * torch.arc_length)) ** 2)
    # A column leaves its brightness behind over a length, not in a point: it fades in just above the tip.
    column *= torch.brightness * np.clip(1 + below / 0.02, 0, 1)
    # It ends on the weld; what seems to go on below is its mirror image, which the pool draws.
    column /= 1 + (np.maximum(below - torch.arc_length, 0) / 0.07) ** 2
    ratio = across / width
    shape = np.exp(-(ratio**2))
    if np.any(torch.rays > 0):
        shape *= 1 - torch.rays * (0.5 + 0.5 * np.sin(ratio * torch.ray_count + torch.ray_phase))
    shape *= column
    radiance += shape
    distance = (seen.u - tip_u) ** 2 + (1.1 * (below - 0.3 * torch.arc_length)) ** 2
    distance /= torch.halo_radius**2
    distance += 1
    radiance += torch.halo / (distance * np.sqrt(distance))


def occlude_by_torch(radiance: np.ndarray, seen: View, camera: Camera, torch: Torch) -> None:
    """Draw the electrode and the nozzle in front of everything."""
    tip_u, tip_v = camera.weld_u + torch.lean, camera.weld_v - torch.arc_length
    rows = seen.v[0, :, 0] < np.max(tip_v) + 0.06
    if not rows.any():
        return
    v, part = seen.v[:, rows], radiance[:, rows]
    above = tip_v - v
    radius = torch.electrode_radius * np.clip(0.25 + above / (2.2 * torch.electrode_radius), 0, 1)
    stub = step((radius - np.abs(seen.u - tip_u)) / 0.008) * step(above / 0.01)
    part += stub * (torch.electrode_brightness - part)
    rim_v = tip_v - torch.stickout
    across = (seen.u - tip_u) / torch.nozzle_radius
    rim = rim_v - torch.nozzle_drop * (1 - np.sqrt(np.clip(1 - across**2, 0, 1)))
    if np.any(torch.nozzle_ragged > 0):
        ragged = textures.lookup("flake", seen.u * 420 + torch.ray_phase * 40, v * 60 + 7, np.float32(1))
        rim = rim + torch.nozzle_ragged * (ragged - 0.3)
    nozzle = step((rim - v) / 0.012) * (np.abs(across) < 1)
    lit = torch.nozzle_brightness * (0.25 + np.exp(-np.clip(rim - v, 0, None) / 0.08))
    part += nozzle * (lit - part)
    radiance[:, rows] = part


def occlude_by_edge(radiance: np.ndarray, seen: View, plate: Plate) -> None:
    """Draw the near edge of the plate: a lit band out of focus, and the dark behind it."""
    if np.min(plate.edge_v) > 0.6:
        return
    beyond = (seen.v - plate.edge_v - plate.edge_slope * seen.u) / plate.edge_blur
    dark = step(beyond)
    band = np.exp(-((beyond - 0.3) ** 2)) * plate.edge_band * (0.25 + 0.75 * np.exp(-4 * seen.from_weld_u**2))
    void = 0.18 * plate.edge_band * np.exp(-np.clip(beyond, 0, None) * 0.5) + 0.0015
    radiance += dark * (void - radiance)
    radiance += band


def expose(radiance: np.ndarray, seen: View, sensor: Sensor) -> np.ndarray:
    """Turn radiance into grey levels, uint8, by a logarithmic response, the sensor's line pattern and its noise."""
    radiance += sensor.haze
    radiance *= sensor.exposure / sensor.toe
    radiance *= 1 - sensor.vignette * (seen.u**2 + seen.v**2)
    np.maximum(radiance, 0, out=radiance)
    grey = np.log1p(radiance, out=radiance)
    grey *= (sensor.white - sensor.black) / np.log1p(1 / sensor.toe)
    row = np.rint((seen.v + ASPECT) / seen.step_v - 0.5).astype(np.int32)
    column = np.rint((seen.u + 1) / seen.step_u - 0.5).astype(np.int32)
    if seen.step_v < 0.005:  # a coarser image averages the line pattern away
        grey *= 1 + sensor.row_pattern * ((row & 1) * 2 - 1).astype(np.float32)
    grain = textures.white_noise()[(row * 7 + sensor.noise_offset) & 511, (column + sensor.noise_offset // 512) & 511]
    grain *= sensor.noise
    grey += grain
    grey += sensor.black + 0.5
    return np.clip(grey, 0, 255, out=grey).astype(np.uint8)


def step(value: np.ndarray) -> np.ndarray:
    """Rise smoothly from 0 at -1 to 1 at 1."""
    value = value * 0.5
    value += 0.5
    np.clip(value, 0, 1, out=value)
    rise = value * -2
    rise += 3
    rise *= value
    rise *= value
    return rise
