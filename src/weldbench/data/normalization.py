"""Pixel levels as a network takes them: less their mean, in standard deviations."""

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Normalization:
    """Mean and standard deviation of pixel values, as shares of the white level.

    A network sees (value / 255 - mean) / std.
    """

    mean: float
    std: float


def normalize(frames: torch.Tensor, normalization: Normalization) -> torch.Tensor:
    """Turn frames, uint8 of shape (B, S, S), into what a network takes: float32, shape (B, 1, S, S)."""
    return frames.unsqueeze(1).float().div_(255.0).sub_(normalization.mean).div_(normalization.std)


def normalization_of(frames: np.ndarray) -> Normalization:
    """Measure the mean and the standard deviation of frames, uint8 of shape (N, S, S); of the latter at least 0.001."""
    # Sums of whole numbers: exact, whatever the order.
    counts = np.zeros(256, np.int64)
    for frame in frames:
        counts += np.bincount(frame.reshape(-1), minlength=256)
    levels = np.arange(256) / 255.0
    mean = float((counts * levels).sum() / counts.sum())
    return Normalization(mean, max(float(np.sqrt((counts * (levels - mean) ** 2).sum() / counts.sum())), 1e-3))
