"""All predictions of a comparison, read together and refused unless they belong together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from weldbench.data.dataset import split_id
from weldbench.errors import InputError
from weldbench.evaluation.predictions import Predictions, class_names, concatenate, read_predictions, select_split

Place = tuple[str, int, int]  # model, fold, seed


@dataclass(frozen=True)
class Comparison:
    """What every model said about the same frames, once per seed.

    Attributes:
        classes: Names in label order; the first is the good one, if there is one.
        models: In the order of params.yaml.
        seeds: In the order of params.yaml.
        test: Per model one `Predictions` per seed; the test splits of all folds, in their order.
        valid: The same for the valid splits.
    """

    classes: tuple[str, ...]
    models: tuple[str, ...]
    seeds: tuple[int, ...]
    test: Mapping[str, tuple[Predictions, ...]]
    valid: Mapping[str, tuple[Predictions, ...]]

    @property
    def frames(self) -> Predictions:
        """The test frames, for what is the same in every model: labels, runs, rows."""
        return self.test[self.models[0]][0]

    def on(self, positions: np.ndarray) -> "Comparison":
        """Return the comparison on some test frames: indices, int64 of shape (n,), or a mask, bool of shape (N,)."""
        test = {model: tuple(frames.take(positions) for frames in trained) for model, trained in self.test.items()}
        return Comparison(self.classes, self.models, self.seeds, test, self.valid)


def read_comparison(
    evaluation: Path | str,
    split_paths: Mapping[int, Path],
    models: Sequence[str],
    seeds: Sequence[int],
    has_good: bool = True,
) -> Comparison:
    """Read `evaluation`/M/foldF/seedS/predictions.csv of every model, fold and seed.

    Args:
        evaluation: Folder of the evaluations of one dataset.
        split_paths: Per fold its split.csv.
        models: Names of the models to compare.
        seeds: Seeds of their trainings.
        has_good: Whether the first class is that of good welds.

    Raises:
        InputError: A file is missing or damaged, or two files are about different splits, classes or frames.
    """
    tables = {
        (model, fold, seed): read_predictions(prediction_path(evaluation, model, fold, seed))
        for model in models
        for fold in split_paths
        for seed in seeds
    }
    _refuse_other_splits(evaluation, tables, split_paths)
    _refuse_other_frames(evaluation, tables)

    def select(split: str) -> dict[str, tuple[Predictions, ...]]:
        return {
            model: tuple(
                concatenate([select_split(tables[model, fold, seed], split, fold, has_good) for fold in split_paths])
                for seed in seeds
            )
            for model in models
        }

    classes = class_names(next(iter(tables.values())))
    return Comparison(classes, tuple(models), tuple(seeds), select("test"), select("valid"))


def prediction_path(evaluation: Path | str, model: str, fold: int, seed: int) -> Path:
    """Return where evaluate writes the predictions of one training."""
    return Path(evaluation) / model / f"fold{fold}" / f"seed{seed}" / "predictions.csv"


def balanced_subset(labels: np.ndarray, frames_per_class: Sequence[int]) -> np.ndarray:
    """Choose frames of each class evenly along the data, so that every run keeps its share.

    Args:
        labels: True class of each frame, int64, shape (N,), in the order of filming.
        frames_per_class: How many frames to keep of each class, at most.

    Returns:
        Mask of the chosen frames, bool, shape (N,).

    Example:
        >>> balanced_subset(np.array([0, 0, 0, 0, 1, 1]), [2, 5]).tolist()
        [True, False, True, False, True, True]
    """
    chosen = np.zeros(len(labels), dtype=bool)
    for number, wanted in enumerate(frames_per_class):
        positions = np.flatnonzero(labels == number)
        kept = min(wanted, len(positions))
        chosen[positions[(np.arange(kept) * len(positions)) // max(kept, 1)]] = True
    return chosen


def _refuse_other_splits(
    evaluation: Path | str, tables: Mapping[Place, pd.DataFrame], split_paths: Mapping[int, Path]
) -> None:
    for place, table in tables.items():
        path = split_paths[place[1]]
        if not path.is_file():
            raise InputError(f"{path}: there is no such file; run the stage split first")
        expected = split_id(path)
        found = set(table["split_id"])
        if found != {expected}:
            raise InputError(
                f"{prediction_path(evaluation, *place)}: made on the split {', '.join(sorted(map(str, found)))}, "
                f"but {path} is now the split {expected}; train and evaluate again on one split"
            )


def _refuse_other_frames(evaluation: Path | str, tables: Mapping[Place, pd.DataFrame]) -> None:
    first: dict[int, Place] = {}
    for place, table in tables.items():
        reference = first.setdefault(place[1], place)
        names = f"{prediction_path(evaluation, *reference)} and {prediction_path(evaluation, *place)}"
        if class_names(table) != class_names(next(iter(tables.values()))):
            raise InputError(f"{names}: the classes differ; train and evaluate both with the same dataset")
        frame = ["split", "row", "run", "label"]
        if not table[frame].equals(tables[reference][frame]):
            raise InputError(f"{names}: the frames differ; evaluate both again on the same split")
