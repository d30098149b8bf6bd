"""What happens to a weld, not a frame: does its defect escape, is it rejected although it is good?

A decision rule rejects a frame where 1 - P(good) is above a threshold, then lets the last frames vote, as an export
does. A weld is one run. It is defective if a frame of it shows a defect, and ESCAPES if it is not rejected in any frame
that shows one: a rejection before the defect begins was luck, one after it ends is too late. A good weld has no
defective frame, and is FALSELY REJECTED if it is rejected in any frame. The good stretch of a defective run does not
count as a good weld: rejecting that weld costs no good part, and the stretch is too short to show how often an alarm
rings in a whole one.

Both are monotone in the threshold: a higher one lets more defects escape and rejects fewer good welds. So one number a
weld says all: the score up to which it is rejected.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weldbench.evaluation.bootstrap import Runs
from weldbench.evaluation.confusion import confusion_matrix, f1, macro
from weldbench.evaluation.operating_point import defect_scores
from weldbench.evaluation.predictions import Predictions
from weldbench.evaluation.temporal_vote import voted_scores


@dataclass(frozen=True)
class Welds:
    """The welds of a split under one decision rule, at every threshold.

    Attributes:
        names: Of the runs, shape (R,).
        shown: What each weld shows, int64, shape (R,): 0 for a good one, else the defect of most of its frames.
        scores: float64, shape (R,). At a threshold below its score a weld is rejected: a good one in some frame, a
            defective one while its defect lasts.
    """

    names: NDArray[np.str_]
    shown: NDArray[np.int64]
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, frames: Predictions, vote_frames: int) -> "Welds":
        """Apply a vote over `vote_frames` frames to the runs of some frames.

        Example:
            >>> good = np.array([0.9, 0.8, 0.4, 0.9, 0.1, 0.2])
            >>> runs, labels = np.array(["a", "a", "a", "b", "b", "b"]), np.array([0, 0, 0, 0, 1, 1])
            >>> probabilities, zeros = np.stack([good, 1 - good], axis=1), np.zeros(6, np.int64)
            >>> frames = Predictions(("good", "bad"), labels, probabilities, runs, zeros, np.arange(6))
            >>> Welds.of(frames, vote_frames=1).scores.round(1).tolist()
            [0.6, 0.9]
            >>> Welds.of(frames, vote_frames=3).scores.round(1).tolist()
            [0.2, 0.9]
        """
        runs = Runs.of(frames)
        strata = runs.strata
        counts = (frames.labels != 0) | (strata[runs.of_frame] == 0)
        scores = np.full(len(runs.names), -np.inf)
        np.maximum.at(scores, runs.of_frame[counts], voted_scores(frames, defect_scores(frames), vote_frames)[counts])
        return cls(runs.names, strata, scores)

    @property
    def defective(self) -> NDArray[np.bool_]:
        """Which welds are defective, bool, shape (R,)."""
        defective: NDArray[np.bool_] = self.shown != 0
        return defective

    def escaped(self, threshold: float) -> NDArray[np.bool_]:
        """Which welds are defective and escape at a threshold, bool, shape (R,)."""
        return self.defective & (self.scores <= threshold)

    def falsely_rejected(self, threshold: float) -> NDArray[np.bool_]:
        """Which welds are good and are rejected at a threshold, bool, shape (R,)."""
        return ~self.defective & (self.scores > threshold)

    def take(self, positions: np.ndarray) -> "Welds":
        """Return the welds at `positions`: indices, int64 of shape (r,), or a mask, bool of shape (R,)."""
        return Welds(self.names[positions], self.shown[positions], self.scores[positions])


def exported_training(test: Sequence[Predictions], valid: Sequence[Predictions]) -> int:
    """Choose, of the trainings of one model, the one that an export takes: the best on valid of the first fold.

    A promise is about one network. Test chooses nothing here, so its runs stay fit to check it.

    Args:
        test: Predictions of each training on test.
        valid: Those on valid.

    Returns:
        The position of the training; the first of equals, or where valid is empty.
    """

    def score(frames: Predictions) -> float:
        of_fold = frames.take(frames.folds == test[0].folds[0])
        found = float(macro(f1(confusion_matrix(of_fold.labels, of_fold.predicted, len(of_fold.classes)))))
        return -1.0 if np.isnan(found) else found

    return max(range(len(valid)), key=lambda seed: score(valid[seed]))


def first_fold(frames: Predictions) -> Predictions:
    """Return the frames of the first fold: in another one they were judged by another network."""
    return frames.take(frames.folds == frames.folds[0])
