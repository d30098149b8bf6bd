"""Other test runs: how much they would change a number.

Frames of one run are near copies of one another, so the run is what was sampled from the world. A dataset of welds has
few runs per class, where the usual bootstrap is overconfident. Hence runs are resampled within what they show (a
stratum), with the weights of Rao and Wu (1988, "Resampling inference with complex survey data") that make the variance
unbiased for few runs; it has (runs - strata) degrees of freedom.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from weldbench.evaluation.confusion import f1, macro
from weldbench.evaluation.intervals import Interval, StandardError, share_interval
from weldbench.evaluation.predictions import Predictions
from weldbench.runtime.seeding import Stream, generator


@dataclass(frozen=True)
class Runs:
    """The runs of the test split.

    Attributes:
        classes: Names in label order; the first is the good one, if there is one.
        names: Shape (R,).
        of_frame: Index of each frame's run, shape (N,).
        frames: Frames of each run and class, int64, shape (R, K).
        has_good: Whether the first class is that of good welds.
    """

    classes: tuple[str, ...]
    names: NDArray[np.str_]
    of_frame: NDArray[np.int64]
    frames: NDArray[np.int64]
    has_good: bool = True

    @classmethod
    def of(cls, scored: Predictions) -> "Runs":
        """Find the runs of some frames."""
        names, of_frame = np.unique(scored.runs, return_inverse=True)
        frames = np.zeros((len(names), len(scored.classes)), dtype=np.int64)
        np.add.at(frames, (of_frame, scored.labels), 1)
        return cls(scored.classes, names, of_frame, frames, scored.has_good)

    @cached_property
    def strata(self) -> np.ndarray:
        """What each run shows, shape (R,): the defect of most of its frames, or 0 if all are good.

        A defect often sets in after good frames of the same run; such a run is one of that defect's.
        """
        if not self.has_good:
            most_shown: NDArray[np.int64] = self.frames.argmax(axis=1)
            return most_shown
        defects = self.frames[:, 1:]
        return np.where(defects.any(axis=1), defects.argmax(axis=1) + 1, 0)

    @cached_property
    def singleton_strata(self) -> np.ndarray:
        """Class numbers of the strata of a single run, int64: no resample tells how much another run would differ."""
        return np.flatnonzero(np.bincount(self.strata) == 1)

    @cached_property
    def per_class(self) -> NDArray[np.int64]:
        """In how many runs each class stands, shape (K,)."""
        runs: NDArray[np.int64] = (self.frames > 0).sum(axis=0)
        return runs

    def confusions(self, scored: Predictions) -> np.ndarray:
        """Count the frames of each run by true and predicted class, int64, shape (R, K, K)."""
        class_count = self.frames.shape[1]
        cell = (self.of_frame * class_count + scored.labels) * class_count + scored.predicted
        counts = np.bincount(cell, minlength=len(self.names) * class_count**2)
        return counts.reshape(len(self.names), class_count, class_count)

    def about_singletons(self, among: np.ndarray | None = None) -> str:
        """Say what only one run shows, of all runs or of those `among`, bool of shape (R,); empty if there is none."""
        present = self.strata if among is None else self.strata[among]
        shown = [
            self.classes[number] if self.per_class[number] == 1 else f"mainly {self.classes[number]}"
            for number in np.intersect1d(self.singleton_strata, present)
        ]
        if len(shown) < 2:
            return f"only one test run shows {shown[0]}" if shown else ""
        return f"only one test run each shows {', '.join(shown[:-1])} and {shown[-1]}"

    def degrees_of_freedom(self, among: np.ndarray | None = None) -> int:
        """Return runs minus strata, of all strata or of those in which the runs `among`, bool of shape (R,), stand."""
        sizes = np.bincount(self.strata)
        present = np.unique(self.strata if among is None else self.strata[among])
        return int((sizes[present] - 1).sum())


def resample_weights(strata: np.ndarray, draws: int, generator: np.random.Generator) -> np.ndarray:
    """Draw how often each unit counts in each resample: float64, shape (draws, R).

    Of the n units in a stratum n - 1 are drawn with replacement and count n / (n - 1) times (Rao and Wu 1988). A
    stratum's only unit always counts once.
    """
    weights = np.ones((draws, len(strata)))
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        size = len(members)
        if size > 1:
            drawn = generator.multinomial(size - 1, np.full(size, 1 / size), size=draws)
            weights[:, members] = drawn * (size / (size - 1))
    return weights


@dataclass(frozen=True)
class ModelDraws:
    """F1 of one model in every resample.

    Attributes:
        estimate: Mean over seeds of F1 per class on the frames as they are, shape (K,).
        per_seed: F1 per seed and class on the frames as they are, shape (S, K).
        resampled: The mean over seeds in each resample of runs, shape (B, K).
    """

    estimate: np.ndarray
    per_seed: np.ndarray
    resampled: np.ndarray


class Resamples:
    """One set of resamples of the test runs, shared by all models, so that differences are paired.

    Args:
        frames: The test frames; their runs are resampled.
        draws: Number of resamples, B.
        confidence: Of the intervals, between 0 and 1.
        seed: Of the resamples.
    """

    def __init__(self, frames: Predictions, draws: int, confidence: float, seed: int) -> None:
        self.runs = Runs.of(frames)
        self.confidence = confidence
        self._weights = resample_weights(self.runs.strata, draws, generator(Stream.BOOTSTRAP, seed))

    def draw(self, trained: Sequence[Predictions]) -> ModelDraws:
        """Score one model, given its predictions of each of the S seeds, in every resample of the R runs."""
        per_seed, resampled = [], []
        for scored in trained:
            confusions = self.runs.confusions(scored)
            run_count, class_count, _ = confusions.shape
            weighted = self._weights @ confusions.reshape(run_count, -1)
            resampled.append(f1(weighted.reshape(-1, class_count, class_count)))
            per_seed.append(f1(confusions.sum(axis=0)))
        return ModelDraws(np.mean(per_seed, axis=0), np.array(per_seed), np.mean(resampled, axis=0))

    def macro_interval(self, model: ModelDraws) -> Interval:
        """Return the interval of a model's macro F1.

        Example:
            >>> labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
            >>> predicted = np.array([0, 0, 0, 1, 1, 1, 0, 1])
            >>> runs = np.array(["a", "a", "b", "b", "c", "c", "d", "d"])
            >>> zeros = np.zeros(8, np.int64)
            >>> frames = Predictions(("good", "bad"), labels, np.eye(2)[predicted], runs, zeros, np.arange(8))
            >>> resamples = Resamples(frames, draws=1000, confidence=0.95, seed=0)
            >>> interval = resamples.macro_interval(resamples.draw([frames]))
            >>> 0 < interval.low < interval.estimate == 0.75 < interval.high < 1
            True
        """
        error = StandardError.of(self.runs.degrees_of_freedom(), macro(model.resampled), macro(model.per_seed))
        return share_interval(float(macro(model.estimate)), error, self.confidence, self.runs.about_singletons())

    def class_interval(self, model: ModelDraws, number: int) -> Interval:
        """Return the interval of a model's F1 of one class; none where the class stands in fewer than two test runs."""
        estimate = float(model.estimate[number])
        if self.runs.per_class[number] < 2:
            reason = "no test frames" if self.runs.per_class[number] == 0 else "one test run"
            return Interval(estimate, np.nan, np.nan, reason)
        among = self.runs.frames[:, number] > 0
        freedom = self.runs.degrees_of_freedom(among)
        error = StandardError.of(freedom, model.resampled[:, number], model.per_seed[:, number])
        return share_interval(estimate, error, self.confidence, self.runs.about_singletons(among))

    def frames_interval(self, chosen: np.ndarray, among: np.ndarray) -> Interval:
        """Return the interval of a share of frames, the mean over seeds.

        Args:
            chosen: Which frames have the property, per seed, bool, shape (S, N).
            among: Which frames can have it, bool, shape (N,).
        """
        run_count = len(self.runs.names)
        hits = np.stack([np.bincount(self.runs.of_frame[seed & among], minlength=run_count) for seed in chosen])
        totals = np.bincount(self.runs.of_frame[among], minlength=run_count)
        weighted = self._weights @ totals
        shares = np.full((len(weighted), len(hits)), np.nan)
        np.divide(self._weights @ hits.T, weighted[:, None], out=shares, where=weighted[:, None] > 0)
        per_seed = hits.sum(axis=1) / totals.sum()
        error = StandardError.of(self.runs.degrees_of_freedom(totals > 0), shares.mean(axis=1), per_seed)
        return share_interval(float(per_seed.mean()), error, self.confidence, self.runs.about_singletons(totals > 0))

    def difference(self, one: ModelDraws, other: ModelDraws, number: int | None = None) -> tuple[Interval, float]:
        """Return the interval of a difference in macro F1, or in F1 of a class, and its two-sided p.

        Where there is no interval, or one that is too narrow, p is NaN.
        """

        def score(per_class: np.ndarray) -> np.ndarray:
            return macro(per_class) if number is None else per_class[..., number]

        estimate = float(score(one.estimate) - score(other.estimate))
        if number is not None and self.runs.per_class[number] < 2:
            reason = "no test frames" if self.runs.per_class[number] == 0 else "one test run"
            return Interval(estimate, np.nan, np.nan, reason), np.nan
        among = None if number is None else self.runs.frames[:, number] > 0
        resampled = score(one.resampled) - score(other.resampled)
        seeds = score(one.per_seed), score(other.per_seed)
        error = StandardError.of(self.runs.degrees_of_freedom(among), resampled, *seeds)
        singletons = self.runs.about_singletons(among)
        if reason := error.no_interval(singletons):
            return Interval(estimate, np.nan, np.nan, reason), np.nan
        margin = error.margin(self.confidence)
        p = np.nan if singletons else error.p(estimate)
        return Interval(estimate, max(estimate - margin, -1.0), min(estimate + margin, 1.0), too_narrow=singletons), p
