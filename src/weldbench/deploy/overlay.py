"""A frame with what drove the decision about it in red."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from weldbench.deploy.sources import SourceFrame
from weldbench.runtime.atomic import replacing

_STRENGTH = 0.6  # of the red where the heat is highest


def write_overlay(folder: Path, frame: SourceFrame, pixels: NDArray[np.uint8], heat: NDArray[np.float32]) -> None:
    """Write a frame with its heat map as a PNG, named by its source and its own name.

    Args:
        folder: Where to; it is made if it is missing.
        frame: Whose name it gets.
        pixels: uint8, shape (H, W).
        heat: 0 to 1, float32, shape (h, w).
    """
    size = (pixels.shape[1], pixels.shape[0])
    smooth = np.asarray(Image.fromarray(heat).resize(size, Image.Resampling.BILINEAR)) * _STRENGTH
    red, rest = pixels + (255 - pixels) * smooth, pixels * (1 - smooth)
    colors = np.stack([red, rest, rest], axis=-1).round().astype(np.uint8)
    name = re.sub(r"[^\w.-]+", "_", f"{frame.source}_{frame.frame}").strip("_.")
    with replacing(folder / f"{name[-150:]}.png") as partial:
        Image.fromarray(colors).save(partial)
