"""Has the camera or the process changed? A running comparison of weld after weld with the runs of training.

Frames of one weld are near copies, so a weld counts once, by the mean of its frames. What depends on its class would
alarm where the mix of defects differs from that of training, as it always does: so each frame is compared with what
training frames of its PREDICTED class show. The means go into charts of a few numbers each (brightness, sharpness,
where the light lies, how sure the scores are, features), each a multivariate EWMA (Lowry, Woodall, Champ and Rigdon
1992, "A multivariate exponentially weighted moving average control chart"). A single strange weld counts up to a cap,
and alarms nothing alone. One more chart, a CUSUM of each defect's share (Page 1954; Reynolds and Stoumbos 1999, "A
CUSUM chart for monitoring a proportion"), tells where welds are called a defect more often than in training, which had
more defects than any production.

The limits are simulated for the number of runs that set mean and covariance: estimates from few runs multiply false
alarms (Jones, Champ and Rigdon 2001, "The performance of exponentially weighted moving average charts with estimated
parameters"), so fewer runs make wider limits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from weldbench.deploy.drift_reference import CHARTS, NUMBERS, Floats, Reference
from weldbench.runtime.text import counted

FEWEST_FRAMES = 5  # of a weld that counts; so many of each run of training set the limits
SMOOTHING = 0.25  # weight of the newest weld


@dataclass
class DriftState:
    """Where the charts stand; plain numbers, so that a record can keep them.

    Attributes:
        weld: Name of the weld whose frames come in; None before the first.
        frames: Of that weld so far.
        sums: Of their traits.
        counts: Of them by predicted class.
        welds: That are finished and count.
        means: Chart -> its moving average.
        cusums: Of each class.
        calm: Chart or class -> the last weld at which it was where it usually is.
        beyond: Charts and classes beyond their limits, which was said.
        told: The last sentence that was said; empty if none was.
    """

    weld: str | None = None
    frames: int = 0
    sums: list[float] = field(default_factory=list)
    counts: list[float] = field(default_factory=list)
    welds: int = 0
    means: dict[str, list[float]] = field(default_factory=dict)
    cusums: list[float] = field(default_factory=list)
    calm: dict[str, int] = field(default_factory=dict)
    beyond: list[str] = field(default_factory=list)
    told: str = ""


class Drift:
    """The charts over the welds of one camera, in the order in which they were made.

    Args:
        reference: Of the export.
        classes: Names in label order.
        state: Where an earlier watch ended; None begins anew.
    """

    def __init__(self, reference: Reference, classes: Sequence[str], state: DriftState | None = None):
        self._reference, self._classes = reference, tuple(classes)
        self.state = state or DriftState()

    def take(self, weld: str, traits: Sequence[float], class_name: str) -> str | None:
        """Take the next frame; the first one of another weld finishes the last.

        Args:
            weld: Name of its weld.
            traits: Of the frame, (11,), from `Reference.traits`.
            class_name: Its most probable class.

        Returns:
            A sentence where the weld that it finishes brings a chart beyond its limit.
        """
        told = self.finish() if weld != self.state.weld else None
        state = self.state
        if not state.frames:
            state.weld, state.sums, state.counts = weld, [0.0] * NUMBERS, [0.0] * len(self._classes)
        state.frames += 1
        state.sums = [so_far + one for so_far, one in zip(state.sums, traits, strict=True)]
        state.counts[self._classes.index(class_name)] += 1
        return told

    def finish(self) -> str | None:
        """Finish the weld whose frames came in, and weigh it.

        A weld of fewer than 5 frames does not count: its mean says less than those that set the limits.
        """
        state, told = self.state, None
        if state.frames >= FEWEST_FRAMES:
            told = self.weigh(np.array(state.sums) / state.frames, np.array(state.counts) / state.frames)
        state.weld, state.frames = None, 0
        return told

    def weigh(self, means: Floats, shares: Floats) -> str | None:
        """Take a weld by the mean of its traits, (11,), and the shares of its frames by predicted class, (K,)."""
        reference, state = self._reference, self.state
        state.welds += 1
        beyond: dict[str, float] = {}
        for chart, whitening in reference.whitening.items():
            newest = capped(whitening @ (means - reference.center)[CHARTS[chart]])
            average = (1 - SMOOTHING) * np.array(state.means.get(chart, [0.0] * len(newest))) + SMOOTHING * newest
            state.means[chart] = average.tolist()
            self._compare(chart, statistic(average), len(average), reference.limits[chart], beyond)
        cusums = np.array(state.cusums or [0.0] * len(shares)) + share_step(shares, reference.shares)
        state.cusums = np.maximum(cusums, 0.0).tolist()
        for number in range(reference.first_defect, len(shares)):
            limit = float(reference.share_limits[number])
            self._compare(self._classes[number], state.cusums[number], 0.0, limit, beyond)
        fresh = sorted((name for name in beyond if name not in state.beyond), key=lambda name: -beyond[name])
        state.beyond = list(beyond)
        if not fresh:
            return None
        state.told = self._sentence(fresh)
        return state.told

    def summary(self) -> str:
        """Say how many welds were compared, and the last change that was found."""
        compared = f"drift check: {counted(self.state.welds, 'weld')} compared with training"
        return f"{compared}; {self.state.told or 'no change found'}"

    def _compare(self, name: str, value: float, usual: float, limit: float, beyond: dict[str, float]) -> None:
        if value <= usual:
            self.state.calm[name] = self.state.welds
        if value > limit:
            beyond[name] = value / limit

    def _sentence(self, fresh: Sequence[str]) -> str:
        since = min(self.state.calm.get(name, 0) for name in fresh) + 1
        moved = [name for name in fresh if name in CHARTS]
        taken = [name for name in fresh if name not in CHARTS]
        what = [f"{' and '.join(moved)} moved most"] if moved else []
        what += [f"more is taken for {' and '.join(taken)} than in training"] if taken else []
        return f"the camera or the process has changed since weld {since} of {self.state.welds}: {'; '.join(what)}"


def capped(whitened: Floats) -> Floats:
    """Shorten a vector of independent numbers of variance 1, (..., d), to the length that one in 1,000 exceeds."""
    from scipy.stats import chi2  # late: it takes a while to import

    longest = float(chi2.ppf(0.999, whitened.shape[-1])) ** 0.5
    length = np.sqrt((whitened**2).sum(axis=-1, keepdims=True))
    return np.asarray(whitened * np.minimum(1.0, longest / np.maximum(length, 1e-12)))


def statistic(mean: Floats) -> Any:
    """Return the squared distance of moving averages, (..., d), in their standard deviations."""
    return (mean**2).sum(axis=-1) * (2 - SMOOTHING) / SMOOTHING


def share_step(shares: Floats, usual: Floats) -> Floats:
    """Return the step of the CUSUM of each class: the log likelihood ratio of half way to every weld, to the usual."""
    more = usual + (1 - usual) / 2
    return np.asarray(shares * np.log(more / usual) + (1 - shares) * np.log((1 - more) / (1 - usual)))
