"""How much evidence a promise about escapes takes, with the exact binomial distribution.

The promise: with a given confidence, at most a given share of defective welds escapes. A weld (run) escapes or it does
not, so of n independent defective welds a binomial number escapes. The promise can be made where the upper bound of
Clopper and Pearson (1934, "The use of confidence or fiducial limits illustrated in the case of the binomial") is not
above the promised share; that is where so few escapes have a probability of at most 1 - confidence if the true share
is the promised one. With no escape among n it is Wilks's (1941) sample size for a tolerance limit.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, binomtest

from weldbench.errors import InputError
from weldbench.evaluation.intervals import Interval

POWER = 0.8  # usual in planning (Cohen 1988): the probability with which the promise can be made in the end
_MOST_RUNS = 2**24
_MOST_ESCAPES = 10_000
_ROUNDING = 1 + 1e-9  # keeps p from passing 1 - confidence by a rounding error where both are equal


@dataclass(frozen=True)
class Plan:
    """How many defective welds to record for a promise.

    Attributes:
        runs: Defective welds to record.
        escapes: How many of them may escape.
        power: Probability that no more escape, if the expected share of welds escapes.
    """

    runs: int
    escapes: int
    power: float


def p_value(escapes: NDArray[np.int64] | int, runs: NDArray[np.int64] | int, escape: float) -> NDArray[np.float64]:
    """Return how probable so few escapes of `runs` are if the share `escape` escapes: the lower binomial tail."""
    return np.asarray(binom.cdf(escapes, runs, escape), np.float64)


def proves(p: NDArray[np.float64], confidence: float) -> NDArray[np.bool_]:
    """Tell which p values are small enough for a promise of this confidence."""
    return np.asarray(p <= (1 - confidence) * _ROUNDING)


def fewest_runs(escape: float, confidence: float, escapes: int = 0) -> int:
    """Return the fewest defective welds of which so many may escape, and the promise can still be made.

    Args:
        escape: Promised share, between 0 and 1.
        confidence: Of the promise, between 0 and 1.
        escapes: How many may escape.

    Raises:
        InputError: It takes more than 16 million.

    Example:
        >>> fewest_runs(0.05, 0.95), fewest_runs(0.05, 0.95, escapes=1), fewest_runs(0.01, 0.95)
        (59, 93, 299)
    """
    return int(_fewest_runs(escape, confidence, np.array([escapes]))[0])


def plan(escape: float, confidence: float, expected: float) -> Plan:
    """Return the smallest plan that leads to the promise with a probability of at least 0.8.

    Only the fewest runs for each number of escapes are considered: with a few more, and no more escapes allowed, the
    probability falls (Chernick and Liu 2002, "The saw-toothed behavior of power versus sample size").

    Args:
        escape: Promised share, between 0 and 1.
        confidence: Of the promise, between 0 and 1.
        expected: Share of defective welds that is expected to escape, below `escape`.

    Raises:
        InputError: The expected share is not below the promised one, or so close that it takes too many runs.

    Example:
        >>> found = plan(escape=0.05, confidence=0.95, expected=0.01)
        >>> found.runs, found.escapes, round(found.power, 2)
        (124, 2, 0.87)
    """
    if expected >= escape:
        raise InputError(
            f"{100 * expected:g} % of defective welds are expected to escape; that cannot prove that at most "
            f"{100 * escape:g} % do: promise a larger share, or improve the decision first"
        )
    limit = 8
    while limit <= _MOST_ESCAPES:
        escapes = np.arange(limit)
        runs = _fewest_runs(escape, confidence, escapes)
        power = p_value(escapes, runs, expected)
        if (enough := np.flatnonzero(power >= POWER)).size:
            first = enough[0]
            return Plan(int(runs[first]), int(escapes[first]), float(power[first]))
        limit *= 4
    raise InputError(
        f"{100 * expected:g} % expected and {100 * escape:g} % promised are so close that more than "
        f"{int(runs[-1]):,} defective welds would be needed; promise a larger share"
    )


def lowest_promise(runs: int, confidence: float) -> float:
    """Return the smallest share that so many defective welds can promise: that with no escape among them.

    Example:
        >>> round(lowest_promise(12, 0.95), 3)
        0.221
    """
    return float(1 - (1 - confidence) ** (1 / runs)) if runs else 1.0


def for_one_of(confidence: float, choices: int) -> float:
    """Return the confidence that each of several promises needs, so that all hold together with `confidence`.

    Bonferroni's correction: whichever of them is chosen afterwards, it holds.

    Example:
        >>> round(for_one_of(0.95, 10), 6)
        0.995
    """
    return 1 - (1 - confidence) / choices


@cache
def exact_interval(hits: int, runs: int, confidence: float) -> Interval:
    """Return a share of runs with the two-sided interval of Clopper and Pearson (1934).

    Example:
        >>> interval = exact_interval(0, 8, 0.95)
        >>> interval.estimate, interval.low, round(interval.high, 3)
        (0.0, 0.0, 0.369)
    """
    if not runs:
        return Interval(np.nan, np.nan, np.nan, "no such run")
    ends = binomtest(hits, runs).proportion_ci(confidence, "exact")
    return Interval(hits / runs, float(ends.low), float(ends.high))


def _fewest_runs(escape: float, confidence: float, escapes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bisect for the fewest runs of each number of escapes, int64, shape (E,)."""
    low, high = escapes.copy(), np.full_like(escapes, _MOST_RUNS)
    if not proves(p_value(escapes, high, escape), confidence).all():
        raise InputError(
            f"to promise that at most {100 * escape:g} % escape takes more than {_MOST_RUNS:,} defective welds; "
            "promise a larger share"
        )
    while (low + 1 < high).any():
        middle = (low + high) // 2
        enough = proves(p_value(escapes, middle, escape), confidence)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high
