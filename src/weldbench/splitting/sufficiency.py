"""Whether the data is enough: for valid to choose weights, and for what a comparison is meant to tell."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from weldbench.config.base import SPLITS
from weldbench.runtime.text import counted, some

_ENOUGH_RUNS = 2  # of a class in a split: a single one does not tell what is of the class, and what of that recording
_CLASSES_NAMED = 8


def can_choose(
    train_labels: np.ndarray, valid_labels: np.ndarray, valid_runs: np.ndarray, class_count: int
) -> list[str]:
    """Tell whether scores on valid can choose the weights of a training.

    They can if valid holds every class of train, and at least two runs of most classes (more than half): scores on
    the near copies of one recording say which weights suit that recording.

    Args:
        train_labels: Class of each frame of train, int, shape (N,), from 0 to class_count - 1.
        valid_labels: Class of each frame of valid, int, shape (M,).
        valid_runs: Run of each frame of valid, names or numbers, shape (M,).
        class_count: Number of classes, with or without frames.

    Returns:
        Reasons why valid cannot choose, each a clause that can follow a colon; empty if it can.

    Example:
        >>> can_choose(np.array([0, 1]), np.array([0, 0, 1]), np.array(["a", "b", "c"]), class_count=2)
        ['valid has 2 runs or more of only 1 of the 2 classes']
    """
    in_train = np.bincount(train_labels, minlength=class_count) > 0
    in_valid = np.bincount(valid_labels, minlength=class_count) > 0
    run_numbers = np.unique(valid_runs, return_inverse=True)[1]
    labels_of_runs = np.unique(np.stack([valid_labels, run_numbers]), axis=1)[0]
    enough = int((np.bincount(labels_of_runs, minlength=class_count) >= _ENOUGH_RUNS).sum())
    reasons = []
    if missing := int((in_train & ~in_valid).sum()):
        reasons.append(f"valid holds no frame of {missing} of the {int(in_train.sum())} classes of train")
    if 2 * enough <= class_count:
        classes = f"only {enough} of the {class_count} classes" if enough else "no class"
        reasons.append(f"valid has {_ENOUGH_RUNS} runs or more of {classes}")
    return reasons


def notes_on_sufficiency(
    used: pd.DataFrame, classes: list[str], as_published: Collection[str], fold_count: int, one_of_folds: bool
) -> list[str]:
    """Say where the data is too little, what follows from that, and which runs would help most.

    Args:
        used: One line per frame that stands in a split: columns split, label, run.
        classes: In label order.
        as_published: The splits that were taken as the data has them; the others were made from one pool of runs.
        fold_count: The setting of this name: a split that is made gets about one in so many runs of a class.
        one_of_folds: Whether this is one of several folds, which together test every run.

    Returns:
        Sentences for the report; none where every class has two runs in train and in test, and valid can choose.
    """
    runs = _table(used.drop_duplicates(["split", "label", "run"]), classes)
    numbers = used["label"].map({label: number for number, label in enumerate(classes)})
    valid = (used["split"] == "valid").to_numpy()
    cannot_choose = can_choose(
        numbers[(used["split"] == "train").to_numpy()].to_numpy(),
        numbers[valid].to_numpy(),
        used.loc[valid, "run"].to_numpy(),
        len(classes),
    )
    needed = runs if cannot_choose else runs.drop(columns="valid")
    short = needed.index[(needed < _ENOUGH_RUNS).any(axis=1)]
    if short.empty:
        return []
    notes = [f"Too few runs: {some(_described(used, runs, short), _CLASSES_NAMED)}."]
    if single := list(runs.index[runs["test"] == 1]):
        alone = " from this fold alone" if one_of_folds else ""
        notes.append(
            f"test holds one run of {some(single, _CLASSES_NAMED)}, so nothing tells how another would score: there is "
            f"no interval{alone}, and that of macro F1 is too narrow."
        )
    if single := list(runs.index[runs["train"] == 1]):
        notes.append(
            f"train holds one run of {some(single, _CLASSES_NAMED)}: a network may learn that run instead of the class."
        )
    if cannot_choose:
        notes.append(
            f"valid cannot choose between epochs or settings: {' and '.join(cannot_choose)}. What is best there may "
            "not be on other runs."
        )
    wanted = _wanted(runs.loc[short], needed.columns, as_published, fold_count)
    return [*notes, f"What helps most: record {', then '.join(wanted[:_CLASSES_NAMED])}."]


def _table(lines: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Count lines per class and split, all of which are named."""
    counts = pd.crosstab(lines["label"].astype(str), lines["split"].astype(str))
    return counts.reindex(index=classes, columns=list(SPLITS), fill_value=0)


def _described(used: pd.DataFrame, runs: pd.DataFrame, short: pd.Index) -> list[str]:
    """Count frames and runs of some classes in every split, in words."""
    frames = _table(used, list(short))
    told = []
    for label in short:
        places = zip(SPLITS, frames.loc[label].tolist(), runs.loc[label].tolist(), strict=True)
        parts = [
            f"{counted(frame_count, 'frame')} of {counted(run_count, 'run')} in {split}"
            if frame_count
            else f"none in {split}"
            for split, frame_count, run_count in places
        ]
        told.append(f"{label} has {', '.join(parts)}")
    return told


def _wanted(runs: pd.DataFrame, needed: Collection[str], as_published: Collection[str], fold_count: int) -> list[str]:
    """Say how many runs of which class to record, the class that needs the most first.

    A split as published needs runs of its own. In those that are made, each gets enough of a class that has
    `fold_count` times as many runs.
    """
    pool = [split for split in SPLITS if split not in as_published]
    wanted = []
    for label, of_class in runs.iterrows():
        missing = {split: max(0, _ENOUGH_RUNS - int(of_class[split])) for split in needed if split not in pool}
        in_pool = 0
        if any(of_class[split] < _ENOUGH_RUNS for split in needed if split in pool):
            in_pool = max(1, _ENOUGH_RUNS * fold_count - int(of_class[pool].sum()))
        places = [f"{count} for {split}" for split, count in missing.items() if count]
        if in_pool and places:
            places.append(f"{in_pool} for {' and '.join(pool)}")
        total = in_pool + sum(missing.values())
        told = f"{counted(total, 'more run')} of {label}" + (f" ({', '.join(places)})" if places else "")
        wanted.append((total, told))
    return [told for _, told in sorted(wanted, key=lambda entry: -entry[0])]
