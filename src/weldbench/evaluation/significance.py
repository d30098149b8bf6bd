"""Who is better than whom, and how sure: models compared on the same frames and the same resamples."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import binomtest

from weldbench.evaluation.bootstrap import ModelDraws, Resamples
from weldbench.evaluation.comparison import Comparison
from weldbench.evaluation.intervals import Interval


@dataclass(frozen=True)
class Pair:
    """Two models compared; a p is None where no test is possible.

    Attributes:
        difference: Of macro F1, the first minus the second.
        p_runs: Two-sided, over runs and seeds, adjusted after Holm over all pairs.
        p_frames: McNemar's exact test over frames, the largest of the seeds, adjusted after Holm over all pairs.
        only_first_right: Test frames that only the first model has right, the mean over seeds.
        only_second_right: The same for the second.
    """

    first: str
    second: str
    difference: Interval
    p_runs: float | None
    p_frames: float
    only_first_right: float
    only_second_right: float


@dataclass(frozen=True)
class Leaders:
    """The best model of a row and those not significantly different from it.

    Attributes:
        untested: Why no test is possible, or empty.
    """

    best: str
    tied: tuple[str, ...]
    untested: str


def compare_pairs(comparison: Comparison, draws: Mapping[str, ModelDraws], resamples: Resamples) -> list[Pair]:
    """Compare every two models."""
    differences = _differences(comparison.models, draws, resamples)
    discordant = [_discordant(comparison, *pair) for pair in differences]
    p_frames = holm(np.array([_mcnemar_p(counts) for counts in discordant]))
    return [
        Pair(*pair, difference, None if np.isnan(p_runs) else p_runs, float(p), *counts.mean(axis=0))
        for (pair, (difference, p_runs)), p, counts in zip(differences.items(), p_frames, discordant, strict=True)
    ]


def leaders(
    models: tuple[str, ...], draws: Mapping[str, ModelDraws], resamples: Resamples, number: int | None = None
) -> Leaders:
    """Find the best model by macro F1 (or F1 of one class), and those not significantly worse.

    The tests are those of `compare_pairs`, so that a model in bold is one that every pair with it confirms.
    """
    estimates = {
        model: float(np.nanmean(draws[model].estimate) if number is None else draws[model].estimate[number])
        for model in models
    }
    best = max(models, key=lambda model: estimates[model])
    against = {
        (set(pair) - {best}).pop(): (difference, 1.0 if difference.estimate == 0 else p)
        for pair, (difference, p) in _differences(models, draws, resamples, number).items()
        if best in pair
    }
    tied = tuple(model for model, (_, p) in against.items() if not p < 1 - resamples.confidence)
    reasons = [difference.reason or difference.too_narrow for difference, p in against.values() if np.isnan(p)]
    return Leaders(best, tied, "; ".join(dict.fromkeys(reasons)))


def _differences(
    models: tuple[str, ...], draws: Mapping[str, ModelDraws], resamples: Resamples, number: int | None = None
) -> dict[tuple[str, str], tuple[Interval, float]]:
    """Return of every two models the difference, the first minus the second, and its p after Holm over all pairs."""
    pairs = list(combinations(models, 2))
    tests = [resamples.difference(draws[first], draws[second], number) for first, second in pairs]
    adjusted = holm(np.array([p for _, p in tests])).tolist()
    return {pair: (interval, p) for pair, (interval, _), p in zip(pairs, tests, adjusted, strict=True)}


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust p values for their number after Holm (1979), shape (P,); those that are NaN stay so and do not count."""
    # statsmodels has this too, but collects garbage in every call and takes a second to import.
    order = np.argsort(p)
    remaining = np.count_nonzero(~np.isnan(p)) - np.arange(len(p))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * remaining), 1.0)
    return adjusted


def _discordant(comparison: Comparison, first: str, second: str) -> np.ndarray:
    """Count per seed the frames that only one of the two has right: int64, shape (S, 2)."""
    return np.array(
        [
            [(one.correct & ~other.correct).sum(), (other.correct & ~one.correct).sum()]
            for one, other in zip(comparison.test[first], comparison.test[second], strict=True)
        ]
    )


def _mcnemar_p(discordant: np.ndarray) -> float:
    """The exact test of McNemar (1947): of the frames that one model alone has right, each has half."""
    return max(
        float(binomtest(int(first), int(first + second)).pvalue) if first + second else 1.0
        for first, second in discordant
    )
