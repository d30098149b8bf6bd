"""A threshold with a promise: with a given confidence, at most a given share of defective welds escapes.

Learn then Test (Angelopoulos, Bates, Candès, Jordan and Lei 2021, "Learn then Test: Calibrating predictive algorithms
to achieve risk control"): thresholds are tested in a fixed order, from the strictest on, each against "more than the
promised share escapes", and the last one before the first failure is kept. No further correction is needed along the
sequence. A weld escapes or does not, so the p value is the exact binomial tail. Escapes are monotone in the threshold,
hence so are the p values, and so are false rejects: the last threshold kept rejects the fewest good welds.

Which welds calibrate: all defective runs of test. Test has chosen nothing yet, neither weights nor thresholds, as valid
has. All of it may set a threshold, because the promise needs no further runs to check it. What test does choose is a
model and a rule, when its reader takes the one with the fewest false rejects: so each promise is made at the confidence
that lets all of them hold together (Bonferroni). Good runs set no threshold, so they tell honestly what it costs.

Cross-fitting, one half of the runs for the other, makes a weaker promise, from half of the runs. It is of use as a
check (`cross_checks`): where names are dates, whether the later welds are like the earlier ones. Halves drawn at random
would check nothing. Only the order of the scores decides how many of one half escape at the other half's threshold, and
that order is random whatever the model; leaving out one run at a time, the number is even fixed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weldbench.trust.evidence import exact_interval, for_one_of, lowest_promise, p_value, proves
from weldbench.trust.welds import Welds

_STEPS = 1_000_000  # thresholds are whole millionths, fixed before any run is seen; so is the one that is printed


@dataclass(frozen=True)
class Promise:
    """At this threshold at most `escape` of defective welds escapes, with the confidence it was made at.

    Attributes:
        escape: Share of defective welds.
        threshold: Of 1 - P(good); below 0 it rejects every weld.
        defective: Defective runs that calibrated it.
        escaped: How many of them escape at the threshold.
    """

    escape: float
    threshold: float
    defective: int
    escaped: int

    @property
    def rejects_everything(self) -> bool:
        """Whether the promise is kept by rejecting every weld, which needs no camera."""
        return self.threshold < 0


@dataclass(frozen=True)
class Check:
    """What happens to one half of the runs at the threshold of the other half.

    Attributes:
        promise: Of the half that calibrates.
        defective: Defective runs of the half that checks.
        escaped: How many of them escape.
        good: Its good runs.
        falsely_rejected: How many of them are rejected.
    """

    promise: Promise
    defective: int
    escaped: int
    good: int
    falsely_rejected: int

    def contradicts(self, confidence: float) -> bool:
        """Tell whether more escape than promised, beyond chance: the exact interval lies above the promise."""
        return exact_interval(self.escaped, self.defective, confidence).low > self.promise.escape


def promise(welds: Welds, escape: float, confidence: float) -> Promise | None:
    """Choose the threshold that rejects the fewest good welds and keeps the promise.

    Args:
        welds: Of one rule, new to the network; the defective ones calibrate. They have to be exchangeable with the
            welds that the promise is about.
        escape: Share of defective welds that may escape, between 0 and 1.
        confidence: Probability, over the draw of the welds, that at most this share escapes at the threshold.

    Returns:
        None where the defective welds are too few for this promise (see `evidence.lowest_promise`).

    Example:
        >>> shown, scores = np.array([0] + [1] * 59), np.array([0.5, 0.75] + [0.9] * 58)
        >>> made = promise(Welds(np.arange(60).astype(str), shown, scores), escape=0.05, confidence=0.95)
        >>> made.threshold, made.escaped
        (0.749999, 0)
    """
    scores = np.sort(welds.scores[welds.defective])
    if not len(scores):
        return None
    # Between two scores nothing changes, so the last threshold before each stands for all before it.
    thresholds = _just_below(np.unique(scores))
    escaped = np.searchsorted(scores, thresholds, side="right")
    failures = np.flatnonzero(~proves(p_value(escaped, len(scores), escape), confidence))
    kept = failures[0] - 1 if len(failures) else len(thresholds) - 1
    if kept < 0:
        return None
    return Promise(escape, float(thresholds[kept]), len(scores), int(escaped[kept]))


def best_promise(welds: Welds, escape: float, confidence: float) -> Promise | None:
    """Make the wanted promise or, where defective welds are too few for it, the lowest that so many can make.

    The share depends on the number of runs alone, not on what happens to them, so the promise stays exact.

    Returns:
        None where no weld is defective.
    """
    return promise(welds, max(escape, lowest_promise(int(welds.defective.sum()), confidence)), confidence)


def cross_checks(welds: Welds, escape: float, confidence: float) -> tuple[Check, ...]:
    """Let each half of the runs calibrate a promise, and the other half check it.

    Within each class the runs stand in the order of their names; the first half of each makes one half. Both promises
    hold together with `confidence`.

    Returns:
        The check of the later half, then that of the earlier one; nothing where a half has no defective weld.
    """
    earlier = _earlier_half(welds)
    checks = []
    for calibrates in (earlier, ~earlier):
        made = best_promise(welds.take(calibrates), escape, for_one_of(confidence, 2))
        others = welds.take(~calibrates)
        if made is None or not others.defective.any():
            return ()
        checks.append(
            Check(
                promise=made,
                defective=int(others.defective.sum()),
                escaped=int(others.escaped(made.threshold).sum()),
                good=int((~others.defective).sum()),
                falsely_rejected=int(others.falsely_rejected(made.threshold).sum()),
            )
        )
    return tuple(checks)


def _just_below(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the highest whole millionth below each score, which does not escape there."""
    thresholds = (np.ceil(scores * _STEPS) - 1) / _STEPS
    return np.where(thresholds < scores, thresholds, thresholds - 1 / _STEPS)


def _earlier_half(welds: Welds) -> NDArray[np.bool_]:
    earlier, spare = np.zeros(len(welds.names), dtype=bool), 0
    for number in np.unique(welds.shown):
        of_class = np.flatnonzero(welds.shown == number)
        by_name = of_class[np.argsort(welds.names[of_class], kind="stable")]
        # Classes with an odd number of runs give their middle one to the later and the earlier half by turns.
        half, left = divmod(len(by_name) + spare, 2)
        spare = left
        earlier[by_name[:half]] = True
    return earlier
