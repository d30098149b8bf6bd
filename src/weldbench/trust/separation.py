"""How well a score tells strange frames from known ones: the area under the ROC curve, with its interval over runs.

The area is the share of pairs, one strange and one known frame, in which the strange one scores higher; ties count half
(Mann and Whitney 1947; Hanley and McNeil 1982). The runs are resampled as for all other intervals.
"""

import numpy as np
from numpy.typing import NDArray

from weldbench.config.evidence import Compare
from weldbench.evaluation.bootstrap import Runs, resample_weights
from weldbench.evaluation.intervals import Interval, StandardError, share_interval
from weldbench.evaluation.predictions import Predictions
from weldbench.runtime.seeding import Stream, generator


def auroc(scores: NDArray[np.float64], strange: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve.

    Args:
        scores: float64, shape (N,), higher for what is strange.
        strange: Which frames are, bool, shape (N,).

    Example:
        >>> auroc(np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, False, True, True]))
        0.875
    """
    runs = np.zeros(len(scores), np.int64)
    return float(_wins(scores, strange, runs, 1)[0, 0] / (strange.sum() * (~strange).sum()))


def auroc_interval(
    frames: Predictions, scores: NDArray[np.float64], strange: NDArray[np.bool_], settings: Compare
) -> Interval:
    """Return the area under the ROC curve with its interval over runs.

    Args:
        frames: All frames, strange and known; their runs are resampled within what they show.
        scores: float64, shape (N,), higher for what is strange.
        strange: Which frames are, bool, shape (N,).
        settings: With the number of resamples, the confidence and the seed.
    """
    runs = Runs.of(frames)
    count = len(runs.names)
    weights = resample_weights(runs.strata, settings.bootstrap_draws, generator(Stream.BOOTSTRAP, settings.seed))
    wins = _wins(scores, strange, runs.of_frame, count)
    strange_frames = np.bincount(runs.of_frame[strange], minlength=count)
    known_frames = np.bincount(runs.of_frame[~strange], minlength=count)
    pairs = (weights @ strange_frames) * (weights @ known_frames)
    drawn = np.full(len(weights), np.nan)
    np.divide(((weights @ wins) * weights).sum(axis=1), pairs, out=drawn, where=pairs > 0)
    estimate = float(wins.sum() / (strange_frames.sum() * known_frames.sum()))
    among = strange_frames > 0
    # A stratum of one run does not vary; where the strange frames are of such a one, nothing tells their part.
    error = StandardError.of(_freedom(runs, among), drawn)
    return share_interval(estimate, error, settings.confidence, runs.about_singletons(among))


def _freedom(runs: Runs, strange: NDArray[np.bool_]) -> int:
    """Return the degrees of freedom: those of the strange runs or of the known ones, whichever are fewer."""
    rest = runs.degrees_of_freedom(~strange) if (~strange).any() else runs.degrees_of_freedom()
    return min(runs.degrees_of_freedom(strange), rest)


def _wins(
    scores: NDArray[np.float64], strange: NDArray[np.bool_], of_frame: NDArray[np.int64], runs: int
) -> NDArray[np.float64]:
    """Count in how many pairs a strange frame of one run scores above a known one of another: (R, R), ties half."""
    wins = np.zeros((runs, runs))
    of_strange, strange_scores = of_frame[strange], scores[strange]
    for run in np.unique(of_frame[~strange]):
        known = np.sort(scores[~strange & (of_frame == run)])
        below = (np.searchsorted(known, strange_scores, "left") + np.searchsorted(known, strange_scores, "right")) / 2
        wins[:, run] = np.bincount(of_strange, weights=below, minlength=runs)
    return wins
