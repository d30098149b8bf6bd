"""The last layer on the features of a frozen backbone: logistic regression, its penalty chosen over whole runs."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from weldbench.runtime.seeding import Stream, generator
from weldbench.training.probe_data import FloatArray, IntArray, ProbeData, Scale, scale_of

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

# Of the squared weights, beside the mean loss of a frame.
PENALTIES = (1.0, 0.1, 0.03, 0.01, 0.001, 0.0001)
_UNTRIED_PENALTY = 0.1  # where there are too few runs to try any
_FOLDS = 4
# The choice fits many times: to few rows and few numbers.
_ROWS_TO_CHOOSE_BY = 2_000  # of real frames and their views
_DIRECTIONS_TO_CHOOSE_BY = 600
_ITERATIONS = 300
# Of the gradient, relative to the penalty: that bounds how far the weights may be from the best ones.
_TOLERANCE, _TOLERANCE_TO_CHOOSE = 1e-3, 1e-2
_TOLERANCES = 1e-6, 1e-4  # the tightest that float32 reaches, and the loosest


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
        cross_validated: Whether runs left out chose them; else both are defaults.
    """

    weight: FloatArray
    bias: FloatArray
    penalty: float
    simulated_share: float
    loss: float
    chosen_by: str
    cross_validated: bool


def fit_probe(data: ProbeData, simulated_share: float, seed: int) -> Probe:
    """Fit multinomial logistic regression; its penalty, and whether simulated frames help, are chosen over runs.

    Features are standardized first, by the mean and the standard deviation of all that is learned from. The penalty is
    chosen by the log loss of frames of runs left out (grouped cross-validation), all classes alike. With simulated
    frames both are tried: their share, and none of them. Where they are left out, the result is that without them.
    Where no more than half of the classes have a run that can be left out, the penalty is a default, and simulated
    frames are learned from: what suits two classes may not suit the others.

    Args:
        data: What to learn from.
        simulated_share: Share of the simulated frames in the loss, 0 to below 1.
        seed: Of the folds.
    """
    simulated_share = simulated_share if len(data.simulated) else 0.0
    folds = list(held_out_runs(data.labels, data.runs, seed))
    classes = len(np.unique(data.labels))
    judged = len(np.unique(np.concatenate([data.labels[out] for out in folds]))) if folds else 0
    cross_validated = 2 * judged > classes
    if cross_validated:
        choices = (_choose(data, tried, folds) for tried in sorted({simulated_share, 0.0}, reverse=True))
        choice = min(choices, key=lambda choice: choice.loss)
        chosen_by = f"penalty {choice.penalty:g} chosen by cross-validation over the runs of train"
        if simulated_share:
            chosen_by += f", with{'' if choice.share else 'out'} simulated frames"
    else:
        choice = _Choice(simulated_share, _UNTRIED_PENALTY, scale_of(data, simulated_share))
        few = f"only {judged} of the {classes} classes have" if judged else "no class has"
        chosen_by = f"penalty {choice.penalty:g} by default, as in train {few} a run that can be left out"
    model = _model()
    if choice.start:
        model.coef_, model.intercept_ = choice.start
    rows = choice.scale.standardized(data, choice.share)
    labels, weights = data.labels_and_weights(choice.share)
    weight, bias = _fit(model, rows, labels, weights, choice.penalty, _TOLERANCE)
    loss = float(weights @ _losses(rows, labels, weight, bias))
    weight = weight / choice.scale.std
    bias = bias - weight @ choice.scale.mean
    return Probe(weight, bias, choice.penalty, choice.share, loss, chosen_by, cross_validated)


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
class _Choice:
    """The best penalty with one share of simulated frames.

    Attributes:
        share: Of the simulated frames in the loss.
        penalty: Of the squared weights.
        scale: Of what is learned from.
        loss: Mean log loss of the frames left out, all classes alike.
        start: Where the fit to all frames begins: coefficients and intercepts as scikit-learn has them.
    """

    share: float
    penalty: float
    scale: Scale
    loss: float = np.inf
    start: tuple[FloatArray, FloatArray] | None = None


def _choose(data: ProbeData, share: float, folds: list[NDArray[np.bool_]]) -> _Choice:
    """Try the penalties, the strongest first, until the loss of frames left out has risen twice in a row.

    Where that loss falls and then rises, trying all of them would find the same. Each fit starts from the one before.
    """
    scale = scale_of(data, share)
    few, directions = _few_numbers(data, scale, share)
    held = np.concatenate([data.labels[out] for out in folds])
    balanced = 1.0 / np.bincount(held)[held]
    fits = []
    for out in folds:
        rest = few.only(~out)
        fits.append((_model(), np.concatenate(rest.blocks(share)), *rest.labels_and_weights(share)))
    best, losses = _Choice(share, PENALTIES[0], scale), []
    for penalty in PENALTIES:
        parts = []
        for out, (model, rows, labels, weights) in zip(folds, fits, strict=True):
            weight, bias = _fit(model, rows, labels, weights, penalty, _TOLERANCE_TO_CHOOSE)
            parts.append(_losses(few.features[out, 0], few.labels[out], weight, bias))
        losses.append(float(np.average(np.concatenate(parts), weights=balanced)))
        if losses[-1] < best.loss:
            coefficients = np.mean([model.coef_ for model, *_ in fits], axis=0)
            start = (
                coefficients if directions is None else coefficients @ directions.T,
                np.mean([model.intercept_ for model, *_ in fits], axis=0),
            )
            best = replace(best, penalty=penalty, loss=losses[-1], start=start)
        if len(losses) > 2 and losses[-3] < losses[-2] < losses[-1]:
            break
    return best


def _few_numbers(data: ProbeData, scale: Scale, share: float) -> tuple[ProbeData, FloatArray | None]:
    """Standardize what the choice looks at: few views, along the leading principal directions.

    Where there are no more rows or features than directions, a fit is the same as to all features: the weights of a
    penalized fit are a sum of the rows, so that they lie in the space that the rows span.

    Returns:
        The data, and the directions: orthonormal, float32, shape (F, D); None where the features are as few.
    """
    from sklearn.utils.extmath import randomized_svd

    frames, views, width = data.features.shape
    views = int(np.clip(_ROWS_TO_CHOOSE_BY // frames, 1, views))
    few = replace(data, features=data.features[:, :views])
    rows, directions = scale.standardized(few, share), None
    if width > _DIRECTIONS_TO_CHOOSE_BY:
        _, weights = few.labels_and_weights(share)
        count = min(_DIRECTIONS_TO_CHOOSE_BY, len(rows))
        _, _, found = randomized_svd(rows * np.sqrt(weights)[:, None], count, n_iter=2, random_state=0)
        directions = np.ascontiguousarray(found.T)
        rows = rows @ directions
    real, simulated = np.split(rows, [frames * views])
    return replace(few, features=real.reshape(frames, views, -1), simulated=simulated), directions


def _model() -> "LogisticRegression":
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=_ITERATIONS, warm_start=True)


def _fit(
    model: "LogisticRegression",
    rows: FloatArray,
    labels: IntArray,
    weights: FloatArray,
    penalty: float,
    tolerance: float,
) -> tuple[FloatArray, FloatArray]:
    """Fit from where the model is.

    Returns:
        Weights (K, F) and bias (K,).
    """
    from sklearn.exceptions import ConvergenceWarning

    # Of two classes scikit-learn fits the difference of the weights, whose square is twice the sum of theirs.
    squares = 2 if labels.max() == 1 else 1
    # The weights of all rows sum to 1.
    model.set_params(C=squares / penalty, tol=float(np.clip(tolerance * penalty, *_TOLERANCES)))
    with warnings.catch_warnings():
        # The penalty bounds what the last iterations could still change.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows, labels, sample_weight=weights)
    if len(model.coef_) > 1:
        return model.coef_.copy(), model.intercept_.copy()
    # Two classes have a row each; scikit-learn has one row for both.
    half_weight, half_bias = model.coef_ * np.float32(0.5), model.intercept_ * np.float32(0.5)
    return np.concatenate([-half_weight, half_weight]), np.concatenate([-half_bias, half_bias])


def _losses(rows: FloatArray, labels: IntArray, weight: FloatArray, bias: FloatArray) -> FloatArray:
    """Return the log loss of each row."""
    logits = rows @ weight.T + bias
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: FloatArray = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]
    return result
