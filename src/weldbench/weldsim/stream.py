"""The endless stream of simulated frames for pretraining."""

import numpy as np

from weldbench.weldsim.recipes import wide_scene
from weldbench.weldsim.render import render
from weldbench.weldsim.scene import CLASSES


def render_batch(rng: np.random.Generator, frames: int, side_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Render frames that have nothing in common: each has a camera, a plate and a process of its own.

    Args:
        rng: Source of every choice; the same generator gives the same batch.
        frames: How many.
        side_px: Height and width of a frame, into which the whole field of view is squeezed.

    Returns:
        Frames, uint8, shape (frames, side_px, side_px), and labels, int64, shape (frames,), each class equally likely.
    """
    labels = rng.integers(len(CLASSES), size=frames)
    pictures = [render(wide_scene(rng, CLASSES[label]), side_px, side_px) for label in labels]
    return np.stack(pictures), labels
