"""How well probabilities agree with what happens: calibration error, Brier score, log loss, with intervals over runs.

The resamples of runs are those of all other intervals (`evaluation/bootstrap.py`). The numbers have no upper end that
all share, so their intervals are symmetric, with Student's t, and cut at 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weldbench.config.evidence import Compare
from weldbench.evaluation.bootstrap import Runs, resample_weights
from weldbench.evaluation.intervals import Interval, StandardError
from weldbench.evaluation.metrics import CALIBRATION_BINS
from weldbench.evaluation.predictions import Predictions, concatenate
from weldbench.runtime.seeding import Stream, generator
from weldbench.trust.scaling import SMALLEST
from weldbench.trust.temperature import fit_temperature, scaled

MEASURES = {
    "expected_calibration_error": "calibration error",
    "brier_score": "Brier score",
    "log_loss": "log loss",
}


@dataclass(frozen=True)
class Calibrated:
    """One measure of one model before and after temperature scaling.

    Attributes:
        before: On test as predicted, the mean over seeds.
        after: The same after scaling.
        change: After minus before, on the same runs.
    """

    before: Interval
    after: Interval
    change: Interval


def scale_by_valid(test: Predictions, valid: Predictions) -> tuple[Predictions, float] | None:
    """Scale test by the temperature of valid, each fold by its own; return it with their mean.

    Returns:
        None where a fold's valid has no frame.
    """
    pieces, temperatures = [], []
    for fold in np.unique(test.folds):
        of_fold = valid.take(valid.folds == fold)
        if not len(of_fold.labels):
            return None
        temperatures.append(fit_temperature(of_fold))
        pieces.append(scaled(test.take(test.folds == fold), temperatures[-1]))
    return concatenate(pieces), float(np.mean(temperatures))


class CalibrationIntervals:
    """Intervals of the measures on one set of test frames.

    Args:
        frames: The test frames; their runs are resampled.
        settings: With the number of resamples, the confidence and the seed.
    """

    def __init__(self, frames: Predictions, settings: Compare) -> None:
        self._runs, self._confidence = Runs.of(frames), settings.confidence
        draws = generator(Stream.BOOTSTRAP, settings.seed)
        self._weights = resample_weights(self._runs.strata, settings.bootstrap_draws, draws)

    def compare(self, measure: str, before: Sequence[Predictions], after: Sequence[Predictions]) -> Calibrated:
        """Return a measure, a key of `MEASURES`, before and after, from the predictions of each seed."""
        drawn, scores = zip(*(self._scores(measure, trained) for trained in (before, after)), strict=True)
        change = self._interval(drawn[1] - drawn[0], scores[1] - scores[0], -np.inf)
        return Calibrated(self._interval(drawn[0], scores[0], 0.0), self._interval(drawn[1], scores[1], 0.0), change)

    def _scores(self, measure: str, trained: Sequence[Predictions]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the mean over seeds in every resample, shape (B,), and each seed's score as it is, shape (S,)."""
        totals = self._runs.frames.sum(axis=1)
        resampled, as_it_is = [], []
        for frames in trained:
            sums = np.zeros((len(totals), CALIBRATION_BINS))
            bins, losses = _losses(measure, frames)
            np.add.at(sums, (self._runs.of_frame, bins), losses)
            resampled.append(np.abs(self._weights @ sums).sum(axis=1) / (self._weights @ totals))
            as_it_is.append(np.abs(sums.sum(axis=0)).sum() / totals.sum())
        return np.mean(resampled, axis=0), np.array(as_it_is)

    def _interval(self, drawn: NDArray[np.float64], scores: NDArray[np.float64], lowest: float) -> Interval:
        error = StandardError.of(self._runs.degrees_of_freedom(), drawn, scores)
        singletons, estimate = self._runs.about_singletons(), float(scores.mean())
        if reason := error.no_interval(singletons):
            return Interval(estimate, np.nan, np.nan, reason)
        margin = error.margin(self._confidence)
        return Interval(estimate, max(estimate - margin, lowest), estimate + margin, too_narrow=singletons)


def _losses(measure: str, frames: Predictions) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return of each frame the bin in which its loss is summed, and the loss; all in one bin where losses are means."""
    count = len(frames.labels)
    if measure == "expected_calibration_error":
        confidence = frames.probabilities.max(axis=1)
        bins = np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(np.int64) - 1, 0, CALIBRATION_BINS - 1)
        return bins, frames.correct - confidence
    one_bin = np.zeros(count, np.int64)
    if measure == "brier_score":
        true = np.eye(len(frames.classes))[frames.labels]
        return one_bin, np.asarray(((frames.probabilities - true) ** 2).sum(axis=1))
    return one_bin, -np.log(np.maximum(frames.probabilities[np.arange(count), frames.labels], SMALLEST))
