"""How many welds of each class a dataset holds, in all and in test."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weldbench.data.dataset import Dataset, open_dataset, read_split
from weldbench.errors import InputError
from weldbench.evaluation.bootstrap import Runs


def recorded_welds(data: Path, fold: int) -> pd.DataFrame:
    """Count the runs that show each defect, and all defective runs together.

    A run counts for the defect of most of its frames. In test it counts for what its test frames show.

    Args:
        data: Folder that ingest and split wrote.
        fold: Whose test split is counted.

    Returns:
        Columns `class`, `recorded`, `in_test`: one row per defect in label order, then `all defects`.

    Raises:
        InputError: A file is missing or damaged, or the dataset has no class of good welds.
    """
    split = data / "split" / f"fold{fold}" / "split.csv"
    dataset = open_dataset(data, split)
    if dataset.good_class is None:
        raise InputError(f"{data}: this dataset has no class of good welds, so no defect can be taken for one")
    split_table = read_split(split)
    counts = {
        "recorded": _runs_per_defect(dataset, np.arange(len(dataset.manifest))),
        "in_test": _runs_per_defect(dataset, dataset.rows_of(split_table, "test")),
    }
    return pd.DataFrame(
        {"class": [*dataset.classes[1:], "all defects"]}
        | {name: [*of_class, of_class.sum()] for name, of_class in counts.items()}
    )


def _runs_per_defect(dataset: Dataset, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    names, of_frame = np.unique(dataset.manifest["run"].to_numpy(dtype=str)[rows], return_inverse=True)
    frames = np.zeros((len(names), len(dataset.classes)), np.int64)
    np.add.at(frames, (of_frame, dataset.labels_of(rows)), 1)
    strata = Runs(tuple(dataset.classes), names, of_frame, frames).strata
    return np.bincount(strata, minlength=len(dataset.classes))[1:]
