"""Probabilities of every labeled frame by fits that never saw its run."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from weldbench.runtime.seeding import Stream, generator

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

FOLDS = 10
REPEATS = 3  # other folds each time: which runs are left out together decides a little
_PENALTY = 0.1  # of the squared weights, as that of a last layer where nothing can choose it
_DIRECTIONS = 300
_FRAMES_OF_RUN = 60  # of one class that are learned from: near copies teach nothing
_ITERATIONS = 200


def out_of_folds(
    features: FloatArray, labels: IntArray, runs: IntArray, classes: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Compute the probabilities of all frames out of folds by whole run, the mean over several choices of folds.

    Each fold is judged by a logistic regression on the features of all other runs, standardized and along their leading
    principal directions, with a fixed penalty; all classes weigh alike. The directions are those of all frames: they
    know no labels.

    Args:
        features: Of each frame, float32, shape (N, F).
        labels: Class of each frame as given, int64, shape (N,).
        runs: Run of each frame, as numbers, int64, shape (N,), in filming order within a run.
        classes: Number of classes, K.
        seed: Of the folds.

    Returns:
        Probabilities, float64, shape (N, K); and which frames can be judged, bool, shape (N,): those whose label stands
        in another run too. A class that no other run shows has probability 0.
    """
    rows = _along_directions(features)
    to_learn = _evenly_spaced(labels, runs)
    total = np.zeros((len(labels), classes))
    for repeat in range(REPEATS):
        for out in folds_by_run(labels, runs, seed, repeat):
            chosen = np.flatnonzero(~out & to_learn)
            total[out] += _fitted(rows[chosen], labels[chosen], rows[out], classes)
    runs_of_class = {label: np.unique(runs[labels == label]).size for label in np.unique(labels)}
    return total / REPEATS, np.array([runs_of_class[label] > 1 for label in labels])


def folds_by_run(labels: IntArray, runs: IntArray, seed: int, repeat: int) -> Iterator[NDArray[np.bool_]]:
    """Yield masks of the frames to leave out: whole runs, each run once.

    Runs of one class go to different folds. Where a fold would still hold all runs of a class, they get folds of their
    own.

    Args:
        labels: Class of each frame, int64, shape (N,).
        runs: Run of each frame, int64, shape (N,).
        seed: Of which run is in which fold.
        repeat: Another choice for each.
    """
    names = generator(Stream.REVIEW_FOLDS, seed, repeat).permutation(np.unique(runs))
    mostly = {run: np.bincount(labels[runs == run]).argmax() for run in names}
    dealt = sorted(names, key=mostly.__getitem__)
    for start in range(min(FOLDS, len(dealt))):
        fold = list(dealt[start::FOLDS])
        while len(fold) > 1 and (lost := _last_of_a_class(labels, runs, fold)):
            yield runs == lost[0]
            fold.remove(lost[0])
        yield np.isin(runs, fold)


def _last_of_a_class(labels: IntArray, runs: IntArray, fold: list[int]) -> list[int]:
    """Name the runs of a fold that show a class which no run outside of it shows."""
    out = np.isin(runs, fold)
    missing = np.setdiff1d(labels[out], labels[~out])
    return [run for run in fold if np.isin(labels[runs == run], missing).any()]


def _along_directions(features: FloatArray) -> FloatArray:
    """Standardize features and turn them along their leading principal directions, float32, shape (N, D)."""
    from sklearn.utils.extmath import randomized_svd

    std = features.std(axis=0)
    rows = (features - features.mean(axis=0)) / np.where(std > 0, std, np.float32(1))
    count = min(_DIRECTIONS, *rows.shape)
    left, lengths, _ = randomized_svd(rows, count, n_iter=2, random_state=0)
    turned: FloatArray = (left * lengths).astype(np.float32)
    return turned


def _evenly_spaced(labels: IntArray, runs: IntArray) -> NDArray[np.bool_]:
    """Choose the frames to learn from: at most so many of each run and class, at even distances."""
    chosen = np.zeros(len(labels), np.bool_)
    for run, label in np.unique(np.stack([runs, labels]), axis=1).T:
        places = np.flatnonzero((runs == run) & (labels == label))
        count = min(len(places), _FRAMES_OF_RUN)
        chosen[places[np.arange(count) * len(places) // count]] = True
    return chosen


def _fitted(rows: FloatArray, labels: IntArray, others: FloatArray, classes: int) -> NDArray[np.float64]:
    """Fit to rows and return the probabilities of others, shape (M, K)."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    found = np.zeros((len(others), classes))
    present, counts = np.unique(labels, return_counts=True)
    if len(present) < 2:
        found[:, present] = 1.0
        return found
    weights = 1.0 / (len(present) * counts[np.searchsorted(present, labels)])
    # Of two classes scikit-learn fits the difference of the weights, whose square is twice the sum of theirs.
    penalty = _PENALTY / (2 if len(present) == 2 else 1)
    model = LogisticRegression(C=1 / penalty, max_iter=_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the penalty bounds what is left to change
        model.fit(rows, labels, sample_weight=weights)
    found[:, present] = model.predict_proba(others)
    return found
