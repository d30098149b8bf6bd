"""What a model learns from: the frames of train, chosen, repeated or weighed so that the classes weigh more alike.

Valid and test are never touched: they are the same for all models.
"""

from typing import Any

import numpy as np
import pandas as pd

from weldbench.config.base import Balance
from weldbench.errors import InputError
from weldbench.runtime.seeding import Stream, generator


def training_list(
    manifest: pd.DataFrame, split_table: pd.DataFrame, balance: Balance, cap: int | None, seed: int, fold: int
) -> pd.DataFrame:
    """List the frames of train that a model learns from; models of one balance and cap get the same list.

    Args:
        manifest: The frames (docs/design.md).
        split_table: As `data.dataset.read_split` returns it.
        balance: As `balance_train` describes it.
        cap: Frames per class at most, for `undersample`.
        seed: Of the random choice.
        fold: Which has a choice of its own.

    Returns:
        Columns row, split (`train`) and weight, one line per use of a frame, sorted by row.

    Raises:
        InputError: The split has a frame that the manifest lacks.
    """
    rows = split_table.loc[split_table["split"] == "train", "row"]
    if unknown := sorted(set(rows) - set(manifest["row"])):
        raise InputError(f"the split names row {unknown[0]}, and the data has {len(manifest)} frames; split again")
    # Ordered by what the frames are, not by their rows, so that a random choice does not depend on these.
    train = manifest[manifest["row"].isin(rows)].sort_values(["path", "published_split", "sha256"])
    lines = balance_train(train, balance, cap, generator(Stream.BALANCE, seed, fold))
    return lines.assign(split="train").sort_values("row", kind="stable", ignore_index=True)


def balance_train(train: pd.DataFrame, balance: Balance, cap: int | None, rng: np.random.Generator) -> pd.DataFrame:
    """Choose, repeat or weigh the frames of train.

    - none: every frame once, with weight 1.
    - undersample: at most `cap` frames of each class, chosen at random.
    - oversample: the frames of each class repeat until it has as many as the largest class: all of them equally
      often, and a random choice once more.
    - class_weights: every frame once, with the weight frames / (classes * frames of its class).

    Args:
        train: Columns row and label, one line per frame, in an order that does not depend on the row numbers.
        balance: One of the above.
        cap: Frames per class at most, for `undersample`; None takes all.
        rng: Source of the choice.

    Returns:
        Columns row and weight.
    """
    sizes = train["label"].value_counts()
    weight = pd.Series(1.0, index=train.index)
    if balance == "class_weights":
        weight = len(train) / (len(sizes) * train["label"].map(sizes))
    weighted = train.assign(weight=weight)[["row", "weight"]]
    if balance not in {"undersample", "oversample"} or train.empty:
        return weighted
    chosen = []
    for label in sorted(sizes.index):
        places = np.flatnonzero(train["label"] == label)
        wanted = int(sizes.max()) if balance == "oversample" else min(len(places), cap or len(places))
        repeats, rest = divmod(wanted, len(places))
        chosen += [np.tile(places, repeats), rng.choice(places, rest, replace=False)]
    return weighted.iloc[np.concatenate(chosen)]


def counts_by_class(learned: pd.DataFrame, manifest: pd.DataFrame, classes: list[str]) -> dict[str, dict[str, Any]]:
    """Count what a model learned from, by class: `frames` (as often as they are used) and the `runs` they stand in."""
    used = learned.merge(manifest[["row", "run", "label"]], on="row")
    groups = {name: used[used["label"] == name] for name in classes} | {"total": used}
    return {name: {"frames": len(group), "runs": group["run"].nunique()} for name, group in groups.items()}
