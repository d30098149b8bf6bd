"""Simulated frames that join the training frames: which, with what weight, and where they never are."""

import json

import numpy as np
import pandas as pd
import pytest
from blobs import write_blobs, write_params
from hypothesis import given, settings
from hypothesis import strategies as st

from weldbench.config import load_params
from weldbench.config.models import Model
from weldbench.data.dataset import open_dataset, read_split
from weldbench.data.split import SplitFrames
from weldbench.models.files import load_trained
from weldbench.models.inference import predictions_on
from weldbench.runtime.hardware import prepare
from weldbench.training.setup import TrainingJob
from weldbench.training.simulated_frames import sentence_about_simulated, simulated_batches, with_simulated
from weldbench.training.train import train_model
from weldbench.weldsim import CLASSES

OTHER_ORDER = [*CLASSES[2:], *CLASSES[:2]]
FROZEN = "{input_size_px: 32, freeze: backbone, augment_views: 1, simulated_frames: 40}"
WHOLE = "{input_size_px: 16, hidden: [8], epochs: 2, batch_size: 16, learning_rate: 0.02, simulated_frames: 40}"


def model(**values) -> Model:
    return Model.model_validate(
        {"architecture": "full_con6", "input_size_px": 16, "epochs": 1, "learning_rate": 0.1, **values}
    )


def real_frames(weights: list[float]) -> SplitFrames:
    count = len(weights)
    lines = np.arange(count)
    frames = np.zeros((count, 16, 16), np.uint8)
    return SplitFrames(frames, lines, lines + 100, lines % 6, np.array(weights, np.float32))


def rendered(count: int, classes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    frames, labels = zip(*simulated_batches(count, 16, classes), strict=True)
    return np.concatenate(frames), np.concatenate(labels)


def test_labels_are_numbers_of_the_dataset_s_classes_whatever_their_order():
    frames, labels = rendered(70, list(CLASSES))
    same_frames, other = rendered(70, OTHER_ORDER)
    np.testing.assert_array_equal(frames, same_frames)
    assert [OTHER_ORDER[label] for label in other] == [CLASSES[label] for label in labels]
    assert (frames.shape, frames.dtype, other.dtype) == ((70, 16, 16), np.uint8, np.int64)


@pytest.mark.parametrize("count", [1, 31, 32, 33, 96])
def test_so_many_are_rendered_as_are_asked_for_and_classes_are_alike(count):
    _, labels = rendered(count, list(CLASSES))
    assert len(labels) == count
    counts = np.bincount(labels, minlength=6)
    assert counts.max() - counts.min() <= -(-count // 32)


def test_no_frame_comes_twice():
    frames, _ = rendered(96, list(CLASSES))
    assert len(np.unique(frames.reshape(96, -1), axis=0)) == 96


@settings(max_examples=40, deadline=None)
@given(
    weights=st.lists(st.floats(0.01, 20), min_size=1, max_size=30),
    count=st.integers(1, 20),
    share=st.floats(0.01, 0.99),
)
def test_together_they_have_their_share_of_the_total_weight(weights, count, share):
    real = real_frames(weights)
    joined = with_simulated(real, model(simulated_frames=count, simulated_weight=share), CLASSES)
    assert len(joined) == len(weights) + count
    assert joined.weights[len(weights) :].sum() / joined.weights.sum() == pytest.approx(share, rel=1e-4)
    np.testing.assert_array_equal(joined.weights[: len(weights)], real.weights)
    assert len(np.unique(joined.weights[len(weights) :])) == 1


def test_real_lines_stay_as_they_are_and_simulated_ones_have_no_row():
    real = real_frames([1.0, 2.0, 1.0])
    real = SplitFrames(real.frames[:2], np.array([0, 1, 1]), np.array([100, 101, 101]), real.labels, real.weights)
    joined = with_simulated(real, model(simulated_frames=7), OTHER_ORDER)
    assert joined.rows.tolist() == [100, 101, 101] + [-1] * 7
    assert joined.index.tolist() == [0, 1, 1, *range(2, 9)]
    assert joined.frames.shape == (9, 16, 16)
    frames, labels = rendered(7, OTHER_ORDER)
    np.testing.assert_array_equal(joined.frames[joined.index[3:]], frames)
    np.testing.assert_array_equal(joined.labels[3:], labels)


@pytest.mark.parametrize("classes", [CLASSES[:5], [*CLASSES, "porosity"], [*CLASSES[:5], "porosity"], ["a", "b"]])
def test_a_dataset_of_other_classes_gets_none_and_that_is_said(classes):
    real, asked = real_frames([1.0, 1.0]), model(simulated_frames=7)
    assert with_simulated(real, asked, classes) is real
    told = sentence_about_simulated(asked, classes)
    assert told.startswith("full_con6 learns from no simulated frames: models.full_con6.simulated_frames asks for 7, ")


def test_nothing_is_said_where_none_is_asked_for():
    real = real_frames([1.0])
    assert with_simulated(real, model(), CLASSES) is real
    assert sentence_about_simulated(model(), CLASSES) is None


def trained(folder, name, values, classes, frames=(60, 30, 30)):
    """Train a model on blobs of some classes: training.json, predictions, and the folder of the data."""
    split = write_blobs(folder / "data", frames, classes=classes)
    params = load_params(write_params(folder, **{name: values}))
    dataset, fabric = open_dataset(folder / "data"), prepare(params.hardware)
    job = TrainingJob("blobs", dataset, split, 0, params.models[name], params.train, params.hardware, 0, 0)
    train_model(fabric, job, folder / "trained")
    network, info = load_trained(folder / "trained/model.safetensors")
    predictions = predictions_on(fabric, network, info, dataset, split, None)
    return json.loads((folder / "trained/training.json").read_text(encoding="utf-8")), predictions, read_split(split)


@pytest.mark.parametrize(("name", "values"), [("efficientnet_lite0", FROZEN), ("full_con6", WHOLE)])
def test_they_join_train_and_no_other_split(tmp_path, name, values, capsys):
    facts, predictions, split = trained(tmp_path, name, values, OTHER_ORDER)
    assert facts["learned_from"]["total"]["frames"] == 60
    of_splits = split[split["split"] != "train"]
    assert predictions["row"].tolist() == of_splits["row"].tolist()
    assert list(predictions.columns[-6:]) == OTHER_ORDER
    history = pd.read_csv(tmp_path / "trained/history.csv")
    told = capsys.readouterr().err
    if name == "full_con6":
        assert facts["simulated_frames"] == 40
        assert facts["notes"] == [
            "full_con6 also learns from 40 simulated frames, with 50% of the total weight; none is in valid or test."
        ]
        assert facts["length"]["train_frames"] == 100
    else:
        # They are tried, and what is said is what was chosen.
        assert facts["simulated_frames"] == (40 if facts["simulated_share"] else 0)
        assert ("(fold 0, seed 0) learns from no simulated frames" in facts["notes"][0]) == (
            facts["simulated_share"] == 0
        )
        assert facts["length"]["train_frames"] == 60
        assert history["frames"].item() == 60 * 2 + 40
    assert f"train {name}: {facts['notes'][0]}" in told


@pytest.mark.parametrize(("name", "values"), [("efficientnet_lite0", FROZEN), ("full_con6", WHOLE)])
def test_a_training_on_other_classes_has_none_in_its_records(tmp_path, name, values, capsys):
    facts, predictions, _ = trained(tmp_path, name, values, ["good_weld", "crack", "pore"])
    assert facts["simulated_frames"] == 0
    assert facts["notes"][0].startswith(
        f"{name} learns from no simulated frames: models.{name}.simulated_frames asks for 40"
    )
    assert facts["notes"][0] in capsys.readouterr().err
    assert len(predictions) == 60
