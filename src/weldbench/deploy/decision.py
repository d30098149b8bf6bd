"""From probabilities to a decision: good or defective, frame by frame, and by a majority vote over a film."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from weldbench.deploy.bundle import Bundle
from weldbench.errors import InputError


class Rule:
    """How an export decides: a frame is defective where 1 - P(good) is above the threshold, as in the report.

    Where the export has no threshold, the most probable class decides; without a good class every frame is a defect.

    Args:
        bundle: The export.
        false_rejects: Share of good frames that may be rejected, one of those in `bundle.thresholds`; None takes 0.01,
            or the one nearest to it.
        vote_frames: Window of the vote in frames; None takes that of the export.

    Attributes:
        false_rejects: Share of good frames that may be rejected; None where the export has no threshold.
        threshold: Of 1 - P(good), chosen on valid; None where the export has none.
        vote_frames: Window of the vote in frames.

    Raises:
        InputError: The export has no threshold for that share, or the window is shorter than one frame.
    """

    def __init__(self, bundle: Bundle, false_rejects: float | None = None, vote_frames: int | None = None):
        self.vote_frames = bundle.vote_frames if vote_frames is None else vote_frames
        if self.vote_frames < 1:
            raise InputError(f"the window of the vote is {self.vote_frames} frames; it needs at least 1")
        self.false_rejects: float | None = None
        self.threshold: float | None = None
        self._has_good = bundle.good_class is not None
        if bundle.thresholds:
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

    It is causal: no later frame changes what was said. At the start of a film it holds the frames so far. A tie goes to
    the newest frame's own decision. A change that lasts is told (window - 1) / 2 frames late, for an odd window.

    Args:
        window: Length in frames.

    Example:
        >>> vote = Vote(3)
        >>> [vote.add(is_defect) for is_defect in (False, True, True, False, False)]
        [False, True, True, True, False]
    """

    def __init__(self, window: int):
        self._last: deque[bool] = deque(maxlen=window)

    def add(self, is_defect: bool) -> bool:
        """Take the next frame's decision and return the majority's: True for a defect."""
        self._last.append(bool(is_defect))
        defects = sum(self._last)
        good = len(self._last) - defects
        return bool(is_defect) if defects == good else defects > good


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
