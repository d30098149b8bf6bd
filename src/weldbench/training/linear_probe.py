"""The last layer on the features of a frozen backbone: logistic regression, its penalty chosen over whole runs."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from weldbench.runtime.seeding import Stream, generator

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

# Of the squared weights, beside the mean loss of a frame.
PENALTIES = (1.0, 0.1, 0.03, 0.01, 0.001, 0.0001)
_UNTRIED_PENALTY = 0.1  # where there are too few runs to try any
_FOLDS = 4
_ROWS_TO_CHOOSE_BY = 2_000  # of real frames and their views: the choice fits many times
_ITERATIONS = 300
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

    def only(self, frames: NDArray[np.bool_], views: int) -> "ProbeData":
        """Return some of the real frames, bool of shape (N,), with fewer views; the simulated ones stay."""
        return replace(
            self,
            features=self.features[frames, : 1 + views],
            labels=self.labels[frames],
            weights=self.weights[frames],
            runs=self.runs[frames],
        )


@dataclass(frozen=True)
class Probe:
    """A fitted last layer: logits = features @ weight.T + bias.

    Attributes:
        weight: float32, shape (K, F).
        bias: float32, shape (K,).
        penalty: Of the squared weights, as chosen.
        simulated_share: Share of the simulated frames in the loss, as chosen; 0 without them.
        loss: Mean over the frames that it learned from.
        chosen_by: Sentence: how penalty and share were chosen.
    """

    weight: FloatArray
    bias: FloatArray
    penalty: float
    simulated_share: float
    loss: float
    chosen_by: str


def fit_probe(data: ProbeData, simulated_share: float, seed: int) -> Probe:
    """Fit multinomial logistic regression; its penalty, and whether simulated frames help, are chosen over runs.

    Features are standardized first, by the mean and the standard deviation of all that is learned from. The penalty is
    chosen by the log loss of frames of runs left out (grouped cross-validation), all classes alike. With simulated
    frames both are tried: their share, and none of them. Where they are left out, the result is that without them.

    Args:
        data: What to learn from.
        simulated_share: Share of the simulated frames in the loss, 0 to below 1.
        seed: Of the folds.
    """
    simulated_share = simulated_share if len(data.simulated) else 0.0
    folds = list(held_out_runs(data.labels, data.runs, seed))
    if not folds:
        penalty, share = _UNTRIED_PENALTY, simulated_share
        chosen_by = f"penalty {penalty:g} by default, as train has too few runs to leave any out"
    else:
        losses: dict[tuple[float, float], float] = {}
        for tried in sorted({simulated_share, 0.0}, reverse=True):
            losses |= _losses_on_held_out(_in_few_dimensions(data, tried).data, tried, folds)
        share, penalty = min(losses, key=losses.__getitem__)
        chosen_by = f"penalty {penalty:g} chosen by cross-validation over the runs of train"
        if simulated_share:
            chosen_by += f", with{'' if share else 'out'} simulated frames"
    space = _in_few_dimensions(data, share)
    weight, bias, loss = _fit(space.data, share, [penalty])[penalty]
    weight, bias = space.undone(weight, bias)
    return Probe(weight.astype(np.float32), bias.astype(np.float32), penalty, share, loss, chosen_by)


def held_out_runs(labels: IntArray, runs: IntArray, seed: int) -> Iterator[NDArray[np.bool_]]:
    """Yield masks of frames to leave out, whole runs at a time, such that every class stays in what is left.

    A run that alone shows a class is never left out.

    Args:
        labels: Class of each frame, int64, shape (N,).
        runs: Run of each frame, int64, shape (N,).
        seed: Of which run is in which fold.
    """
    names = np.unique(runs)
    holds = np.array([np.bincount(labels[runs == run], minlength=labels.max() + 1) > 0 for run in names])  # (R, K)
    free = names[~(holds & (holds.sum(0) == 1)).any(axis=1)]
    order = generator(Stream.PROBE_FOLDS, seed).permutation(free)
    # Runs of one class go to different folds: runs are dealt in the order of the classes that they mostly show.
    mostly = {run: np.bincount(labels[runs == run]).argmax() for run in order}
    dealt = sorted(order, key=mostly.__getitem__)
    for fold in range(min(_FOLDS, len(dealt))):
        out = np.isin(runs, dealt[fold::_FOLDS])
        while len(missing := np.setdiff1d(labels, labels[~out])):
            # Both runs of a class fell into one fold: one of them stays.
            out &= runs != runs[out & (labels == missing[0])][0]
        if out.any():
            yield out


@dataclass(frozen=True)
class _Space:
    """Standardized features, of no more numbers than there are rows to learn from.

    Attributes:
        data: What to learn from, in this space.
        mean: Of each feature, float32, shape (F,).
        std: Standard deviation of each, float32, shape (F,).
        basis: Orthonormal, float32, shape (F, D); None where the space is the whole one.
    """

    data: ProbeData
    mean: FloatArray
    std: FloatArray
    basis: FloatArray | None

    def undone(self, weight: FloatArray, bias: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return weights and biases for features as they come from those for this space."""
        weight = (weight if self.basis is None else weight @ self.basis.T) / self.std
        return weight, bias - weight @ self.mean


def _in_few_dimensions(data: ProbeData, share: float) -> _Space:
    """Standardize what is learned from, simulated frames with their share, and turn it into fewer numbers.

    What is fitted stays the same: the weights of a penalized fit are a sum of the rows, so that they lie in the space
    that the rows span.
    """
    rows, _, weights = _rows(data, share)
    mean, std = _mean_and_std(rows, weights)
    basis = np.linalg.qr(((rows - mean) / std).T)[0] if len(rows) < rows.shape[1] else None  # (F, D)

    def turned(features: FloatArray) -> FloatArray:
        standard = (features - mean) / std
        return standard if basis is None else standard @ basis

    turned_data = replace(data, features=turned(data.features), simulated=turned(data.simulated))
    return _Space(turned_data, mean, std, basis)


def _mean_and_std(rows: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    mean = weights @ rows
    # The mean of squares, less the square of the mean, would lose the digits that count.
    variance = np.zeros_like(mean)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        variance += weights[some] @ np.square(rows[some] - mean)
    std = np.sqrt(variance)
    # What is the same in all frames but for rounding says nothing; divided by almost 0 it would decide on other frames.
    return mean, np.where(std > _ROUNDING * np.abs(mean), std, np.float32(1))


def _losses_on_held_out(
    data: ProbeData, share: float, folds: list[NDArray[np.bool_]]
) -> dict[tuple[float, float], float]:
    """Return (share, penalty) -> mean log loss of the frames that were left out, all classes alike."""
    views = int(np.clip(_ROWS_TO_CHOOSE_BY // len(data.labels) - 1, 0, data.features.shape[1] - 1))
    losses: dict[tuple[float, float], list[FloatArray]] = {}
    held = np.concatenate([data.labels[out] for out in folds])
    for out in folds:
        rest = data.only(~out, views)
        for penalty, (weight, bias, _) in _fit(rest, share, PENALTIES).items():
            log_probabilities = _log_softmax(data.features[out, 0] @ weight.T + bias)
            loss = -log_probabilities[np.arange(out.sum()), data.labels[out]]
            losses.setdefault((share, penalty), []).append(loss)
    balanced = 1.0 / np.bincount(held)[held]
    return {key: float(np.average(np.concatenate(parts), weights=balanced)) for key, parts in losses.items()}


def _rows(data: ProbeData, share: float) -> tuple[FloatArray, IntArray, FloatArray]:
    """Return all that is learned from, views and simulated frames included: features, classes, weights of sum 1."""
    views, width = data.features.shape[1:]
    rows, labels = data.features.reshape(-1, width), np.repeat(data.labels, views)
    weights = np.repeat(data.weights / data.weights.sum() / views, views) * (1 - share)
    if share:
        rows, labels = np.concatenate([rows, data.simulated]), np.concatenate([labels, data.simulated_labels])
        weights = np.concatenate([weights, np.full(len(data.simulated), share / max(len(data.simulated), 1))])
    return rows, labels, weights.astype(np.float32)


def _fit(
    data: ProbeData, share: float, penalties: tuple[float, ...] | list[float]
) -> dict[float, tuple[FloatArray, FloatArray, float]]:
    """Fit once per penalty, the strongest first; each starts from the one before.

    Returns:
        Penalty -> weights (K, F), bias (K,), mean loss.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    rows, labels, weights = _rows(data, share)
    model = LogisticRegression(max_iter=_ITERATIONS, tol=1e-6, warm_start=True)
    # Of two classes scikit-learn fits the difference of the weights, whose square is twice the sum of theirs.
    squares = 2 if labels.max() == 1 else 1
    fitted = {}
    with warnings.catch_warnings():
        # The penalty bounds what the last iterations could still change.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for penalty in penalties:
            model.C = squares / penalty  # the weights of all rows sum to 1
            model.fit(rows, labels, sample_weight=weights)
            weight, bias = _of_all_classes(model.coef_, model.intercept_)
            log_probabilities = _log_softmax(rows @ weight.T + bias)
            loss = -float(weights @ log_probabilities[np.arange(len(labels)), labels])
            fitted[penalty] = weight.copy(), bias.copy(), loss
    return fitted


def _of_all_classes(weight: FloatArray, bias: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give two classes one row each; scikit-learn has one row for both."""
    if len(weight) > 1:
        return weight, bias
    half_weight, half_bias = weight * np.float32(0.5), bias * np.float32(0.5)
    return np.concatenate([-half_weight, half_weight]), np.concatenate([-half_bias, half_bias])


def _log_softmax(logits: FloatArray) -> FloatArray:
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: FloatArray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result
