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
    """Say where runs are too few, what cannot be concluded from them, and which ones would help most.

    Args:
        used: One line per frame that stands in a split: columns split, label, run.
        classes: In label order.
        as_published: The splits that were taken as the data has them; the others were made from one pool of runs.
        fold_count: The setting of this name: a split that is made gets about one in so many runs of a class.
        one_of_folds: Whether this is one of several folds, which together test every run.

    Returns:
        Sentences for the report; none where every class has two runs in every split.
    """
    runs = _table(used.drop_duplicates(["split", "label", "run"]), classes)
    short = runs[(runs < _ENOUGH_RUNS).any(axis=1)]
    if short.empty:
        return []
    frames = _table(used, classes).loc[short.index]
    cells = frames.astype(str) + " (" + short.astype(str) + ")"
    counts = [f"{label} {', '.join(cells.loc[label])}" for label in short.index]
    single = {split: _named(runs.index[runs[split] == 1]) for split in SPLITS}
    return [
        f"Too few runs. Frames (runs) in {', '.join(SPLITS)}: {'; '.join(counts)}.",
        *_on_test(single["test"], one_of_folds),
        *_on_train(single["train"]),
        *_on_valid(single["valid"], _reasons(used, classes)),
        f"What helps most: record at least {', then '.join(_wanted(short, as_published, fold_count))}.",
    ]


def _on_test(single: str, one_of_folds: bool) -> list[str]:
    alone = " from this fold alone" if one_of_folds else ""
    return [
        f"test holds a single run of {single}: nothing tells how another would score, so there is no interval for such "
        f"a class{alone}, and none for macro F1 that can be trusted."
    ] * bool(single)


def _on_train(single: str) -> list[str]:
    return [f"train holds a single run of {single}: a network may learn that run instead of the class."] * bool(single)


def _on_valid(single: str, reasons: list[str]) -> list[str]:
    notes = [f"valid holds a single run of {single}: the score there is the luck of that run."] * bool(single)
    if reasons:
        notes.append(
            f"valid cannot choose between epochs or settings: {' and '.join(reasons)}. What is best there may not be "
            "best on other runs."
        )
    return notes


def _reasons(used: pd.DataFrame, classes: list[str]) -> list[str]:
    """Return why valid cannot choose."""
    numbers = used["label"].map({label: number for number, label in enumerate(classes)}).to_numpy()
    in_train, in_valid = ((used["split"] == split).to_numpy() for split in ("train", "valid"))
    return can_choose(numbers[in_train], numbers[in_valid], used["run"].to_numpy()[in_valid], len(classes))


def _table(lines: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Count lines per class and split, all of which are named."""
    counts = pd.crosstab(lines["label"].astype(str), lines["split"].astype(str))
    return counts.reindex(index=classes, columns=list(SPLITS), fill_value=0)


def _wanted(runs: pd.DataFrame, as_published: Collection[str], fold_count: int) -> list[str]:
    """Say how many runs of which classes to record, those that need the most first.

    A split as published needs runs of its own. In those that are made, each gets enough of a class that has
    `fold_count` times as many runs.
    """
    pool = [split for split in SPLITS if split not in as_published]
    classes: dict[tuple[int, str], list[str]] = {}
    for label, of_class in runs.iterrows():
        missing = {split: max(0, _ENOUGH_RUNS - int(of_class[split])) for split in as_published}
        if (of_class[pool] < _ENOUGH_RUNS).any():
            missing[" and ".join(pool)] = max(1, _ENOUGH_RUNS * fold_count - int(of_class[pool].sum()))
        places = [f"{missing[split]} for {split}" for split in [*SPLITS, " and ".join(pool)] if missing.get(split)]
        told = f" ({', '.join(places)})" if as_published else ""
        classes.setdefault((sum(missing.values()), told), []).append(str(label))
    return [
        f"{counted(number, 'more run')} of {'each of ' if len(labels) > 1 else ''}{_named(labels)}{told}"
        for (number, told), labels in sorted(classes.items(), key=lambda entry: -entry[0][0])
    ]


def _named(classes: Collection[str]) -> str:
    return some(list(classes), _CLASSES_NAMED)
