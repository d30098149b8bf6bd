"""What a last layer learns from: features of frames with their classes and weights, and how they are standardized."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

_ROWS_AT_ONCE = 4096
_ROUNDING = 1e-5  # of float32 in a mean over many rows, relative


@dataclass(frozen=True)
class ProbeData:
    """What a last layer learns from.

    Attributes:
        features: Of each real training frame as it is, then of its changed views: float32, shape (N, 1 + V, F).
        labels: Class of each frame, int64, shape (N,).
        weights: How much each frame counts, float32, shape (N,).
        runs: Run of each frame, as numbers, int64, shape (N,).
        simulated: Features of simulated frames, float32, shape (M, F); M may be 0.
        simulated_labels: Their classes, int64, shape (M,).
    """

    features: FloatArray
    labels: IntArray
    weights: FloatArray
    runs: IntArray
    simulated: FloatArray
    simulated_labels: IntArray

    def only(self, frames: NDArray[np.bool_]) -> "ProbeData":
        """Return some of the real frames, bool of shape (N,), with their views; the simulated ones stay."""
        return replace(
            self,
            features=self.features[frames],
            labels=self.labels[frames],
            weights=self.weights[frames],
            runs=self.runs[frames],
        )

    def blocks(self, share: float) -> list[FloatArray]:
        """Return features of all real frames and views, and of simulated frames where they have a share; no copies."""
        real = self.features.reshape(-1, self.features.shape[2])
        return [real, self.simulated] if share else [real]

    def labels_and_weights(self, share: float) -> tuple[IntArray, FloatArray]:
        """Return classes and weights of all rows of `blocks`, one after another; the weights sum to 1.

        Args:
            share: Of the simulated frames in the loss, 0 to below 1.
        """
        views = self.features.shape[1]
        labels = np.repeat(self.labels, views)
        weights = np.repeat(self.weights / self.weights.sum() / views, views) * (1 - share)
        if share:
            labels = np.concatenate([labels, self.simulated_labels])
            weights = np.concatenate([weights, np.full(len(self.simulated), share / len(self.simulated))])
        return labels, weights.astype(np.float32)


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation of each feature, float32, shape (F,)."""

    mean: FloatArray
    std: FloatArray

    def standardized(self, data: ProbeData, share: float) -> FloatArray:
        """Return all rows that are learned from, standardized: the only copy of the features that a fit makes."""
        blocks = data.blocks(share)
        rows = np.empty((sum(map(len, blocks)), len(self.mean)), np.float32)
        start = 0
        for block in blocks:
            np.subtract(block, self.mean, out=rows[start : start + len(block)])
            start += len(block)
        rows /= self.std
        return rows


def scale_of(data: ProbeData, share: float) -> Scale:
    """Return the scale of all that is learned from, simulated frames with their share."""
    rows = [
        block[start : start + _ROWS_AT_ONCE]
        for block in data.blocks(share)
        for start in range(0, len(block), _ROWS_AT_ONCE)
    ]
    _, weights = data.labels_and_weights(share)
    parts = list(zip(rows, np.split(weights, np.cumsum([len(some) for some in rows])[:-1]), strict=True))
    mean, variance = np.zeros((2, data.features.shape[2]), np.float32)
    for some, weight in parts:
        mean += weight @ some
    # The mean of squares, less the square of the mean, would lose the digits that count.
    for some, weight in parts:
        variance += weight @ np.square(some - mean)
    std = np.sqrt(variance)
    # What is the same in all frames but for rounding says nothing; divided by almost 0 it would decide on other frames.
    return Scale(mean, np.where(std > _ROUNDING * np.abs(mean), std, np.float32(1)))
