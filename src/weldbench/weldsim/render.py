"""Rendering: a pure function from scenes to frames, point by point, so that any size comes from the same code."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from PIL import Image, ImageDraw

from weldbench.weldsim import defects, optics, pool
from weldbench.weldsim.scene import Scene

_POINTS = 1 << 17  # points shaded together: few enough for the cache, and so many that numpy's calls do not count


def render(scenes: Sequence[Scene], width_px: int, height_px: int) -> np.ndarray:
    """Render scenes, each for itself.

    A frame always spans the same field, 1280:700; another aspect squeezes it, as resizing a frame does.

    Returns:
        uint8, shape (N, height_px, width_px).

    Raises:
        ValueError: A side is below 8 pixels.
    """
    if min(width_px, height_px) < 8:
        raise ValueError(f"a frame of {width_px} x {height_px} pixels is too small to render; 8 x 8 is the least")
    frames = np.empty((len(scenes), height_px, width_px), np.uint8)
    rows_at_once = max(4, _POINTS // width_px)
    for frame, scene in zip(frames, scenes, strict=True):
        for top in range(0, height_px, rows_at_once):
            bottom = min(height_px, top + rows_at_once)
            frame[top:bottom] = _rows(scene, width_px, height_px, top, bottom)
        if scene.sensor.stamp:
            _burn_in(frame, scene.sensor.stamp)
    return frames


def _burn_in(frame: np.ndarray, stamp_ms: int) -> None:
    """Write the time stamp into the top left corner, as the recorder does: white, a quarter of the frame wide."""
    clock = datetime.fromtimestamp(stamp_ms / 1000, UTC)
    text = f"{stamp_ms // 40 % 1000} {clock:2016-07-05 %H:%M:%S}.{stamp_ms % 1000:03d}"
    height_px, width_px = frame.shape
    letters = Image.new("L", (200, 12))
    ImageDraw.Draw(letters).text((1, 0), text, fill=255)
    shown = letters.resize((max(1, width_px // 4), max(1, height_px // 40)), Image.Resampling.BOX)
    top, left = height_px // 30, width_px // 300
    corner = frame[top : top + shown.height, left : left + shown.width]
    np.maximum(corner, np.asarray(shown)[: corner.shape[0], : corner.shape[1]], out=corner)


def _rows(scene: Scene, width_px: int, height_px: int, top: int, bottom: int) -> np.ndarray:
    # One row more at either side, for the slopes are differences between neighbors.
    step_u, step_v = 2 / width_px, 2 * optics.ASPECT / height_px
    u = ((np.arange(width_px) + 0.5) * step_u - 1).astype(np.float32)[None, :]
    v = ((np.arange(top - 1, bottom + 1) + 0.5) * step_v - optics.ASPECT).astype(np.float32)[:, None]
    seen = optics.view(scene.camera, u, v, step_u, step_v)
    surface = pool.lay(seen, scene.plate, scene.pool)
    defects.apply(seen, scene, surface)
    pool.hide_by_shelf(seen, scene.plate, surface)
    radiance = _lit(seen, surface)
    optics.occlude_by_edge(radiance, seen, scene.plate)
    optics.add_arc(radiance, seen, scene.torch)
    optics.occlude_by_torch(radiance, seen, scene.torch)
    return optics.expose(radiance, seen, scene.sensor)[1:-1]


def _lit(seen: optics.View, surface: pool.Surface) -> np.ndarray:
    """Light the surface by a point above the weld: Lambert's law, a shine on slopes that face the arc."""
    lamp_mm = 3.5
    slope = optics.relief(surface.height_mm, seen)
    distance = seen.square_mm + lamp_mm**2
    slope /= np.sqrt(distance)
    np.clip(slope, -1.0, 2.0, out=slope)
    shine = slope - 0.15
    np.maximum(shine, 0, out=shine)
    shine *= shine
    shine *= surface.gloss
    shine *= 0.8
    slope += shine
    slope += 0.75
    np.maximum(slope, 0.12, out=slope)
    slope *= surface.albedo
    distance *= 0.028
    distance += 1 - 0.028 * lamp_mm**2
    slope /= distance
    slope += surface.glow
    return slope
