"""The learning curve over the number of training runs: its points, read together and scored on the same test frames."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from weldbench.config import Params
from weldbench.data.dataset import Dataset, open_dataset, read_split
from weldbench.errors import InputError
from weldbench.evaluation.bootstrap import ModelDraws, Resamples
from weldbench.evaluation.comparison import read_comparison
from weldbench.evaluation.intervals import Interval
from weldbench.evaluation.training_records import refuse_others


@dataclass(frozen=True)
class Amount:
    """What the trainings of a point learned from, the mean over folds.

    Attributes:
        runs: Of train that the frames were chosen from.
        frames: As often as they are used in a pass.
        steps: Batches of one training.
    """

    runs: float
    frames: float
    steps: float


@dataclass(frozen=True)
class Point:
    """One model that learned from a share of the runs of train, with all its seeds."""

    model: str
    share: float
    amount: Amount
    draws: ModelDraws
    macro_f1: Interval


@dataclass(frozen=True)
class LearningCurve:
    """All points, by model and ascending share.

    Attributes:
        settings: Per model those of all its trainings, from training.json.
        resamples: Of the test runs, the same for all points.
        valid_runs: Runs of valid, which every training may choose its weights by.
    """

    points: Sequence[Point]
    settings: Mapping[str, dict[str, Any]]
    resamples: Resamples
    valid_runs: int

    def of(self, model: str) -> list[Point]:
        """Return the points of one model; of several shares that are the same runs, the largest one."""
        return list({point.amount.runs: point for point in self.points if point.model == model}.values())


Training = tuple[Path, dict[str, Any]]  # its folder and its training.json


def gather_curve(params: Params, data: Path, trained: Path, results: Path) -> LearningCurve:
    """Read and score every point; that of all runs is the model as the comparison has it.

    Args:
        params: As they hold for the dataset.
        data: Folder of the frames and splits.
        trained: Folder of the comparison's trained models.
        results: Folder of the comparison's evaluations and of the learning curve.

    Raises:
        InputError: A file is missing or damaged, or files do not belong together.
    """
    splits = {fold: data / "split" / f"fold{fold}" / "split.csv" for fold in params.folds}
    compare, dataset = params.compare, open_dataset(data, *splits.values())
    keys = [(model, share) for model in compare.models for share in sorted(compare.train_shares)]
    # Where its predictions lie, below `results`.
    places = {key: f"evaluation/{key[0]}" if key[1] == 1 else f"learning_curve/share{key[1]}/{key[0]}" for key in keys}
    has_good = dataset.good_class is not None
    comparison = read_comparison(results, splits, list(places.values()), params.seeds, has_good)
    if tuple(dataset.classes) != comparison.classes:
        raise InputError(f"{results}: the predictions are about other classes than {data}; train and evaluate again")
    resamples = Resamples(comparison.frames, compare.bootstrap_draws, compare.confidence, compare.seed)
    points = []
    first: dict[str, Training] = {}
    for (model, share), place in places.items():
        trained_in = trained / model if share == 1 else results / place
        amounts = []
        for fold, split in splits.items():
            folders = [trained_in / f"fold{fold}" / f"seed{seed}" for seed in params.seeds]
            trainings = [(folder, _facts(folder / "training.json")) for folder in folders]
            for training in trainings:
                refuse_others(first.setdefault(model, training), training)
            split_files = [split if share == 1 else folder / "split.csv" for folder in folders]
            amounts.append(_amount(dataset, [facts for _, facts in trainings], split_files))
        means = np.mean([(amount.runs, amount.frames, amount.steps) for amount in amounts], axis=0)
        draws = resamples.draw(comparison.test[place])
        points.append(Point(model, share, Amount(*means.tolist()), draws, resamples.macro_interval(draws)))
    own = {model: {**facts["settings"], "augment": facts["augment"]} for model, (_, facts) in first.items()}
    valid: frozenset[str] = frozenset().union(*(_runs(dataset, path, "valid") for path in splits.values()))
    return LearningCurve(points, own, resamples, len(valid))


def _amount(dataset: Dataset, facts: Sequence[dict[str, Any]], split_files: Sequence[Path]) -> Amount:
    """Return what the trainings of one fold learned from; their seeds learned from the same runs, or are refused."""
    runs = [_runs(dataset, path, "train") for path in split_files]
    for path, of_training in zip(split_files, runs, strict=True):
        if of_training != runs[0]:
            raise InputError(f"{split_files[0]} and {path}: these are different runs; delete both and train again")
    frames = np.mean([of["learned_from"]["total"]["frames"] for of in facts])
    return Amount(len(runs[0]), float(frames), float(np.mean([of["length"]["steps"] for of in facts])))


def _runs(dataset: Dataset, split: Path, name: str) -> frozenset[str]:
    table = read_split(split)
    rows = table.loc[table["split"] == name, "row"].to_numpy()
    return frozenset(dataset.manifest["run"].to_numpy()[rows])


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if missing := {"settings", "augment", "learned_from", "length"} - set(facts):
            raise InputError(f"{path}: it lacks {', '.join(sorted(missing))}; delete it and train again")
        return facts
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; run `snakemake --cores all learning_curve`") from None
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: this file is damaged: {error}; delete it and train again") from None
