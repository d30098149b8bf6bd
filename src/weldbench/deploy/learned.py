"""What an exported model learned, as its own features show it: fitted on train, with the thresholds from valid."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from weldbench.data.dataset import Dataset
from weldbench.data.split import SplitRows
from weldbench.deploy.novelty import Features
from weldbench.deploy.novelty_limit import Limit, limit_for
from weldbench.deploy.runtimes import Outputs, Session

_FRAMES_OF_CLASS = 200  # at most; more frames of the same runs would add little to means and covariance
_BATCH_FRAMES = 16


def fit_to_train(session: Session, dataset: Dataset, train: SplitRows) -> Features:
    """Fit the features of training frames, up to 200 of each class, spread over its runs.

    Args:
        session: Of the exported graph.
        dataset: Holds the frames as ingest stored them; the graph sees them as it sees the original ones.
        train: The split.
    """
    rows = rows_to_fit(train.rows, train.labels)
    return fitted(outputs_of_stored(session, dataset, rows).features, dataset.labels_of(rows))


def fitted(features: NDArray[np.float32], labels: NDArray[np.int64]) -> Features:
    """Fit features, float32, shape (N, F), of frames of these classes, int64, shape (N,), in one thread."""
    with threadpool_limits(limits=1):  # another count would change the last bits
        return Features.of(features, labels)


def outputs_of_stored(session: Session, dataset: Dataset, rows: NDArray[np.int64]) -> Outputs:
    """Run stored frames, by their rows, in batches."""
    found = [
        session.run(np.array(dataset.frames[rows[start : start + _BATCH_FRAMES]]))
        for start in range(0, len(rows), _BATCH_FRAMES)
    ]
    return Outputs(*(np.concatenate(pieces) for pieces in zip(*found, strict=True)))


def rows_to_fit(rows: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose up to 200 rows of each class, spread over its runs, int64."""
    return np.concatenate([_spread(rows[labels == label]) for label in np.unique(labels)])


def limit_on_valid(
    strangeness: Sequence[NDArray[np.float64]],
    dataset: Dataset,
    rows: NDArray[np.int64],
    labels: NDArray[np.int64],
    wanted: float,
) -> Limit:
    """Set the threshold of a graph, by the runtime that finds the frames strangest.

    Args:
        strangeness: The scores of the frames of valid in every runtime, each float64, shape (N,).
        dataset: With their runs.
        rows: Of valid, int64, shape (N,).
        labels: Class of each frame, int64, shape (N,).
        wanted: Share of good welds that may have an unknown frame.
    """
    runs, has_good = dataset.manifest["run"].to_numpy()[rows], dataset.good_class is not None
    limits = [limit_for(scores, labels, runs, wanted, has_good) for scores in strangeness]
    return max(limits, key=lambda limit: limit.threshold)


def _spread(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    unique = np.unique(rows)
    return unique[np.linspace(0, len(unique) - 1, min(len(unique), _FRAMES_OF_CLASS)).round().astype(np.int64)]
