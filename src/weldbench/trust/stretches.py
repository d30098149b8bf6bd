"""Stretches of film: consecutive frames of one run with one given label and one suggested label."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weldbench.trust.confident_learning import confident_learning

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# What a change of class along a film costs, in the log of a probability: frames are near copies of those before them,
# so a few odd ones are no change. 10 is two or three frames of which the fits are sure.
_CHANGE_COST = 10.0
# Half of the right stretches lie below the mean probability of their class, which is the threshold of confident
# learning. So another class also counts where it is more probable than the label by this.
_CLEAR_LEAD = 0.5
_LEAST = 1e-4  # a probability below counts as this, so that one frame never decides alone


@dataclass(frozen=True)
class Stretches:
    """All stretches of all films, S of them.

    Attributes:
        of_frame: Stretch of each frame, int64, shape (N,), rising.
        frames: Number of frames of each, int64, shape (S,).
        given: Label of each, int64, shape (S,).
        suggested: The class that the fits suggest, int64, shape (S,); the given one where they agree.
        confident: Whether the suggested class reaches its threshold of confident learning, bool, shape (S,).
        scores: Mean probability of the suggested class less that of the given one, shape (S,).
        wrong_share: Share of frames whose label is wrong, as confident learning estimates it.
    """

    of_frame: IntArray
    frames: IntArray
    given: IntArray
    suggested: IntArray
    confident: NDArray[np.bool_]
    scores: FloatArray
    wrong_share: float

    @property
    def probably_wrong(self) -> NDArray[np.bool_]:
        """Whether another class reaches its threshold or is by far more probable than the label, bool, shape (S,)."""
        wrong: NDArray[np.bool_] = (self.suggested != self.given) & (self.confident | (self.scores >= _CLEAR_LEAD))
        return wrong

    @property
    def worst_first(self) -> IntArray:
        """The stretches in doubt: those probably wrong first, then those of which the fits are less sure."""
        doubted = np.flatnonzero(self.suggested != self.given)
        return doubted[np.lexsort((doubted, -self.scores[doubted], ~self.probably_wrong[doubted]))]


def stretches_of(probabilities: FloatArray, given: IntArray, films: IntArray) -> Stretches:
    """Cut films into stretches and judge each as a whole, by the mean of its frames' probabilities.

    Confident learning takes frames for independent, which those of a stretch are not; so each frame has the mean
    probabilities of its stretch.

    Args:
        probabilities: Of each frame out of folds by run, shape (N, K).
        given: Label of each frame, int64, shape (N,).
        films: Film of each frame, int64, shape (N,); the frames of a film stand together, in filming order.
    """
    smooth = np.empty(len(given), np.int64)
    logs = np.log(np.maximum(probabilities, _LEAST))
    begins = np.flatnonzero(np.r_[True, films[1:] != films[:-1]])
    for frames in np.split(np.arange(len(given)), begins[1:]):
        smooth[frames] = most_probable_film(logs[frames])
    new = (films[1:] != films[:-1]) | (given[1:] != given[:-1]) | (smooth[1:] != smooth[:-1])
    of_frame = np.r_[0, np.cumsum(new)].astype(np.int64)
    sizes, first = np.bincount(of_frame), np.flatnonzero(np.r_[True, new])
    means = np.stack([np.bincount(of_frame, column) for column in probabilities.T], axis=1) / sizes[:, None]
    found = confident_learning(means[of_frame], given)
    sure = found.labels[first]
    suggested = np.where(sure >= 0, sure, means.argmax(axis=1))
    numbers, labels = np.arange(len(sizes)), given[first]
    scores = means[numbers, suggested] - means[numbers, labels]
    return Stretches(of_frame, sizes, labels, suggested, sure >= 0, scores, found.wrong_share)


def most_probable_film(logs: FloatArray) -> IntArray:
    """Find the classes along a film that have the highest sum of logs, less a cost for each change (Viterbi 1967).

    Args:
        logs: Log probability of each frame and class, shape (T, K).

    Returns:
        Class of each frame, int64, shape (T,).
    """
    best, came_from = logs[0], np.empty(logs.shape, np.int64)
    numbers = np.arange(logs.shape[1])
    for frame in range(1, len(logs)):
        leader = int(best.argmax())
        stays = best >= best[leader] - _CHANGE_COST
        came_from[frame] = np.where(stays, numbers, leader)
        best = np.where(stays, best, best[leader] - _CHANGE_COST) + logs[frame]
    film = np.empty(len(logs), np.int64)
    film[-1] = best.argmax()
    for frame in range(len(logs) - 1, 0, -1):
        film[frame - 1] = came_from[frame, film[frame]]
    return film
