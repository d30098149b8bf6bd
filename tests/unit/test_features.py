"""Features of a frozen backbone: computed once, kept in a file, learned from, and scored with."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from blobs import write_blobs, write_params

from weldbench.config import load_params
from weldbench.config.models import Model
from weldbench.config.training import Augment
from weldbench.data.dataset import open_dataset, read_split
from weldbench.data.normalization import Normalization
from weldbench.errors import InputError
from weldbench.models.features import FrameFeatures, backbone_id, read_features, without_last_layer, write_features
from weldbench.models.files import load_trained
from weldbench.models.inference import predictions_on
from weldbench.models.initialization import initial_network
from weldbench.runtime.hardware import prepare
from weldbench.runtime.seeding import Stream, generator, seed_torch
from weldbench.training import features as features_module
from weldbench.training.features import compute_features
from weldbench.training.probe import features_of_folds
from weldbench.training.setup import TrainingJob
from weldbench.training.train import train_model

NAME = "efficientnet_lite0"
NORMAL = Normalization(0.5, 0.5)


@pytest.fixture(scope="module")
def split(tmp_path_factory) -> Path:
    return write_blobs(tmp_path_factory.mktemp("blobs"))


@pytest.fixture(scope="module")
def dataset(split):
    return open_dataset(split.parents[2])


@pytest.fixture(scope="module")
def params(tmp_path_factory):
    settings = "{input_size_px: 32, other_sizes_px: [24], freeze: backbone, augment_views: 2, balance: none}"
    return load_params(write_params(tmp_path_factory.mktemp("params"), efficientnet_lite0=settings))


@pytest.fixture(scope="module")
def fabric(params):
    return prepare(params.hardware)


def features_of(fabric, params, dataset, split, **changes) -> FrameFeatures:
    settings = params.models[NAME].model_copy(update=changes)
    return features_of_folds(fabric, settings, params.train.augment, dataset, {0: split.parent}, params.split.seed)


@pytest.fixture(scope="module")
def computed(fabric, params, dataset, split) -> FrameFeatures:
    return features_of(fabric, params, dataset, split)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, computed) -> Path:
    """The folder of features, as the stage writes it."""
    folder = tmp_path_factory.mktemp("features")
    write_features(folder / f"{NAME}.safetensors", computed)
    (folder / f"{NAME}.json").write_text(json.dumps({"seconds": 1000.0, "made_from": {}}), encoding="utf-8")
    return folder


def job_of(params, dataset, split, features: Path | None = None, **changes) -> TrainingJob:
    settings = params.models[NAME].model_copy(update=changes)
    given = params.train, params.hardware
    return TrainingJob("blobs", dataset, split, 0, settings, *given, seed=0, split_seed=0, features=features)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, fabric, params, dataset, split, folder) -> Path:
    output = tmp_path_factory.mktemp("trained")
    train_model(fabric, job_of(params, dataset, split, folder / f"{NAME}.safetensors"), output)
    return output


def test_a_file_of_features_gives_them_back(tmp_path, computed):
    path = tmp_path / "features.safetensors"
    write_features(path, computed)
    read = read_features(path)
    assert read.backbone == computed.backbone
    for name, array in vars(computed).items():
        if isinstance(array, np.ndarray):
            assert (getattr(read, name).dtype, getattr(read, name).shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(getattr(read, name), array)
    plain = read_features(path, views=False)
    np.testing.assert_array_equal(plain.plain, computed.plain)
    assert plain.views.size == 0


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda path: path.unlink(), "there is no such file; run the stage features first"),
        (lambda path: path.write_bytes(b""), "the file is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "the file is damaged"),
        (lambda path: path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n"), "the file is damaged"),
    ],
)
@pytest.mark.parametrize("views", [True, False])
def test_a_file_that_is_not_there_or_damaged_is_named(tmp_path, computed, damage, told, views):
    path = tmp_path / "features.safetensors"
    write_features(path, computed)
    damage(path)
    with pytest.raises(InputError, match=rf"features\.safetensors: {told}"):
        read_features(path, views)


def test_features_are_given_line_by_line_and_rows_may_repeat():
    numbers = np.arange(8, dtype=np.float32).reshape(4, 2)
    views = np.arange(12, dtype=np.float32).reshape(2, 3, 2) + 100
    none = np.empty((0, 2), np.float32), np.empty(0, np.int64)
    features = FrameFeatures(np.array([2, 5, 7, 9]), numbers, np.array([5, 9]), views, *none, backbone="")
    assert features.of(np.array([7, 2, 7])).tolist() == [[4, 5], [0, 1], [4, 5]]
    lines = features.with_views(np.array([9, 5, 9]))
    assert lines.shape == (3, 4, 2)
    assert lines[0].tolist() == [[6, 7], [106, 107], [108, 109], [110, 111]]
    np.testing.assert_array_equal(lines[0], lines[2])
    assert lines[1, 0].tolist() == [2, 3]
    for row in (0, 3, 8, 10):
        assert not features.covers(np.array([2, row]))
        with pytest.raises(KeyError):
            features.of(np.array([2, row]))
    with pytest.raises(KeyError):
        features.with_views(np.array([2]))
    assert features.covers(np.array([2, 9, 9]), np.array([5, 5]))
    assert not features.covers(np.array([2]), np.array([2]))


def test_frames_that_are_repeated_have_their_features_as_often(fabric, params, dataset, split, tmp_path, folder):
    uneven = read_split(split)
    labels = dataset.manifest["label"]
    rare = uneven["row"].map(labels).eq(dataset.classes[2]) & uneven["split"].eq("train")
    path = tmp_path / "fold0" / "split.csv"
    path.parent.mkdir()
    uneven.drop(uneven.index[rare][3:]).to_csv(path, index=False)
    job = job_of(params, dataset, path, folder / f"{NAME}.safetensors", balance="oversample")
    train_model(fabric, job, tmp_path / "trained")
    facts = json.loads((tmp_path / "trained/training.json").read_text(encoding="utf-8"))
    assert facts["length"]["train_frames"] == 96
    assert [facts["learned_from"][name]["frames"] for name in dataset.classes] == [32, 32, 32]


def test_the_stage_computes_what_a_training_without_it_computes_itself(
    fabric, params, dataset, split, trained, tmp_path
):
    train_model(fabric, job_of(params, dataset, split), tmp_path)
    assert (tmp_path / "model.safetensors").read_bytes() == (trained / "model.safetensors").read_bytes()


def test_the_time_of_a_training_includes_that_of_its_features(trained):
    facts = json.loads((trained / "training.json").read_text(encoding="utf-8"))
    assert facts["seconds"] > 1000
    assert facts["training_seconds"] < 1000


def test_the_records_tell_what_was_learned_from_and_how(trained, computed):
    facts = json.loads((trained / "training.json").read_text(encoding="utf-8"))
    history = pd.read_csv(trained / "history.csv")
    assert facts["length"]["reason"].startswith("96 frames to learn from, each as it is and in 2 changed views; only")
    assert f"penalty {facts['penalty']:g} chosen by cross-validation" in facts["selection"]["reason"]
    assert facts["selection"]["by"] == "cross-validation"
    assert (facts["simulated_frames"], facts["simulated_share"], facts["notes"]) == (0, 0, [])
    assert (facts["epochs"], facts["best_epoch"], facts["learned_from"]["total"]["frames"]) == (1, 1, 96)
    assert facts["valid_macro_f1"] == pytest.approx(history["valid_macro_f1"].item(), abs=1e-6)
    assert history["frames"].item() == 96 * 3
    assert facts["made_from"]["inputs"].keys() >= {"features", "split.csv"}


def test_views_differ_from_frames_and_from_each_other_and_come_again(fabric, params, dataset, split, computed):
    again = features_of(fabric, params, dataset, split)
    assert computed.views.shape == (96, 2, computed.plain.shape[1])
    np.testing.assert_array_equal(computed.views, again.views)
    np.testing.assert_array_equal(computed.plain, again.plain)
    plain = computed.of(computed.view_rows)
    for one, other in [
        (plain, computed.views[:, 0]),
        (plain, computed.views[:, 1]),
        tuple(computed.views.swapaxes(0, 1)),
    ]:
        assert np.abs(one - other).max(axis=1).min() > 1e-3
    # Without any change a view is the frame.
    nothing = dict.fromkeys(("rotation_degrees", "scale", "shift", "gain", "gamma", "noise"), 0.0)
    still = Augment(flip=False, erase_timestamp=False, **nothing)
    unchanged = params.model_copy(update={"train": params.train.model_copy(update={"augment": still})})
    features = features_of(fabric, unchanged, dataset, split)
    np.testing.assert_allclose(features.views[:, 0], features.of(features.view_rows), atol=2e-3)
    np.testing.assert_array_equal(features.plain, computed.plain)


def test_views_on_a_gpu_are_decided_by_their_stream_and_mix_amplitudes_where_asked(dataset, params):
    frames = torch.from_numpy(np.array(dataset.frames[:8]))

    def views(augment: Augment, before: int) -> torch.Tensor:
        torch.manual_seed(before)
        seed_torch(Stream.VIEWS, 3)
        rng = generator(Stream.VIEWS, 3)
        return torch.stack([*features_module._views_on_device(frames, 2, augment, NORMAL, rng)])

    assert torch.equal(views(params.train.augment, 1), views(params.train.augment, 2))
    still = {**dict.fromkeys(("rotation_degrees", "scale", "shift", "gain", "gamma", "noise"), 0.0), "flip": False}
    plain = views(Augment(erase_timestamp=False, **still), 1)
    mixed = views(Augment(erase_timestamp=False, mix_amplitudes=0.9, **still), 1)
    torch.testing.assert_close(plain[0], plain[1])
    assert ((mixed - plain).abs().amax((2, 3, 4)) > 0.01).float().mean() > 0.7  # chance may mix a frame with itself


def test_frames_are_loaded_some_at_a_time(fabric, params, tmp_path, monkeypatch):
    split = write_blobs(tmp_path, (40, 9, 9))
    loaded = []
    whole = features_of(fabric, params, open_dataset(tmp_path), split, augment_views=0)
    monkeypatch.setattr(features_module, "_CHUNK_FRAMES", 16)
    resident = features_module.resident
    monkeypatch.setattr(
        features_module, "resident", lambda frames, rows, size: loaded.append(len(rows)) or resident(frames, rows, size)
    )
    parts = features_of(fabric, params, open_dataset(tmp_path), split, augment_views=1)
    assert loaded == [16, 16, 16, 10, 16, 16, 8]  # 58 frames as they are, then 40 of train
    np.testing.assert_allclose(parts.plain, whole.plain, atol=1e-4)
    assert parts.views.shape == (40, 1, parts.plain.shape[1])
    assert whole.views.shape == (40, 0, parts.plain.shape[1])


def test_all_folds_share_one_file(fabric, params, dataset, split, tmp_path):
    rows = read_split(split)
    swapped = rows.assign(split=rows["split"].replace({"train": "test", "test": "train"}))
    for fold, table in enumerate((rows, swapped)):
        (tmp_path / f"fold{fold}").mkdir()
        table.to_csv(tmp_path / f"fold{fold}/split.csv", index=False)
    folds = {fold: tmp_path / f"fold{fold}" for fold in (0, 1)}
    settings = params.models[NAME].model_copy(update={"augment_views": 1})
    features = features_of_folds(fabric, settings, params.train.augment, dataset, folds, 0)
    assert features.covers(rows["row"].to_numpy(), rows.loc[rows["split"] != "valid", "row"].to_numpy())
    assert len(features.view_rows) == 126


@pytest.mark.parametrize("name", ["valid", "test"])
def test_a_split_without_frames_is_named_before_anything_is_computed(
    fabric, params, dataset, split, tmp_path, folder, name
):
    rows = read_split(split)
    path = tmp_path / "fold0/split.csv"
    path.parent.mkdir()
    rows[rows["split"] != name].to_csv(path, index=False)
    with pytest.raises(InputError, match=f"no frame of the split {name}"):
        features_of(fabric, params, dataset, path)
    if name == "valid":
        with pytest.raises(InputError, match="no frame of the split valid"):
            train_model(fabric, job_of(params, dataset, path, folder / f"{NAME}.safetensors"), tmp_path / "trained")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"other_sizes_px": [16]}, "another backbone, input size or set of frames"),  # as many numbers per frame
        ({"other_sizes_px": []}, "another backbone, input size or set of frames"),
        ({"feature_stages": 2}, "another backbone, input size or set of frames"),
        ({"input_size_px": 30}, "another backbone, input size or set of frames"),
        ({"augment_views": 1}, "there are 2 views of each training frame and 0 simulated frames, and the settings of"),
    ],
)
def test_features_made_with_other_settings_are_refused(
    fabric, params, dataset, split, folder, tmp_path, settings, told
):
    job = job_of(params, dataset, split, folder / f"{NAME}.safetensors", **settings)
    with pytest.raises(InputError, match=told) as error:
        train_model(fabric, job, tmp_path)
    assert str(error.value).startswith(f"{folder / NAME}.safetensors: ")
    assert str(error.value).endswith("; delete the file and run the stage features again")
    assert not (tmp_path / "model.safetensors").exists()


def test_features_of_other_frames_or_of_too_few_are_refused(fabric, params, split, folder, tmp_path, computed):
    write_blobs(tmp_path / "data")
    inventory = tmp_path / "data/inventory.json"
    inventory.write_text(inventory.read_text(encoding="utf-8").replace("}", ', "rejected": []}'), encoding="utf-8")
    other = open_dataset(tmp_path / "data")
    with pytest.raises(InputError, match="another backbone, input size or set of frames"):
        train_model(fabric, job_of(params, other, split, folder / f"{NAME}.safetensors"), tmp_path / "trained")
    dataset = open_dataset(split.parents[2])
    for few in (
        replace(computed, rows=computed.rows[:-40], plain=computed.plain[:-40]),  # none of valid
        replace(computed, view_rows=computed.view_rows[1:], views=computed.views[1:]),
    ):
        write_features(tmp_path / "few.safetensors", few)
        (tmp_path / "few.json").write_text("{}", encoding="utf-8")
        with pytest.raises(InputError, match=r"few\.safetensors: some frames of .*split\.csv have no features there"):
            train_model(fabric, job_of(params, dataset, split, tmp_path / "few.safetensors"), tmp_path / "trained")


def test_scores_from_features_are_those_from_frames(fabric, dataset, split, trained, folder, capsys):
    network, info = load_trained(trained / "model.safetensors")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    from_frames = predictions_on(fabric, network, info, dataset, split, None)
    from_features = predictions_on(fabric, network, info, dataset, split, folder)
    assert list(from_features.columns) == list(from_frames.columns)
    facts = ["split_id", "split", "row", "run", "label"]
    pd.testing.assert_frame_equal(from_features[facts], from_frames[facts])
    np.testing.assert_allclose(from_features[dataset.classes], from_frames[dataset.classes], atol=1e-5)
    assert from_features["row"].tolist() == list(range(96, 156))
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert "not used" not in capsys.readouterr().err


@pytest.mark.parametrize("wrong", ["backbone", "frames", "rows"])
def test_features_that_do_not_fit_are_not_scored_with_and_that_is_said(
    fabric, dataset, split, trained, computed, tmp_path, capsys, wrong
):
    network, info = load_trained(trained / "model.safetensors")
    expected = predictions_on(fabric, network, info, dataset, split, None)
    misleading = replace(computed, plain=computed.plain[::-1].copy())
    if wrong == "rows":
        misleading = replace(misleading, rows=computed.rows[:-1], plain=misleading.plain[:-1])
    if wrong == "backbone":
        misleading = replace(misleading, backbone="0" * 64)
    if wrong == "frames":
        write_blobs(tmp_path / "data")
        (tmp_path / "data/inventory.json").write_text(
            json.dumps({"dataset": "other", "classes": dataset.classes}), encoding="utf-8"
        )
        dataset = open_dataset(tmp_path / "data")
    write_features(tmp_path / f"{NAME}.safetensors", misleading)
    found = predictions_on(fabric, network, info, dataset, split, tmp_path)
    np.testing.assert_allclose(found[dataset.classes], expected[dataset.classes], atol=1e-6)
    told = capsys.readouterr().err
    assert f"{tmp_path / NAME}.safetensors: not used, as " in told


def test_a_network_that_is_not_frozen_is_scored_from_frames(fabric, params, dataset, split, folder, tmp_path):
    job = replace(job_of(params, dataset, split), settings=params.models["full_con6"])
    train_model(fabric, job, tmp_path)
    network, info = load_trained(tmp_path / "model.safetensors")
    (tmp_path / "full_con6.safetensors").write_bytes(b"no features")
    found = predictions_on(fabric, network, info, dataset, split, tmp_path)
    np.testing.assert_array_equal(found, predictions_on(fabric, network, info, dataset, split, None))


def test_the_hash_of_a_backbone_does_not_depend_on_what_is_learned(params, dataset):
    settings = params.models[NAME]
    network, normalization = initial_network(settings, dataset.classes, None, NORMAL)
    first = backbone_id(without_last_layer(network, settings), normalization, settings, dataset)
    torch.nn.init.zeros_(network.classifier.weight)
    longer = Model.model_validate(settings.model_dump() | {"epochs": 7, "augment_views": 0})
    assert backbone_id(without_last_layer(network, settings), normalization, longer, dataset) == first
    with torch.no_grad():
        network.backbone.bn2.running_mean[0] += 1
    assert backbone_id(without_last_layer(network, settings), normalization, settings, dataset) != first


def test_nothing_is_computed_of_frames_that_no_split_names(fabric, params, dataset):
    settings = params.models[NAME].model_copy(update={"augment_views": 0})
    network, normalization = initial_network(settings, dataset.classes, None, NORMAL)
    rows = np.array([3, 3, 1]), np.array([7])
    backbone = without_last_layer(network, settings)
    features = compute_features(fabric, backbone, normalization, settings, params.train.augment, dataset, *rows)
    assert (features.rows.tolist(), features.view_rows.tolist()) == ([1, 3, 7], [1, 3])
