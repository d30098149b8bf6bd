"""From probabilities to a decision: good, defective or unknown, frame by frame, and by a majority vote over a film."""

from collections import deque
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from weldbench.deploy.bundle import Bundle
from weldbench.deploy.promise import Promise
from weldbench.errors import InputError


class Decision(StrEnum):
    """What is decided about a frame, or by a vote.

    UNKNOWN is a frame like none that the model learned from: whatever class it names, that is no evidence for a good
    weld. So UNKNOWN rejects, as DEFECT does, and no promise about escapes is weakened by it.
    """

    GOOD = "good"
    DEFECT = "defect"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, is_defect: bool, is_unknown: bool) -> "Decision":
        """Decide about a frame: unknown stands above what the class says."""
        return cls.UNKNOWN if is_unknown else cls.DEFECT if is_defect else cls.GOOD

    @property
    def rejects(self) -> bool:
        """Whether it speaks against the weld."""
        return self is not Decision.GOOD


class Rule:
    """How an export decides: a frame is defective where 1 - P(good) is above the threshold, as in the report.

    Where the export has no threshold, the most probable class decides; without a good class every frame is a defect.

    Args:
        bundle: The export.
        false_rejects: Share of good frames that may be rejected, one of those in `bundle.thresholds`; None takes 0.01,
            or the one nearest to it.
        vote_frames: Window of the vote in frames; None takes that of the export, or of the promise.
        keep_promise: Whether to decide by the threshold and the vote of a promise about escapes: that of `vote_frames`,
            or else the one that rejects the fewest good welds of test.

    Attributes:
        false_rejects: Share of good frames that may be rejected; None where the export has no threshold, or a promise
            chose it.
        threshold: Of 1 - P(good), chosen on valid, or on test by a promise; None where the export has none.
        promise: The promise that is kept; None for none.
        vote_frames: Window of the vote in frames.

    Raises:
        InputError: The export has no threshold for that share or no such promise, or the window is no frame long.
    """

    def __init__(
        self,
        bundle: Bundle,
        false_rejects: float | None = None,
        vote_frames: int | None = None,
        keep_promise: bool = False,
    ):
        self.vote_frames = bundle.vote_frames if vote_frames is None else vote_frames
        if self.vote_frames < 1:
            raise InputError(f"the window of the vote is {self.vote_frames} frames; it needs at least 1")
        self.false_rejects: float | None = None
        self.threshold: float | None = None
        self.promise: Promise | None = None
        self._has_good = bundle.good_class is not None
        if keep_promise:
            if false_rejects is not None:
                raise InputError("a promise has a threshold of its own; leave out --false-rejects, or --promise")
            self.promise = _kept_promise(bundle, vote_frames)
            self.threshold, self.vote_frames = self.promise.threshold, self.promise.vote_frames
        elif bundle.thresholds:
            self.false_rejects = _known_rate(bundle, false_rejects)
            self.threshold = bundle.thresholds[self.false_rejects]
        elif false_rejects is not None:
            raise InputError(
                f"{bundle.folder}: this export has no threshold, as it knows no good frames; leave out --false-rejects"
            )

    def decide(self, probabilities: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tell which frames are defective.

        Args:
            probabilities: float32, shape (N, K), as a session gives them.

        Returns:
            bool, shape (N,): True for a defect.
        """
        if self.threshold is None:
            not_good: NDArray[np.bool_] = (probabilities.argmax(axis=1) != 0) | (not self._has_good)
            return not_good
        defective: NDArray[np.bool_] = 1.0 - probabilities[:, 0].astype(np.float64) > self.threshold
        return defective

    def vote(self) -> "Vote":
        """Start the vote over one film."""
        return Vote(self.vote_frames)


class Vote:
    """The majority vote over one film: what most of the last frames say, this one included.

    It is causal: no later frame changes what was said. At the start of a film it holds the frames so far. First it is
    between good and not good, where a tie goes to the newest frame's own decision; so an unknown frame never helps a
    weld to pass. What is not good is unknown where more of these frames are unknown than defects. A change that lasts
    is told (window - 1) / 2 frames late, for an odd window.

    Args:
        window: Length in frames.

    Example:
        >>> vote, good, defect, unknown = Vote(3), Decision.GOOD, Decision.DEFECT, Decision.UNKNOWN
        >>> [str(vote.add(decision)) for decision in (good, defect, defect, good, good)]
        ['good', 'defect', 'defect', 'defect', 'good']
        >>> [str(vote.add(decision)) for decision in (unknown, defect, unknown)]
        ['good', 'defect', 'unknown']
    """

    def __init__(self, window: int):
        self._last: deque[Decision] = deque(maxlen=window)

    def add(self, decision: Decision) -> Decision:
        """Take the next frame's decision and return the majority's."""
        self._last.append(decision)
        rejected = sum(one.rejects for one in self._last)
        good = len(self._last) - rejected
        if not (decision.rejects if rejected == good else rejected > good):
            return Decision.GOOD
        unknown = self._last.count(Decision.UNKNOWN)
        return Decision.UNKNOWN if unknown > rejected - unknown else Decision.DEFECT


def _known_rate(bundle: Bundle, wanted: float | None) -> float:
    if wanted is None:
        return min(bundle.thresholds, key=lambda rate: abs(rate - 0.01))
    if wanted not in bundle.thresholds:
        known = ", ".join(f"{rate:g}" for rate in sorted(bundle.thresholds))
        raise InputError(
            f"{bundle.folder}: it has no threshold for {wanted:g} of false rejects; choose one of {known}, or add it "
            "to compare.false_reject_rates in params.yaml and export again"
        )
    return wanted


def _kept_promise(bundle: Bundle, vote_frames: int | None) -> Promise:
    """Find the promise for a window, or for None the useful one that rejects the fewest good welds of test."""
    if not bundle.promises:
        why = "it knows no good class" if bundle.good_class is None else "its test split held no defective weld"
        raise InputError(f"{bundle.folder}: this export promises nothing about escapes, as {why}; leave out --promise")
    asked = [promise for promise in bundle.promises if vote_frames in (None, promise.vote_frames)]
    if not asked:
        raise InputError(
            f"{bundle.folder}: it has no promise for a vote over {vote_frames} frames; choose --vote "
            f"{' or '.join(str(promise.vote_frames) for promise in bundle.promises)}, or leave out --vote or --promise"
        )
    if useful := [promise for promise in asked if promise.is_useful]:
        return min(useful, key=lambda promise: promise.falsely_rejected)
    few = asked[0]
    raise InputError(
        f"{bundle.folder}: no threshold of this export keeps a promise about escapes but by rejecting every good weld "
        f"too, as some defective weld of test looks good to the model, and of {few.defective} only "
        f"{few.escapes_allowed} may escape; record more defective welds, of which more may "
        "(`weldbench plan-evidence`), or leave out --promise"
    )
