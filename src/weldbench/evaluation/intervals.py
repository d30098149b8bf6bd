"""How sure a number is: its standard error from runs and seeds, and the interval that follows.

The variance between the seeds of a model, over their number, adds to that of the test runs, and the degrees of freedom
combine after Satterthwaite (1946). A difference of two models has the seeds of both: the same seed means nothing in two
networks, so seeds are not paired, as runs are. The interval of a share takes Student's t on the logit scale, as is
usual in surveys (Korn and Graubard 1998, "Confidence intervals for proportions").
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t as student


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its confidence interval.

    Attributes:
        reason: Why there is no interval (then both ends are NaN), or empty.
        too_narrow: Why the interval is too narrow, or empty.
    """

    estimate: float
    low: float
    high: float
    reason: str = ""
    too_narrow: str = ""

    @property
    def note(self) -> str:
        """What a reader of the interval has to know, or empty."""
        if self.reason:
            return f"{self.reason}: no interval"
        return f"too narrow, for {self.too_narrow}" if self.too_narrow else ""


@dataclass(frozen=True)
class StandardError:
    """The standard error of a number, and its degrees of freedom; below 1 it cannot be known."""

    value: float
    freedom: float

    @classmethod
    def of(cls, freedom: int, resampled: np.ndarray, *per_seed: np.ndarray) -> "StandardError":
        """Add up the variances of runs and of seeds, and their degrees of freedom (Satterthwaite 1946).

        Args:
            freedom: Of the runs.
            resampled: The number in every resample of runs, shape (B,).
            per_seed: For each model in it, its number of each seed, shape (S,).
        """
        sources = [(float(np.nanvar(resampled)), freedom)]
        sources += [(float(seeds.var(ddof=1)) / len(seeds), len(seeds) - 1) for seeds in per_seed if len(seeds) > 1]
        variance = sum(source for source, _ in sources)
        # Rounding makes resamples that are all the same differ in their last digits.
        if freedom < 1 or variance < 1e-18:
            return cls(0.0, freedom)
        return cls(variance**0.5, variance**2 / sum(source**2 / own for source, own in sources))

    def no_interval(self, singletons: str) -> str:
        """Say why there is no interval, or return nothing; `singletons` says what a single run shows."""
        if self.freedom < 1:
            return "one test run per class"
        return "" if self.value else singletons or "the same in every run"

    def margin(self, confidence: float) -> float:
        """Return half the width of the interval."""
        return float(student.ppf((1 + confidence) / 2, self.freedom)) * self.value

    def p(self, estimate: float) -> float:
        """Return how probable an estimate so far from 0, on either side, would be if the truth were 0."""
        return float(2 * student.sf(abs(estimate) / self.value, self.freedom))


def share_interval(estimate: float, error: StandardError, confidence: float, singletons: str = "") -> Interval:
    """Return the interval of a number between 0 and 1, of equal width each way on the logit scale."""
    if not 0 < estimate < 1:
        error, singletons = StandardError(0.0, error.freedom), ""
    if reason := error.no_interval(singletons):
        return Interval(estimate, np.nan, np.nan, reason)
    margin = error.margin(confidence) / (estimate * (1 - estimate))
    low, high = (float(expit(logit(estimate) + sign * margin)) for sign in (-1, 1))
    return Interval(estimate, low, high, too_narrow=singletons)
