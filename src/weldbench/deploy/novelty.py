"""How strange a frame is to an export: how far its features lie from those of every class that the network learned.

The score is the Mahalanobis distance to the nearest class (Lee, Lee, Lee and Shin 2018, "A simple unified framework for
detecting out-of-distribution samples and adversarial attacks"): each class has its mean, and all share one covariance.
Features are divided by their length before (Mueller and Hein 2025, "Mahalanobis++: Improving OOD detection via feature
normalization"): how bright or rich in contrast a frame is changes their length, what it shows their direction. They are
many and frames few, so the covariance is that of probabilistic principal components (Tipping and Bishop 1999): its
largest directions as measured, and one variance for all others together. `benchmarks/novelty.py` compares other scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from weldbench.deploy.novelty_limit import Limit, about_limit
from weldbench.errors import InputError
from weldbench.runtime.atomic import replacing

if TYPE_CHECKING:
    from weldbench.deploy.bundle import Bundle

DIRECTIONS = 64  # at most; of 4,000 features they take 1 MB
_SMALLEST = 1e-3  # of the mean variance of a feature: what never varies would make every other frame infinitely far
_AGAIN = "copy the folder of the export again, or export the model again"

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Features:
    """How features of the training frames are distributed.

    Attributes:
        means: Of each class that has frames, shape (K, F).
        directions: Orthonormal, of the largest variance within the classes, shape (D, F).
        variances: Along the directions, shape (D,).
        rest: Variance along each other direction.
        by_length: Whether features are divided by their length, as those of an export are.
    """

    means: FloatArray
    directions: FloatArray
    variances: FloatArray
    rest: float
    by_length: bool = True

    @classmethod
    def of(cls, features: NDArray[np.float32], labels: NDArray[np.int64], by_length: bool = True) -> "Features":
        """Fit to training frames.

        Args:
            features: float32, shape (N, F).
            labels: Class of each frame, int64, shape (N,).
            by_length: Whether to divide the features of each frame by their length first.
        """
        classes, number = np.unique(labels, return_inverse=True)
        rows = _rows(features, by_length)
        means = np.stack([rows[number == label].mean(axis=0) for label in range(len(classes))])
        rows -= means[number]
        variances, directions = _largest(rows)
        total, width, kept = float(np.square(rows).sum()) / len(rows), rows.shape[1], len(variances)
        smallest = max(_SMALLEST * total / width, np.finfo(np.float32).tiny)
        rest = (total - variances.sum()) / max(width - kept, 1)
        # As float32: what is computed with before it is stored is what is read back.
        return cls(
            means.astype(np.float32).astype(np.float64),
            directions.astype(np.float32).astype(np.float64),
            np.maximum(variances, smallest),
            max(float(rest), smallest),
            by_length,
        )

    def scores(self, features: NDArray[np.float32]) -> FloatArray:
        """Return how strange frames are: 1 for a typical training frame, more for stranger ones.

        The distance is divided by the square root of the number of features.

        Args:
            features: float32, shape (N, F), as a session gives them.

        Returns:
            float64, shape (N,).

        Example:
            >>> known = np.array([[3, 4], [4, 3], [3, -4], [4, -3]], np.float32)
            >>> fitted = Features.of(known, np.array([0, 0, 1, 1]))
            >>> fitted.scores(np.array([[3, 4], [30, -40], [-3, 4]], np.float32)).round(2).tolist()
            [1.0, 1.0, 9.22]
        """
        rows = _rows(features, self.by_length)
        nearest = np.full(len(rows), np.inf)
        for mean in self.means:
            away = rows - mean
            along = away @ self.directions.T
            beside = np.maximum((away**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
            nearest = np.minimum(nearest, (along**2 / self.variances).sum(axis=1) + beside / self.rest)
        found: FloatArray = np.sqrt(nearest / rows.shape[1])
        return found


def _rows(features: NDArray[np.float32], by_length: bool) -> FloatArray:
    """Divide the features of each frame by their length; a single feature has no direction and stays as it is."""
    rows = features.astype(np.float64)
    if by_length and rows.shape[1] > 1:
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        rows /= np.where(length > 0, length, 1.0)
    return rows


def _largest(rows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the largest variances of centered rows, shape (D,), and their directions, shape (D, F)."""
    from scipy.linalg import eigh

    # Of frames or of features, whichever are fewer: the other product would be large.
    wide = len(rows) < rows.shape[1]
    products = rows @ rows.T if wide else rows.T @ rows
    size = len(products)
    values, vectors = eigh(products, subset_by_index=[max(size - DIRECTIONS, 0), size - 1])
    values = np.maximum(values, 0.0)
    if not wide:
        return values / len(rows), vectors.T
    kept = values > values[-1] * size * np.finfo(np.float64).eps
    return values[kept] / len(rows), (vectors[:, kept] / np.sqrt(values[kept])).T @ rows


@dataclass(frozen=True)
class Novelty:
    """The score of an export, and above which one a frame is unknown.

    Attributes:
        fitted: To the features of training frames.
        limit: Of the graph that runs.
    """

    fitted: Features
    limit: Limit

    @classmethod
    def of(cls, bundle: "Bundle", int8: bool = False) -> "Novelty | None":
        """Read that of an export; None where it has none.

        Args:
            bundle: The export.
            int8: Whether its graph in 8-bit integers runs, which has a threshold of its own.

        Raises:
            InputError: The file is damaged.
        """
        return read_novelty(bundle.novelty_path, int8) if bundle.novelty_path else None

    def scores(self, features: NDArray[np.float32]) -> FloatArray:
        """Return how strange frames are, as `Features.scores` does: float64, shape (N,)."""
        return self.fitted.scores(features)

    @property
    def threshold(self) -> float:
        """The score above which a frame is unknown."""
        return self.limit.threshold

    @property
    def told(self) -> str:
        """Say in one sentence what is unknown, and how often a good weld has such a frame."""
        return (
            f"a frame is unknown where its features lie more than {self.threshold:.3g} times as far from every class "
            f"as those of a training frame on average (Mahalanobis distance); {about_limit(self.limit)}"
        )


def write_novelty(path: Path, fitted: Features, limits: Sequence[Limit]) -> None:
    """Write a score and its thresholds, of the graph in float32 and, if it is there, of that in 8-bit integers."""
    arrays: dict[str, Any] = {
        "means": fitted.means.astype(np.float32),
        "directions": fitted.directions.astype(np.float32),
        "variances": fitted.variances,
        "rest": np.float64(fitted.rest),
        "limits": np.array([list(vars(limit).values()) for limit in limits], np.float64),
    }
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)


def read_novelty(path: Path, int8: bool = False) -> Novelty:
    """Read what `write_novelty` wrote, with the threshold of one graph.

    Raises:
        InputError: The file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            means, directions = (found[name].astype(np.float64) for name in ("means", "directions"))
            fitted = Features(means, directions, found["variances"], float(found["rest"]))
            threshold, runs, share, wanted, of_good = found["limits"][int(int8)].tolist()
        return Novelty(fitted, Limit(threshold, int(runs), share, wanted, bool(of_good)))
    except (OSError, ValueError, KeyError, IndexError, EOFError, BadZipFile) as error:
        raise InputError(f"{path}: this file cannot be read: {error}; {_AGAIN}") from None
