"""What another lamp or another camera costs each model: macro F1, defects that escape, good frames that are rejected.

The same frames are judged by the same networks before and after a change, so both runs and seeds are paired: what is
resampled is the difference. Thresholds are those of the camera as it was, chosen on valid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from weldbench.evaluation.bootstrap import Resamples, resample_weights
from weldbench.evaluation.confusion import macro
from weldbench.evaluation.intervals import Interval, StandardError
from weldbench.evaluation.operating_point import defect_scores
from weldbench.evaluation.predictions import Predictions
from weldbench.runtime.seeding import Stream, generator
from weldbench.trust.camera_changes import CAMERA_CHANGES, STRENGTHS

UNCHANGED = ("unchanged", "")
CONDITIONS = (UNCHANGED, *((change.name, strength) for change in CAMERA_CHANGES for strength in STRENGTHS))


class Effect(NamedTuple):
    """What one change does to one model: each the value after it less that before; negative is worse for macro F1.

    Attributes:
        macro_f1: Of frames by their most probable class.
        escapes: Share of defective frames that pass as good; None without a threshold.
        false_rejects: Share of good frames that are rejected.
        escaped_welds: Share of defective runs of which no defective frame is rejected.
    """

    macro_f1: Interval
    escapes: Interval | None
    false_rejects: Interval | None
    escaped_welds: Interval | None


@dataclass(frozen=True)
class Judged:
    """One model's trainings on the frames in one condition, and how they decide.

    Attributes:
        trained: Predictions of each seed.
        thresholds: Of 1 - P(good), of each seed; None where valid has no good frame, or there is no good class.
    """

    trained: Sequence[Predictions]
    thresholds: Sequence[float] | None

    def passed(self) -> NDArray[np.bool_] | None:
        """Tell which frames pass as good, per seed, shape (S, N)."""
        if self.thresholds is None:
            return None
        pairs = zip(self.trained, self.thresholds, strict=True)
        return np.array([defect_scores(frames) <= threshold for frames, threshold in pairs])


class Effects:
    """Differences on one set of frames, with intervals over their runs.

    Args:
        frames: The frames; their runs are resampled.
        draws: Number of resamples.
        confidence: Of the intervals.
        seed: Of the resamples.
    """

    def __init__(self, frames: Predictions, draws: int, confidence: float, seed: int) -> None:
        self.resamples = Resamples(frames, draws, confidence, seed)
        strata = self.resamples.runs.strata
        self._weights = resample_weights(strata, draws, generator(Stream.BOOTSTRAP, seed))  # those of macro F1
        self._frames, self._of_run = frames, self.resamples.runs.of_frame
        self._run_count = len(self.resamples.runs.names)

    def of(self, before: Judged, after: Judged) -> Effect:
        """Compare one model before and after a change."""
        one, other = (self.resamples.draw(judged.trained) for judged in (before, after))
        drawn = macro(other.resampled) - macro(one.resampled)
        macro_f1 = self._interval(drawn, macro(other.per_seed) - macro(one.per_seed), np.ones(self._run_count, bool))
        passed = [each for each in (before.passed(), after.passed()) if each is not None]
        if len(passed) < 2:
            return Effect(macro_f1, None, None, None)
        good = self._frames.labels == 0
        escapes = self._share([self._counts(each & ~good) for each in passed], self._counts(~good[None])[0])
        rejects = self._share([self._counts(~each & good) for each in passed], self._counts(good[None])[0])
        defective = self._counts(~good[None])[0] > 0
        welds = [defective & (self._counts(~each & ~good) == 0) for each in passed]
        return Effect(macro_f1, escapes, rejects, self._share(welds, defective))

    def _counts(self, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count frames of each run, per seed: bool (S, N) -> int64 (S, R)."""
        return np.array([np.bincount(self._of_run[each], minlength=self._run_count) for each in chosen])

    def _share(self, hits: Sequence[NDArray[np.int64]], totals: NDArray[np.int64]) -> Interval | None:
        """Return the change of a share of `totals`, (R,), from the hits before and after, (S, R)."""
        if not totals.any():
            return None
        change = np.asarray(hits[1], np.float64) - hits[0]
        weighted = self._weights @ totals
        drawn = np.full(len(weighted), np.nan)
        np.divide(self._weights @ change.mean(axis=0), weighted, out=drawn, where=weighted > 0)
        return self._interval(drawn, change.sum(axis=1) / totals.sum(), totals > 0)

    def _interval(
        self, drawn: NDArray[np.float64], per_seed: NDArray[np.float64], among: NDArray[np.bool_]
    ) -> Interval:
        runs, estimate = self.resamples.runs, float(per_seed.mean())
        error = StandardError.of(runs.degrees_of_freedom(among), drawn, per_seed)
        singletons = runs.about_singletons(among)
        if reason := error.no_interval(singletons):
            return Interval(estimate, np.nan, np.nan, reason)
        margin = error.margin(self.resamples.confidence)
        return Interval(estimate, max(estimate - margin, -1.0), min(estimate + margin, 1.0), too_narrow=singletons)
