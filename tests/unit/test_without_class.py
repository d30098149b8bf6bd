"""A training without one class: what it learns from, and what stays as it was."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from blobs import CLASSES, write_blobs, write_params

from weldbench.config import load_params
from weldbench.data.dataset import open_dataset, read_split
from weldbench.runtime.hardware import prepare
from weldbench.training.setup import TrainingJob
from weldbench.training.train import train_network
from weldbench.training.without_class import without_class


@pytest.fixture
def job(tmp_path: Path) -> TrainingJob:
    params = load_params(write_params(tmp_path))
    split = write_blobs(tmp_path / "data")
    settings = params.models["full_con6"].model_copy(update={"balance": "undersample", "cap": 20})
    dataset = open_dataset(tmp_path / "data")
    return TrainingJob("blobs", dataset, split, 0, settings, params.train, params.hardware, 0, 0)


@pytest.mark.parametrize("left_out", CLASSES)
def test_the_rest_learns_from_the_same_frames_as_with_all_classes(job: TrainingJob, left_out: str, tmp_path) -> None:
    smaller = without_class(job, left_out, tmp_path / "split.csv")
    labels = job.dataset.manifest["label"]
    whole, rest = (set(one.training_list()["row"]) for one in (job, smaller))
    assert rest == {row for row in whole if labels[row] != left_out}
    assert smaller.dataset.classes == [name for name in CLASSES if name != left_out]
    before, after = read_split(job.split), read_split(smaller.split)
    of = {name: set(table.loc[table["split"] == name, "row"]) for name, table in (("test", after), ("valid", after))}
    assert of["test"] == set(before.loc[before["split"] == "test", "row"])
    valid = before.loc[before["split"] == "valid", "row"]
    assert of["valid"] == {row for row in valid if labels[row] != left_out}


def test_it_trains_and_knows_one_class_less(job: TrainingJob, tmp_path: Path) -> None:
    smaller = without_class(job, CLASSES[1], tmp_path / "split.csv")
    result = train_network(prepare(job.hardware), smaller, tmp_path / ".checkpoint.safetensors", lambda line: None)
    assert result.progress.best.valid_macro_f1 > 0.9
    last = list(result.network.state_dict().values())[-1]
    assert len(last) == len(CLASSES) - 1


def test_no_simulated_frames_are_learned_from(job: TrainingJob, tmp_path: Path) -> None:
    asking = replace(job, settings=job.settings.model_copy(update={"simulated_frames": 12}))
    assert without_class(asking, CLASSES[2], tmp_path / "split.csv").settings.simulated_frames == 0
    assert pd.read_csv(tmp_path / "split.csv")["row"].is_unique
