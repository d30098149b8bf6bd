"""How strange a frame is to an export: how far its features lie from those of every class that the network learned.

The score is the Mahalanobis distance to the nearest class (Lee, Lee, Lee and Shin 2018, "A simple unified framework for
detecting out-of-distribution samples and adversarial attacks"): each class has its mean, and all share one covariance.
Features are many and frames few, so the covariance is that of probabilistic principal components (Tipping and Bishop
1999): its largest directions as measured, and one variance for all others together. `benchmarks/novelty.py` compares
it with other scores.

The threshold is split conformal (Papadopoulos, Proedrou, Vovk and Gammerman 2002), with a whole weld as one draw: of n
good runs that the fit has not seen, it lies at the largest score in one of them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from weldbench.errors import InputError
from weldbench.runtime.atomic import replacing

if TYPE_CHECKING:
    from weldbench.deploy.bundle import Bundle

DIRECTIONS = 64  # at most; of 4,000 features they take 1 MB
_SMALLEST = 1e-3  # of the mean variance of a feature: what never varies would make every other frame infinitely far
_AGAIN = "copy the folder of the export again, or export the model again"

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Limit:
    """The score above which a frame is unknown, and what it was set by.

    Attributes:
        threshold: The score.
        runs: Runs of valid that set it.
        share: Of such welds, the share that has an unknown frame on average is at most this.
        wanted: The share that was asked for; `share` is larger where the runs are too few for it.
        of_good: Whether these runs are good; otherwise valid has no run without a defect, and all of its runs count.
    """

    threshold: float
    runs: int
    share: float
    wanted: float
    of_good: bool


@dataclass(frozen=True)
class Features:
    """How features of the training frames are distributed.

    Attributes:
        means: Of each class that has frames, shape (K, F).
        directions: Orthonormal, of the largest variance within the classes, shape (D, F).
        variances: Along the directions, shape (D,).
        rest: Variance along each other direction.
    """

    means: FloatArray
    directions: FloatArray
    variances: FloatArray
    rest: float

    @classmethod
    def of(cls, features: NDArray[np.float32], labels: NDArray[np.int64]) -> "Features":
        """Fit to training frames.

        Args:
            features: float32, shape (N, F).
            labels: Class of each frame, int64, shape (N,).
        """
        classes, number = np.unique(labels, return_inverse=True)
        rows = features.astype(np.float64)
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
        )

    def scores(self, features: NDArray[np.float32]) -> FloatArray:
        """Return how strange frames are: 1 for a typical training frame, more for stranger ones.

        The distance is divided by the square root of the number of features.

        Args:
            features: float32, shape (N, F), as a session gives them.

        Returns:
            float64, shape (N,).

        Example:
            >>> known = np.array([[0, 0], [0, 2], [10, 0], [10, 2]], np.float32)
            >>> fitted = Features.of(known, np.array([0, 0, 1, 1]))
            >>> fitted.scores(np.array([[0, 1], [10, 4]], np.float32)).round(2).tolist()
            [0.0, 2.12]
        """
        rows = features.astype(np.float64)
        nearest = np.full(len(rows), np.inf)
        for mean in self.means:
            away = rows - mean
            along = away @ self.directions.T
            beside = np.maximum((away**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
            nearest = np.minimum(nearest, (along**2 / self.variances).sum(axis=1) + beside / self.rest)
        found: FloatArray = np.sqrt(nearest / rows.shape[1])
        return found


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


def limit_for(
    scores: FloatArray, labels: NDArray[np.int64], runs: NDArray[Any], wanted: float, has_good: bool
) -> Limit:
    """Set the threshold so that at most a share of good welds has a frame above it, on average.

    Args:
        scores: Of the frames of valid, float64, shape (N,).
        labels: Class of each frame, int64, shape (N,); 0 is the good one, if there is one.
        runs: Run of each frame, shape (N,).
        wanted: Share of good welds, between 0 and 1.
        has_good: Whether there is a good class.

    Example:
        >>> scores, runs = np.arange(1.0, 41.0), np.arange(40)
        >>> limit = limit_for(scores, np.zeros(40, np.int64), runs, 0.05, has_good=True)
        >>> limit.threshold, limit.runs, limit.share
        (39.0, 40, 0.05)
    """
    names, of_frame = np.unique(runs, return_inverse=True)
    largest = np.full(len(names), -np.inf)
    np.maximum.at(largest, of_frame, scores)
    good = np.bincount(of_frame, weights=labels != 0) == 0
    of_good = has_good and bool(good.any())
    ordered = np.sort(largest[good] if of_good else largest)
    count = len(ordered)
    # So many of `count` + 1 welds, the next one among them, may have a larger score.
    above = max(math.floor(wanted * (count + 1) * (1 + 1e-9)), 1)
    share = max(wanted, 1 / (count + 1))
    return Limit(float(ordered[count - above]), count, share, wanted, of_good)


def about_limit(limit: Limit) -> str:
    """Say how often a weld like those of valid has an unknown frame."""
    kind = "good" if limit.of_good else "of any kind, as valid has no good run,"
    which = "good runs" if limit.of_good else "runs"
    found = (
        f"of {'good welds' if limit.of_good else f'welds {kind}'} like the {limit.runs} {which} of valid that set it, "
        f"at most {limit.share:.1%} have such a frame, on average"
    )
    if limit.share <= limit.wanted:
        return found
    needed = math.ceil(round(1 / limit.wanted, 9)) - 1
    return f"{found}; {limit.wanted:.1%} were asked for, which takes {needed} {which}"


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
