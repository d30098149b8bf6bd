"""Train, valid or test: which frames it has, and these frames in memory."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SplitFrames:
    """The frames of train, valid or test.

    Attributes:
        frames: uint8, shape (U, S, S), each frame once.
        index: Position in `frames` of each of the split's N lines, int64, shape (N,); oversampled lines share a frame.
        rows: Row of the manifest of each line, int64, shape (N,).
        labels: Class of each line, int64, shape (N,).
        weights: Weight of each line in the loss, float32, shape (N,).
    """

    frames: NDArray[np.uint8]
    index: NDArray[np.int64]
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True)
class SplitRows:
    """Which frames train, valid or test has, while they stay on disk.

    Attributes:
        rows: Row of the manifest of each line, int64, shape (N,), sorted.
        labels: Class of each line, int64, shape (N,).
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)
