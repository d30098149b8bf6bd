"""Robustness: what every model said about changed test frames, read together and compared with the unchanged ones."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from weldbench.config import Params
from weldbench.data.dataset import Dataset, open_dataset, split_id
from weldbench.errors import InputError
from weldbench.evaluation.comparison import prediction_path
from weldbench.evaluation.operating_point import defect_scores, threshold_for
from weldbench.evaluation.predictions import Predictions, read_predictions, select_split
from weldbench.pipeline.consistency import contradictions, refuse
from weldbench.pipeline.lineage import made_from
from weldbench.pipeline.provenance import as_json
from weldbench.pipeline.records import Record
from weldbench.pipeline.robustness_record import changed_frames_record, changed_predictions_record
from weldbench.trust.robustness import CONDITIONS, UNCHANGED, Effect, Effects, Judged

FALSE_REJECTS = 0.01  # share of the good frames of valid that the threshold rejects
_AGAIN = "delete it and run `snakemake --cores all robustness`"


@dataclass(frozen=True)
class Robustness:
    """Effects of every change on every model.

    Attributes:
        dataset: Its name.
        effects: Model -> (change, strength) -> effect.
        before: Model -> macro F1 on the unchanged frames, the mean over seeds.
        judge: With the runs that are resampled.
        confidence: Of the intervals.
        seeds: Of the trainings.
        lineage: What it was made from, in a line.
    """

    dataset: str
    effects: Mapping[str, Mapping[tuple[str, str], Effect]]
    before: Mapping[str, float]
    judge: Effects
    confidence: float
    seeds: Sequence[int]
    lineage: str


def gather_robustness(
    params: Params, data: Path, trained: Path, evaluation: Path, changed: Path, lock: Path
) -> Robustness:
    """Read what all models said about the changed frames, and weigh it.

    Args:
        params: As they hold for the dataset.
        data: Folder of the frames and splits, and of the changed frames.
        trained: Folder of the trained models.
        evaluation: Folder of the comparison's predictions, whose valid chooses thresholds.
        changed: Folder of the predictions on changed frames, MODEL.csv.
        lock: The locked packages.

    Raises:
        InputError: A file is missing or damaged, or files do not belong together.
    """
    compare, dataset, fold = params.compare, open_dataset(data), params.folds[0]
    refuse(contradictions(_records(params, data, trained, changed), large_files=False), "the predictions do not fit")
    said = {model: _read(changed / f"{model}.csv", dataset, params.seeds) for model in compare.models}
    frames = said[compare.models[0]][UNCHANGED][0]
    for model, conditions in said.items():
        if not np.array_equal(conditions[UNCHANGED][0].rows, frames.rows):
            raise InputError(f"{changed / model}.csv: it is about other frames than the other models'; {_AGAIN}")
    judge = Effects(frames, compare.bootstrap_draws, compare.confidence, compare.seed)
    effects, before = {}, {}
    for model, conditions in said.items():
        thresholds = _thresholds(evaluation, model, fold, params.seeds, dataset.good_class is not None)
        judged = {condition: Judged(trained, thresholds) for condition, trained in conditions.items()}
        effects[model] = {name: judge.of(judged[UNCHANGED], judged[name]) for name in CONDITIONS if name != UNCHANGED}
        before[model] = float(judge.resamples.macro_interval(judge.resamples.draw(conditions[UNCHANGED])).estimate)
    told = {
        "split": split_id(data / "split" / f"fold{fold}" / "split.csv"),
        "models": {model: params.models[model].model_dump(mode="json") for model in compare.models},
        "seeds": params.seeds,
        "robustness": params.robustness.model_dump(mode="json"),
        "compare": {"draws": compare.bootstrap_draws, "confidence": compare.confidence, "seed": compare.seed},
    }
    line = made_from(data / "manifest.csv", lock, told).partition(";")[0] + "."  # lineage.json has no such table
    return Robustness(params.dataset, effects, before, judge, compare.confidence, params.seeds, line)


def _records(params: Params, data: Path, trained: Path, changed: Path) -> Iterator[Record]:
    fold, frames = f"fold{params.folds[0]}", data / "robustness" / "frames.npy"
    yield changed_frames_record(params, data, data / "split" / fold / "split.csv", frames)
    hardware = as_json(params.hardware) | {"devices": 1}
    for model in params.compare.models:
        networks = {seed: trained / model / fold / f"seed{seed}" / "model.safetensors" for seed in params.seeds}
        yield changed_predictions_record(hardware, frames.with_suffix(".json"), networks, changed / f"{model}.csv")


def _thresholds(evaluation: Path, model: str, fold: int, seeds: Sequence[int], has_good: bool) -> list[float] | None:
    found = []
    for seed in seeds:
        table = read_predictions(prediction_path(evaluation, model, fold, seed))
        valid = select_split(table, "valid", fold, has_good)
        if not has_good or not (valid.labels == 0).any():
            return None
        found.append(threshold_for(defect_scores(valid)[valid.labels == 0], FALSE_REJECTS))
    return found


def _read(path: Path, dataset: Dataset, seeds: Sequence[int]) -> dict[tuple[str, str], list[Predictions]]:
    """Read one model's predictions: (change, strength) -> those of each seed."""
    names = {"change": str, "strength": str, "run": str, "label": str}
    try:
        table = pd.read_csv(path, dtype=names, keep_default_na=False)
        pieces = dict(list(table.groupby(["change", "strength", "seed"], sort=False)))
        return {
            condition: [_predictions(pieces[*condition, seed], dataset) for seed in seeds] for condition in CONDITIONS
        }
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; run `snakemake --cores all robustness`") from None
    except (KeyError, ValueError) as error:
        raise InputError(f"{path}: this is no table of predictions on changed frames ({error!r}); {_AGAIN}") from None


def _predictions(piece: pd.DataFrame, dataset: Dataset) -> Predictions:
    number = {name: label for label, name in enumerate(dataset.classes)}
    return Predictions(
        tuple(dataset.classes),
        np.asarray(piece["label"].map(number), np.int64),
        piece[dataset.classes].to_numpy(np.float64),
        piece["run"].to_numpy(str),
        np.zeros(len(piece), np.int64),
        piece["row"].to_numpy(np.int64),
        dataset.good_class is not None,
    )
