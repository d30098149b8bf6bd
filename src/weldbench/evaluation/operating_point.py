"""The factory's view: a camera sorts welds into good and defective, at a rate of false alarms that people accept."""

from dataclasses import dataclass

import numpy as np

from weldbench.evaluation.predictions import Predictions


@dataclass(frozen=True)
class OperatingPoint:
    """What happens in test at a threshold that was chosen on valid.

    Attributes:
        threshold: A frame is rejected where 1 - P(good) is above it; the mean over folds.
        false_reject_rate: Share of the good test frames that are rejected.
        escape_rate: Share of the defective test frames that pass as good.
        escape_rate_per_class: The same for each class, shape (K,); NaN for the good class and a class without frames.
        valid_good_frames: Good frames of valid that chose the threshold; the fewest of any fold.
        passed: Which test frames pass as good, bool, shape (N,).
    """

    threshold: float
    false_reject_rate: float
    escape_rate: float
    escape_rate_per_class: np.ndarray
    valid_good_frames: int
    passed: np.ndarray


def operating_point(valid: Predictions, test: Predictions, false_reject_rate: float) -> OperatingPoint | None:
    """Choose a threshold on valid, in each fold its own, and apply it to test.

    Args:
        valid: Predictions of one training on the frames that choose the threshold.
        test: Predictions of the same training on the frames that it is applied to.
        false_reject_rate: Share of the good frames of valid that may be rejected, 0 to 1.

    Returns:
        None where it cannot be done: there is no good class, a fold's valid has no good frame, or test lacks good or
        defective ones.
    """
    if not test.has_good:
        return None
    passed = np.zeros(len(test.labels), dtype=bool)
    thresholds, good_frames = [], []
    for fold in np.unique(test.folds):
        good_scores = defect_scores(valid)[(valid.folds == fold) & (valid.labels == 0)]
        if not len(good_scores):
            return None
        thresholds.append(threshold_for(good_scores, false_reject_rate))
        good_frames.append(len(good_scores))
        here = test.folds == fold
        passed[here] = defect_scores(test)[here] <= thresholds[-1]
    good = test.labels == 0
    if good.all() or not good.any():
        return None
    per_class = [
        passed[test.labels == number].mean() if number and (test.labels == number).any() else np.nan
        for number in range(len(test.classes))
    ]
    return OperatingPoint(
        threshold=float(np.mean(thresholds)),
        false_reject_rate=float(1 - passed[good].mean()),
        escape_rate=float(passed[~good].mean()),
        escape_rate_per_class=np.array(per_class),
        valid_good_frames=min(good_frames),
        passed=passed,
    )


def threshold_for(good_scores: np.ndarray, false_reject_rate: float) -> float:
    """Return the lowest score, of those of the good frames, shape (N,), above which at most that share of them lies.

    Example:
        >>> threshold_for(np.array([0.1, 0.4, 0.2, 0.3]), false_reject_rate=0.25)
        0.3
    """
    # The small term keeps 0.05 * 20 from falling to 0 in floating point.
    rejected = int(false_reject_rate * len(good_scores) + 1e-9)
    return float(np.sort(good_scores)[::-1][min(rejected, len(good_scores) - 1)])


def defect_scores(frames: Predictions) -> np.ndarray:
    """How little each frame looks like a good weld: 1 - P(good), shape (N,)."""
    return 1.0 - frames.probabilities[:, 0]
