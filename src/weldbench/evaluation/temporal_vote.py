"""A weld is a film, not a frame: a majority vote over the last frames of a run, and how late it answers."""

from itertools import pairwise

import numpy as np

from weldbench.evaluation.predictions import Predictions


def majority_vote(frames: Predictions, length_frames: int) -> np.ndarray:
    """Let each frame and those just before it in its run vote: the winning class of each frame, int64, shape (N,).

    The window is causal, as a camera over a weld sees no future; at the start of a run it holds the frames so far.
    A tie goes to the class of the frame itself, then to the one that stands first in label order.
    """
    class_count = len(frames.classes)
    winners = np.empty(len(frames.labels), dtype=np.int64)
    for positions in film_order(frames):
        predicted = frames.predicted[positions]
        votes = np.eye(class_count)[predicted]
        so_far = votes.cumsum(axis=0)
        counts = so_far.copy()
        counts[length_frames:] -= so_far[:-length_frames]
        counts += votes / 2
        winners[positions] = counts.argmax(axis=1)
    return winners


def voted_scores(frames: Predictions, scores: np.ndarray, length_frames: int) -> np.ndarray:
    """Return the threshold up to which the vote rejects each frame, float64, shape (N,).

    A vote between good and defective over frames that are defective where their score is above a threshold, as in
    `majority_vote` and in an export, rejects a frame at every threshold below its voted score, and at no other. That is
    the median of the window's scores; where their number is even, the frame's own counts twice, as it breaks a tie.

    Args:
        frames: Whose runs vote.
        scores: How little each frame looks like a good weld, float64, shape (N,).
        length_frames: Of the window.
    """
    voted = np.empty(len(scores))
    for positions in film_order(frames):
        film = scores[positions]
        length = min(length_frames, len(film))
        before = np.concatenate([np.full(length - 1, np.nan), film])
        windows = np.lib.stride_tricks.sliding_window_view(before, length)
        voters = np.minimum(np.arange(len(film)) + 1, length)
        own = np.where(voters % 2 == 1, np.nan, film)[:, None]
        # NaN, where there is no voter, goes last.
        ascending = np.sort(np.concatenate([windows, own], axis=1), axis=1)
        voted[positions] = ascending[np.arange(len(film)), voters // 2]
    return voted


def film_order(frames: Predictions) -> list[np.ndarray]:
    """Return for each run, by name, the positions of its frames in the order of filming, int64 of shape (n,)."""
    order = np.lexsort((frames.rows, frames.runs))
    starts = np.flatnonzero(frames.runs[order][1:] != frames.runs[order][:-1]) + 1
    return np.split(order, starts)


def delay_frames(length_frames: int) -> int:
    """How many frames a vote of flawless predictions lags behind a change of class, for an odd window length."""
    return (length_frames - 1) // 2


def measured_delays(frames: Predictions, voted: np.ndarray) -> np.ndarray:
    """Count the frames from each true change of class within a run until the vote first says the new class.

    Args:
        frames: The frames that voted.
        voted: The winning class of each, int64, shape (N,), from `majority_vote`.

    Returns:
        float64, one entry per change; infinite where the vote never says it while the class lasts.
    """
    delays = []
    for positions in film_order(frames):
        labels, said = frames.labels[positions], voted[positions]
        changes = np.flatnonzero(labels[1:] != labels[:-1]) + 1
        for start, end in pairwise([*changes, len(labels)]):
            found = np.flatnonzero(said[start:end] == labels[start])
            delays.append(float(found[0]) if len(found) else np.inf)
    return np.array(delays)
