import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_predictions import World

from weldbench.errors import InputError
from weldbench.evaluation.comparison import balanced_subset, prediction_path, read_comparison
from weldbench.evaluation.training_records import read_trainings

SMALL = {"full_con6": 0.6, "conv6": 0.8}


@pytest.fixture
def world(tmp_path):
    world = World(frames_per_run=4, skills=SMALL, seeds=(0, 1), folds=(0, 1))
    world.write(tmp_path)
    return tmp_path


def read(root, models=("full_con6", "conv6"), folds=(0, 1)):
    splits = {fold: root / "data/weldsim/split" / f"fold{fold}" / "split.csv" for fold in folds}
    return read_comparison(evaluation(root), splits, models, [0, 1])


def evaluation(root):
    return root / "results/weldsim/evaluation"


def change(root, model, fold, seed, edit):
    path = prediction_path(evaluation(root), model, fold, seed)
    edit(pd.read_csv(path, dtype={"split_id": str})).to_csv(path, index=False)
    return path


def test_folds_are_joined_and_seeds_kept_apart(world):
    comparison = read(world)
    one_fold = read(world, folds=(1,))
    assert len(comparison.test["conv6"]) == 2
    assert len(comparison.frames.labels) == 2 * len(one_fold.frames.labels)
    assert set(comparison.frames.folds) == {0, 1}


def test_predictions_of_another_split_are_refused_by_name(world):
    path = change(world, "conv6", 1, 0, lambda table: table.assign(split_id="f" * 12))
    with pytest.raises(InputError) as caught:
        read(world)
    assert str(path) in str(caught.value)
    assert "f" * 12 in str(caught.value)
    assert "split/fold1/split.csv" in str(caught.value)


def test_predictions_after_a_new_split_are_refused(world):
    split = world / "data/weldsim/split/fold0/split.csv"
    split.write_text(split.read_text() + "0,train,1.0\n")
    with pytest.raises(InputError, match="made on the split"):
        read(world)


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda table: table.rename(columns={"good_weld": "fine", "burn_through": "good_weld"}), "labels without"),
        (lambda table: table[[*table.columns[:5], *table.columns[:4:-1]]], "the classes differ"),
        (lambda table: table.iloc[1:], "the frames differ"),
        (lambda table: table.assign(run="another"), "the frames differ"),
    ],
)
def test_predictions_about_other_classes_or_frames_are_refused(world, edit, complaint):
    path = change(world, "conv6", 0, 1, edit)
    with pytest.raises(InputError, match=complaint) as caught:
        read(world)
    assert str(path) in str(caught.value)


def test_a_model_that_was_not_evaluated_is_named(world):
    with pytest.raises(InputError, match=r"resnet18/fold0/seed0/predictions\.csv"):
        read(world, models=("conv6", "resnet18"))


def test_trainings_with_different_settings_are_refused_naming_both(world):
    path = world / "models/weldsim/conv6/fold1/seed1/training.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"precision": "bf16"}))
    with pytest.raises(InputError) as caught:
        read_trainings(world / "models/weldsim", ["full_con6", "conv6"], [0, 1], [0, 1])
    assert str(path) in str(caught.value)
    assert "conv6/fold0/seed0/training.json" in str(caught.value)
    assert "different precision (fp32 and bf16)" in str(caught.value)


def test_trainings_on_different_devices_are_one_comparison(world):
    path = world / "models/weldsim/conv6/fold0/seed1/training.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"device": "NVIDIA A100"}))
    trainings = read_trainings(world / "models/weldsim", ["conv6"], [0], [0, 1])
    assert trainings.runs["device"].tolist() == ["cpu", "NVIDIA A100"]


@pytest.mark.parametrize(
    ("file", "content"), [("training.json", "{"), ("training.json", "{}"), ("history.csv", "epoch\n1\n")]
)
def test_a_damaged_training_is_named(world, file, content):
    path = world / "models/weldsim/conv6/fold0/seed0" / file
    path.write_text(content)
    with pytest.raises(InputError, match="conv6/fold0/seed0"):
        read_trainings(world / "models/weldsim", ["conv6"], [0], [0])


@given(st.lists(st.integers(0, 2), max_size=60), st.lists(st.integers(0, 30), min_size=3, max_size=3))
def test_a_balanced_subset_holds_as_many_frames_as_wanted_or_all(labels, wanted):
    labels = np.array(labels, dtype=int)
    chosen = labels[balanced_subset(labels, wanted)]
    for number in range(3):
        assert (chosen == number).sum() == min(wanted[number], (labels == number).sum())


def test_a_balanced_subset_takes_from_every_run():
    chosen = balanced_subset(np.zeros(100, dtype=int), [10])
    assert np.flatnonzero(chosen).tolist() == list(range(0, 100, 10))


def test_a_training_of_an_older_version_is_refused(world):
    folder = world / "models/weldsim/conv6/fold0/seed0"
    (folder / "training.json").rename(folder / "run.json")
    with pytest.raises(InputError, match=r"older version of weldbench.*run\.json, now training\.json; delete"):
        read_trainings(world / "models/weldsim", ["conv6"], [0], [0])
