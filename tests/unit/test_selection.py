"""Which epoch's weights are kept: by valid where it can tell, else the last ones."""

import json
from itertools import count

import numpy as np
import pandas as pd
import pytest
from blobs import write_blobs, write_params

from weldbench.config import load_params
from weldbench.config.models import FullCon6
from weldbench.data.dataset import open_dataset, read_split
from weldbench.data.split import SplitFrames
from weldbench.models.files import load_trained
from weldbench.models.inference import ValidationScore
from weldbench.runtime.hardware import prepare
from weldbench.training.selection import selection_of
from weldbench.training.setup import TrainingJob
from weldbench.training.train import train_model

RUNS = np.array(["a", "a", "b", "b", "c", "c", "d", "d"])


def split_of(labels, rows):
    labels, rows = np.array(labels), np.array(rows)
    return SplitFrames(np.zeros((len(rows), 1, 1), np.uint8), rows, rows, labels, np.ones(len(rows), np.float32))


def settings(**values):
    return FullCon6(architecture="full_con6", input_size_px=8, epochs=1, learning_rate=0.1, **values)


def select(valid_labels, valid_rows, **values):
    return selection_of(settings(**values), split_of([0, 1], [0, 0]), split_of(valid_labels, valid_rows), RUNS, 2)


def test_valid_selects_where_it_holds_two_runs_of_every_class():
    selection = select([0, 0, 1, 1], [0, 2, 4, 6])
    assert (selection.by, selection.doubts) == ("valid", [])
    assert selection.sentence(settings()) == "The weights of the best epoch by macro F1 on valid are kept."


@pytest.mark.parametrize(
    ("labels", "rows", "doubt"),
    [([0, 0], [0, 2], "no frame of 1 of the 2 classes"), ([0, 0, 1, 1], [0, 1, 4, 5], "2 runs or more of no class")],
    ids=["a class is missing", "one run of each class"],
)
def test_the_last_epoch_is_kept_where_valid_cannot_tell(labels, rows, doubt):
    selection = select(labels, rows)
    assert selection.by == "last"
    told = selection.sentence(settings(patience=3))
    assert doubt in told
    assert "weights of the last epoch are kept, as valid cannot choose" in told
    assert "patience 3 is not used" in told


def test_what_select_asks_for_is_done_and_the_doubts_are_told():
    forced = select([0, 0], [0, 2], select="valid")
    assert forced.by == "valid"
    assert "select: valid asks for it, although valid cannot choose: valid holds no frame of 1" in forced.sentence(
        settings(select="valid")
    )
    last = select([0, 0, 1, 1], [0, 2, 4, 6], select="last")
    assert (last.by, last.doubts) == ("last", [])
    assert "as select: last asks for it" in last.sentence(settings(select="last"))


@pytest.fixture
def train(tmp_path):
    split, number = write_blobs(tmp_path / "data"), count()

    def run(select, lacking=None, patience=0):
        lines = read_split(split)
        path = tmp_path / str(next(number)) / "split.csv"
        path.parent.mkdir()
        lines[(lines["split"] != "valid") | (lines["row"] % 3 != lacking)].to_csv(path, index=False)
        asked = f"{{input_size_px: 16, epochs: 6, learning_rate: 0.02, select: {select}, patience: {patience}}}"
        params = load_params(write_params(path.parent, full_con6=asked))
        job = TrainingJob(
            "blobs", open_dataset(split.parents[2]), path, 0, params.models["full_con6"], params.train,
            params.hardware, 0, params.split.seed,
        )  # fmt: skip
        train_model(prepare(params.hardware), job, path.parent)
        facts = json.loads((path.parent / "training.json").read_text())
        return facts, pd.read_csv(path.parent / "history.csv"), load_trained(path.parent / "model.safetensors")[0]

    return run


@pytest.fixture
def falling_scores(monkeypatch):
    """Let valid find every epoch worse than the one before."""
    scores = count(-1, -1)
    monkeypatch.setattr(
        "weldbench.training.setup.validation_score", lambda *_: ValidationScore(1.0, 1.0 / -next(scores))
    )


@pytest.mark.parametrize(
    ("asked", "lacking", "kept"),
    [("auto", None, 1), ("auto", 1, 6), ("valid", 1, 1), ("last", None, 6)],
    ids=["auto, valid is whole", "auto, valid lacks a class", "valid", "last"],
)
def test_the_epoch_that_is_kept_and_why(train, falling_scores, capsys, asked, lacking, kept):
    facts, history, _ = train(asked, lacking)
    assert facts["best_epoch"] == kept
    assert len(history) == 6
    assert facts["selection"]["by"] == ("last" if kept == 6 else "valid")
    assert bool(facts["selection"]["doubts"]) == (lacking is not None)
    told = capsys.readouterr().err
    assert f"train full_con6: {facts['selection']['reason']}" in told
    assert f"train full_con6: {facts['length']['reason']}" in told


def test_patience_stops_only_where_valid_selects(train, falling_scores):
    assert len(train("auto", None, patience=2)[1]) == 3
    assert len(train("auto", 1, patience=2)[1]) == 6


def test_the_records_tell_the_length(train):
    facts, history, _ = train("auto")
    assert facts["length"]["steps"] == history["step"].iloc[-1] == 6 * facts["length"]["steps_per_epoch"]
    assert history["frames"].tolist() == (history["step"] * facts["length"]["batch_size"]).tolist()
