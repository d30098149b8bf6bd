"""What an exported model learned, as its own features show it: fitted on train, with the thresholds from valid."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from weldbench.data.dataset import Dataset, SplitFrames
from weldbench.deploy.drift_fit import fit_reference, spread_frames
from weldbench.deploy.drift_reference import Reference
from weldbench.deploy.novelty import Features, Limit, limit_for
from weldbench.deploy.runtimes import Outputs, Session

_FRAMES_OF_CLASS = 200  # at most; more frames of the same runs would add little to means and covariance
_BATCH_FRAMES = 16


def fit_to_train(session: Session, dataset: Dataset, train: SplitFrames) -> Features:
    """Fit the features of training frames, up to 200 of each class, spread over its runs.

    Args:
        session: Of the exported graph.
        dataset: Holds the frames as ingest stored them; the graph sees them as it sees the original ones.
        train: The split.
    """
    rows = np.concatenate([_spread(train.rows[train.labels == label]) for label in np.unique(train.labels)])
    features = [
        session.run(np.array(dataset.frames[rows[start : start + _BATCH_FRAMES]])).features
        for start in range(0, len(rows), _BATCH_FRAMES)
    ]
    with threadpool_limits(limits=1):  # another count would change the last bits
        return Features.of(np.concatenate(features), dataset.labels_of(rows))


def drift_reference(
    session: Session, dataset: Dataset, train: SplitFrames, valid: SplitFrames
) -> tuple[Reference | None, str]:
    """Fit the reference of the drift check to frames of every run of train and valid.

    Args:
        session: Of the exported graph.
        dataset: As of `fit_to_train`.
        train: The split.
        valid: The split.

    Returns:
        None where there are too few runs; and a sentence.
    """
    rows = np.unique(np.concatenate([train.rows, valid.rows]))
    runs = dataset.manifest["run"].to_numpy(dtype=str)
    rows = rows[spread_frames(runs[rows])]
    said = [
        session.run(np.array(dataset.frames[rows[start : start + _BATCH_FRAMES]]))
        for start in range(0, len(rows), _BATCH_FRAMES)
    ]
    whole = Outputs(*(np.concatenate(part) for part in zip(*said, strict=True)))
    with threadpool_limits(limits=1):
        of_train = np.isin(rows, train.rows)
        return fit_reference(whole, runs[rows], of_train, len(dataset.classes), dataset.good_class is not None)


def limit_on_valid(
    strangeness: Sequence[NDArray[np.float64]], dataset: Dataset, valid: SplitFrames, wanted: float
) -> Limit:
    """Set the threshold of a graph, by the runtime that finds the frames strangest.

    Args:
        strangeness: The scores of the frames of valid in every runtime, each float64, shape (N,).
        dataset: With their runs.
        valid: The split.
        wanted: Share of good welds that may have an unknown frame.
    """
    runs, has_good = dataset.manifest["run"].to_numpy()[valid.rows], dataset.good_class is not None
    limits = [limit_for(scores, valid.labels, runs, wanted, has_good) for scores in strangeness]
    return max(limits, key=lambda limit: limit.threshold)


def _spread(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    unique = np.unique(rows)
    return unique[np.linspace(0, len(unique) - 1, min(len(unique), _FRAMES_OF_CLASS)).round().astype(np.int64)]
