"""Time: how a scene moves on from frame to frame, and the endless stream of unrelated frames."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from weldbench.runtime.seeding import Stream, generator
from weldbench.weldsim.domain import Domain, bench_of, process_of
from weldbench.weldsim.draw import scene_of
from weldbench.weldsim.render import render
from weldbench.weldsim.scene import CLASSES, Scene


def at(scene: Scene, seconds: float, speed_mm_s: float) -> Scene:
    """Return a scene as it is later on: the plate has moved, the pool's waves run, torch and exposure drift slowly."""
    phase = scene.plate.offset_mm  # differs between runs, so that they do not drift alike
    slow = math.sin(0.21 * seconds + phase), math.sin(0.13 * seconds + 2 * phase), math.sin(0.37 * seconds + 3 * phase)
    quick = math.sin(5.1 * seconds + phase), math.sin(7.7 * seconds + phase)
    defect, moved_mm = scene.defect, speed_mm_s * seconds
    if len(defect.x_mm):
        # What sticks to the plate travels with it and comes back as the next of its kind.
        first, last = min(-4.0, defect.x_mm.min()), max(8.0, defect.x_mm.max() + 1)
        x_mm = first + (defect.x_mm - first + 0.6 * moved_mm) % (last - first)
        defect = replace(
            defect, x_mm=x_mm, bend=defect.bend + 0.15 * slow[0], strength=defect.strength * (1 + 0.1 * quick[0])
        )
    return replace(
        scene,
        plate=replace(scene.plate, travel_mm=moved_mm),
        camera=replace(scene.camera, weld_v=scene.camera.weld_v + 0.012 * slow[1]),
        torch=replace(
            scene.torch,
            arc_length=scene.torch.arc_length * (1 + 0.05 * slow[0]),
            lean=scene.torch.lean + 0.006 * quick[1],
            brightness=scene.torch.brightness * (1 + 0.05 * quick[0] + 0.35 * scene.torch.rays * quick[1]),
            ray_phase=scene.torch.ray_phase + 9.0 * seconds,
        ),
        pool=replace(
            scene.pool,
            wave_phase=scene.pool.wave_phase + 11.0 * seconds,
            tail_mm=scene.pool.tail_mm * (1 + 0.08 * slow[2]),
            half_width_mm=scene.pool.half_width_mm * (1 + 0.05 * slow[1]),
        ),
        sensor=replace(
            scene.sensor,
            exposure=scene.sensor.exposure * (1 + 0.04 * slow[2]),
            noise_offset=int(scene.sensor.noise_offset + 7919 * round(seconds * 1000)) % (1 << 18),
            stamp=scene.sensor.stamp + round(seconds * 1000) if scene.sensor.stamp else 0,
        ),
    )


def render_batch(
    seed: int | Sequence[int],
    count: int,
    width_px: int,
    height_px: int | None = None,
    domain: Domain | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Render unrelated frames, classes in equal shares and random order: the stream for pretraining.

    Args:
        seed: Same seed, same bytes; a sequence such as (seed, step) names one batch of a stream.
        count: Frames.
        width_px: Width of a frame.
        height_px: Height, by default the width; a frame spans the same field whatever its aspect.
        domain: What the frames may show; None: each frame comes from a bench that its class is likely at.

    Returns:
        Frames, uint8, shape (count, height_px, width_px), and labels, int64, shape (count,).

    Raises:
        ValueError: A side is below 8 pixels, or a number of the seed is negative.

    Example:
        >>> frames, labels = render_batch(seed=0, count=6, width_px=32)
        >>> frames.shape, frames.dtype, sorted(labels.tolist())
        ((6, 32, 32), dtype('uint8'), [0, 1, 2, 3, 4, 5])
    """
    height_px = height_px or width_px
    rng = generator(Stream.SIMULATED_FRAMES, *(seed if isinstance(seed, Sequence) else (seed,)))
    labels = rng.permutation(np.arange(count) + rng.integers(len(CLASSES))) % len(CLASSES)
    scenes = [scene_of(label, process_of(label, rng), domain or bench_of(label, rng), rng) for label in labels.tolist()]
    return render(scenes, width_px, height_px), labels.astype(np.int64)
