"""A share of the runs of train, as if fewer welds had been recorded and labeled."""

import numpy as np
import pandas as pd

from weldbench.runtime.seeding import Stream, generator


def share_of_train(
    manifest: pd.DataFrame, split_table: pd.DataFrame, share: float, seed: int, fold: int
) -> pd.DataFrame:
    """Keep a share of the runs of train, whole runs of each class; valid and test stay as they are.

    A run counts for the rarest class that it shows, as a defect often follows good frames of the same run. Every class
    of train keeps at least one run. The runs of a smaller share are among those of a larger one.

    Args:
        manifest: The frames (docs/design.md).
        split_table: As `data.dataset.read_split` returns it.
        share: Of the runs, above 0 up to 1.
        seed: Of the random order of the runs.
        fold: Which has an order of its own.

    Returns:
        Columns row and split, in the order of `split_table`.
    """
    run_of_row = manifest.set_index("row")["run"]
    in_train = split_table["split"] == "train"
    frames = manifest[manifest["row"].isin(split_table.loc[in_train, "row"])]
    shows = pd.crosstab(frames["run"], frames["label"]) > 0  # runs by classes, both sorted by name
    order = generator(Stream.TRAIN_SHARE, seed, fold, 1).permutation(len(shows))
    kept = _chosen(shows.iloc[order], share)
    return split_table[~in_train | split_table["row"].map(run_of_row).isin(kept)]


def _chosen(shows: pd.DataFrame, share: float) -> list[str]:
    """Choose runs, the first ones of each class; `shows` tells which class each run shows, bool, runs by classes."""
    by_rarity = shows.sum().sort_values(kind="stable").index
    indispensable: list[str] = []
    for label in by_rarity:
        if not shows.loc[indispensable, label].any():
            indispensable.append(shows.index[shows[label].argmax()])
    rarest = shows[by_rarity].to_numpy().argmax(axis=1)
    first = ~shows.index.isin(indispensable)  # False sorts before True
    kept = []
    for number in np.unique(rarest):
        runs = shows.index[rarest == number]
        ordered = runs[np.argsort(first[rarest == number], kind="stable")]
        wanted = max(int(share * len(runs) + 0.5), int(runs.isin(indispensable).sum()))
        kept += list(ordered[:wanted])
    return kept
