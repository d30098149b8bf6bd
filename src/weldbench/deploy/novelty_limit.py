"""From which score on a frame is unknown: a threshold with a stated share of good welds.

It is split conformal (Papadopoulos, Proedrou, Vovk and Gammerman 2002), with a whole weld as one draw: of n good runs
that the fit has not seen, it lies at the largest score in one of them. The next such weld has a frame above it with a
probability of at most the share.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Limit:
    """The score above which a frame is unknown, and what it was set by.

    Attributes:
        threshold: The score.
        runs: Runs of valid that set it.
        share: Of such welds, the share that has an unknown frame on average is at most this.
        wanted: The share that was asked for; `share` is larger where the runs are too few for it.
        of_good: Whether these runs are good; otherwise valid has no run without a defect, and all of its runs count.
    """

    threshold: float
    runs: int
    share: float
    wanted: float
    of_good: bool


def limit_for(
    scores: NDArray[np.float64], labels: NDArray[np.int64], runs: NDArray[Any], wanted: float, has_good: bool
) -> Limit:
    """Set the threshold so that at most a share of good welds has a frame above it, on average.

    Args:
        scores: Of the frames of valid, float64, shape (N,).
        labels: Class of each frame, int64, shape (N,); 0 is the good one, if there is one.
        runs: Run of each frame, shape (N,).
        wanted: Share of good welds, between 0 and 1.
        has_good: Whether there is a good class.

    Example:
        >>> scores, runs = np.arange(1.0, 41.0), np.arange(40)
        >>> limit = limit_for(scores, np.zeros(40, np.int64), runs, 0.05, has_good=True)
        >>> limit.threshold, limit.runs, limit.share
        (39.0, 40, 0.05)
    """
    names, of_frame = np.unique(runs, return_inverse=True)
    largest = np.full(len(names), -np.inf)
    np.maximum.at(largest, of_frame, scores)
    good = np.bincount(of_frame, weights=labels != 0) == 0
    of_good = has_good and bool(good.any())
    ordered = np.sort(largest[good] if of_good else largest)
    count = len(ordered)
    # So many of `count` + 1 welds, the next one among them, may have a larger score.
    above = max(math.floor(wanted * (count + 1) * (1 + 1e-9)), 1)
    share = max(wanted, 1 / (count + 1))
    return Limit(float(ordered[count - above]), count, share, wanted, of_good)


def about_limit(limit: Limit) -> str:
    """Say how often a weld like those of valid has an unknown frame."""
    kind = "good" if limit.of_good else "of any kind, as valid has no good run,"
    which = "good runs" if limit.of_good else "runs"
    found = (
        f"of {'good welds' if limit.of_good else f'welds {kind}'} like the {limit.runs} {which} of valid that set it, "
        f"at most {limit.share:.1%} have such a frame, on average"
    )
    if limit.share <= limit.wanted:
        return found
    needed = math.ceil(round(1 / limit.wanted, 9)) - 1
    return f"{found}; {limit.wanted:.1%} were asked for, which takes {needed} {which}"
