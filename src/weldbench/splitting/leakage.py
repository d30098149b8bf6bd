"""What two splits share: runs, recordings, identical frames, look-alikes; and what is done about it."""

from collections import Counter
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from weldbench.splitting.perceptual_hash import near_pairs

# Of what two splits share, the first of these keeps it: test is never touched, and valid gives way first.
KEEPERS = ("test", "train", "valid")

_LISTED = 100  # entries of each kind in audit.json, the largest first; the totals count them all


def find_leaks(used: pd.DataFrame, perceptual: np.ndarray) -> dict[str, dict[str, Any]]:
    """Find what two splits share.

    Frames are near-identical if they look alike and stem from different runs; that is a hint for a person, as runs
    may look alike by chance.

    Args:
        used: One line per frame that stands in a split: columns run, split, content (hash of its pixels).
        perceptual: Perceptual hashes of the same frames, shape (N, words).

    Returns:
        Under `shared_runs`, `identical_frames` and `near_identical_frames`: `frames` (split -> how many are concerned),
        the number of `runs` or `pairs`, and the largest cases, `listed`.
    """
    return {
        "shared_runs": _shared_runs(used),
        "identical_frames": _identical(used),
        "near_identical_frames": _near_identical(used, perceptual),
    }


def without_leaks(used: pd.DataFrame) -> pd.Series:
    """Tell which frames stay when each shared run and each identical frame is left to one split.

    A run that two splits share leaves the lesser of them whole, not only its identical frames: the frames of a run are
    near copies of each other. test keeps all of its frames; train gives way to test, valid to both.

    Args:
        used: As in find_leaks.

    Returns:
        bool, indexed as `used`.
    """
    rank = used["split"].map({split: place for place, split in enumerate(KEEPERS)})
    return (rank == rank.groupby(used["run"]).transform("min")) & (
        rank == rank.groupby(used["content"]).transform("min")
    )


def _shared_runs(used: pd.DataFrame) -> dict[str, Any]:
    frames = pd.crosstab(used["run"], used["split"])
    shared = frames[(frames > 0).sum(axis=1) > 1]
    largest = shared.loc[shared.sum(axis=1).sort_values(ascending=False, kind="stable").index[:_LISTED]]
    return {
        "runs": len(shared),
        "frames": _positive(shared.sum()),
        "listed": [{"run": run, "frames": _positive(row)} for run, row in largest.iterrows()],
    }


def probable_recordings(used: pd.DataFrame, recordings: Mapping[str, str]) -> dict[str, Any]:
    """Find recordings of which two splits hold different runs.

    Args:
        used: One line per frame that stands in a split: columns run, split.
        recordings: Run -> recording that it probably belongs to.

    Returns:
        The number of `recordings`, `frames` (split -> how many are concerned), and the largest cases, `listed`: the
        frames of each run in each split.
    """
    frames = pd.crosstab(used["run"], used["split"])
    of_run = frames.groupby(frames.index.map(recordings), sort=True)
    runs_together, splits_together = of_run.size(), (of_run.sum() > 0).sum(axis=1)
    leaked = of_run.sum()[(runs_together > 1) & (splits_together > 1)]
    largest = leaked.sum(axis=1).sort_values(ascending=False, kind="stable").index[:_LISTED]
    return {
        "recordings": len(leaked),
        "frames": _positive(leaked.sum()),
        "listed": [
            {"runs": {run: _positive(row) for run, row in of_run.get_group(whole).iterrows()}} for whole in largest
        ],
    }


def _identical(used: pd.DataFrame) -> dict[str, Any]:
    counts = used.groupby(["content", "split", "run"], sort=True).size().rename("frames").reset_index()
    pairs = []
    for one, other in combinations(reversed(KEEPERS), 2):
        joined = counts[counts["split"] == one].merge(counts[counts["split"] == other], on="content")
        joined["pairs"] = joined["frames_x"] * joined["frames_y"]
        summed = joined.groupby(["run_x", "run_y"])["pairs"].sum()
        pairs += [(one, other, *runs_and_count) for runs_and_count in summed.reset_index().to_numpy().tolist()]
    splits_of_content = used.groupby("content")["split"].transform("nunique")
    return _summary(pairs, used[splits_of_content > 1])


def _near_identical(used: pd.DataFrame, perceptual: np.ndarray) -> dict[str, Any]:
    run_codes, runs = pd.factorize(used["run"], sort=True)
    content_codes, _ = pd.factorize(used["content"])
    split = used["split"].to_numpy()
    concerned = np.zeros(len(used), dtype=bool)
    pairs = []
    for one, other in combinations(reversed(KEEPERS), 2):
        ones, others = np.flatnonzero(split == one), np.flatnonzero(split == other)
        counts: Counter[int] = Counter()
        for here, there in near_pairs(perceptual[ones], perceptual[others]):
            first, second = ones[here], others[there]
            apart = (run_codes[first] != run_codes[second]) & (content_codes[first] != content_codes[second])
            first, second = first[apart], second[apart]
            concerned[first] = concerned[second] = True
            run_pairs, frequency = np.unique(run_codes[first] * len(runs) + run_codes[second], return_counts=True)
            counts.update(dict(zip(run_pairs.tolist(), frequency.tolist(), strict=True)))
        pairs += [
            (one, other, runs[code // len(runs)], runs[code % len(runs)], count) for code, count in counts.items()
        ]
    return _summary(pairs, used[concerned])


def _summary(pairs: list[tuple[str, str, str, str, int]], concerned: pd.DataFrame) -> dict[str, Any]:
    """Describe pairs of frames, given as (split, other split, run, other run, number of pairs)."""
    largest = sorted(pairs, key=lambda pair: (-pair[4], pair[:4]))[:_LISTED]
    return {
        "pairs": int(sum(pair[4] for pair in pairs)),
        "frames": _positive(concerned["split"].value_counts()),
        "listed": [
            {"splits": [one, other], "runs": [run, other_run], "pairs": int(count)}
            for one, other, run, other_run, count in largest
        ],
    }


def _positive(counts: pd.Series) -> dict[str, int]:
    return {split: int(counts[split]) for split in reversed(KEEPERS) if counts.get(split, 0) > 0}
