import hashlib
import itertools
import json
import shutil
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
import torch
from blobs import CLASSES, write_blobs, write_params
from safetensors.torch import load_file
from sklearn.metrics import f1_score

from weldbench.config import load_params
from weldbench.config.models import ARCHITECTURES, TorchvisionModel
from weldbench.data.dataset import open_dataset, read_split
from weldbench.data.normalization import Normalization
from weldbench.errors import InputError
from weldbench.models.architectures import build_network
from weldbench.models.files import TrainedInfo, load_trained, save_network
from weldbench.models.inference import ValidationScore, logits_of, probabilities_of, validation_score
from weldbench.pipeline import sources
from weldbench.runtime.hardware import Fabric, prepare
from weldbench.training.history import Epoch, Progress
from weldbench.training.setup import TrainingJob
from weldbench.training.train import train_model


class Killed(BaseException):
    """What a kill is to a process, for tests within one process."""


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    return write_blobs(tmp_path_factory.mktemp("blobs"))


@pytest.fixture
def train(tmp_path, blobs):
    """Train a model whose settings are given as YAML; return the folder of its outputs."""
    number = itertools.count()

    def run(model, settings=None, seed=0, precision="fp32", output=None, split=blobs, pretrained=None):
        output = output or tmp_path / str(next(number))
        params = load_params(write_params(tmp_path, precision, **({model: settings} if settings else {})))
        job = TrainingJob(
            "blobs",
            open_dataset(blobs.parents[2]),
            split,
            0,
            params.models[model],
            params.train,
            params.hardware,
            seed,
            0,
            pretrained,
        )
        train_model(prepare(params.hardware), job, output)
        return output

    return run


def weights(output):
    return hashlib.sha256((output / "model.safetensors").read_bytes()).hexdigest()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("model", ["full_con6", "conv6", pytest.param("resnet18", marks=pytest.mark.slow)])
def test_same_seed_same_bytes_and_another_seed_other_bytes(train, tmp_path, blobs, model, precision):
    split = tmp_path / "split.csv"
    lines = read_split(blobs)
    lines[lines["row"].between(60, 110)].to_csv(split, index=False)
    first = weights(train(model, precision=precision, split=split))
    assert weights(train(model, precision=precision, split=split)) == first
    assert weights(train(model, precision=precision, split=split, seed=1)) != first


def test_every_process_takes_the_score_of_the_first_one(train, monkeypatch):
    told = itertools.count(-1, -1)
    monkeypatch.setattr(Fabric, "broadcast", lambda self, score: ValidationScore(1.0, next(told)))
    output = train("full_con6")
    assert list(pd.read_csv(output / "history.csv")["valid_macro_f1"]) == [-1, -2, -3, -4]
    assert json.loads((output / "training.json").read_text())["best_epoch"] == 1


@pytest.mark.parametrize("model", ["full_con6", "conv6"])
def test_it_learns_what_can_be_learned(train, blobs, model):
    output = train(model)
    history = pd.read_csv(output / "history.csv")
    assert list(history["epoch"]) == [1, 2, 3, 4]
    assert list(history["step"]) == [6, 12, 18, 24]
    assert history["train_loss"].iloc[-1] < 0.7 * history["train_loss"].iloc[0]
    network, info = load_trained(output / "model.safetensors")
    dataset = open_dataset(blobs.parents[2])
    test = dataset.load_split(read_split(blobs), "test", info.settings.input_size_px)
    fabric = prepare(load_params(output.parent / "params.yaml").hardware)
    probabilities = probabilities_of(fabric, network, test, info.normalization)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == test.labels).mean() > 0.9
    assert info.classes == CLASSES


def test_macro_f1_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    logits, labels = torch.from_numpy(rng.normal(size=(50, 3))), rng.integers(0, 3, 50)
    result = validation_score(logits, labels)
    assert result.macro_f1 == pytest.approx(f1_score(labels, logits.argmax(1), average="macro"))
    assert result.loss == pytest.approx(float(torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels))))


@pytest.mark.parametrize(
    "settings",
    [
        "{input_size_px: 32, epochs: 4, min_steps: 50, select: last, learning_rate: 0.02, channels: [4, 8], hidden: 8}",
        "{input_size_px: 32, epochs: 4, optimizer: adamw, learning_rate: 0.001, channels: [4, 8], hidden: 8}",
        "{input_size_px: 32, epochs: 4, learning_rate: 0.02, ema_decay: 0.8, channels: [4, 8], hidden: 8}",
        "{input_size_px: 32, epochs: 4, learning_rate: 0.02, sampler: balanced, loss: focal, channels: [4, 8]}",
    ],
    ids=["min-steps", "adamw", "ema", "balanced-focal"],
)
def test_interrupted_after_any_epoch_it_ends_with_the_same_bytes(train, tmp_path, monkeypatch, settings):
    undisturbed = weights(train("conv6", settings))
    for epoch in (1, 3):
        output = tmp_path / f"killed-{epoch}"

        def kill(self, line, state, epoch=epoch, note=Progress.note):
            if line.epoch > epoch:
                raise Killed
            note(self, line, state)

        with monkeypatch.context() as patched:
            patched.setattr(Progress, "note", kill)
            with pytest.raises(Killed):
                train("conv6", settings, output=output)
        assert (output / ".checkpoint.safetensors").exists()
        assert weights(train("conv6", settings, output=output)) == undisturbed
        assert not (output / ".checkpoint.safetensors").exists()


@pytest.fixture
def backbone(train):
    return train("resnet18", "{input_size_px: 32, epochs: 1, init: scratch, learning_rate: 0.02}") / "model.safetensors"


PRETRAINED = "{{input_size_px: 32, init: simulated, epochs: {}, learning_rate: 0.01, pretrained_share: {}}}"


def test_a_share_of_the_pretrained_weights_is_in_the_result(train, backbone):
    start = load_file(backbone)
    tuned, kept = (
        load_file(train("resnet18", PRETRAINED.format(1, share), pretrained=backbone) / "model.safetensors")
        for share in (0.0, 0.25)
    )
    assert not torch.allclose(tuned["fc.weight"], start["fc.weight"])
    for name in ("conv1.weight", "bn1.weight", "fc.weight"):
        torch.testing.assert_close(kept[name], 0.25 * start[name] + 0.75 * tuned[name])
    # The statistics are those of these weights, not between those of others.
    between = 0.25 * start["layer4.1.bn2.running_var"] + 0.75 * tuned["layer4.1.bn2.running_var"]
    assert not torch.allclose(kept["layer4.1.bn2.running_var"], between, rtol=0.01)


def test_interrupted_with_a_share_of_the_pretrained_weights_it_ends_with_the_same_bytes(
    train, tmp_path, monkeypatch, backbone
):
    settings, output = PRETRAINED.format(2, 0.5), tmp_path / "killed"
    undisturbed = weights(train("resnet18", settings, pretrained=backbone))

    def kill(self, line, state, note=Progress.note):
        if line.epoch > 1:
            raise Killed
        note(self, line, state)

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "note", kill)
        with pytest.raises(Killed):
            train("resnet18", settings, output=output, pretrained=backbone)
    assert weights(train("resnet18", settings, output=output, pretrained=backbone)) == undisturbed


def test_the_state_of_other_settings_is_named_kept_and_not_used(train, tmp_path, monkeypatch, capsys):
    output = tmp_path / "killed"
    killed_at_the_end(train, output, monkeypatch)
    state = (output / ".checkpoint.safetensors").read_bytes()
    other = "{input_size_px: 16, epochs: 2, learning_rate: 0.01}"
    assert weights(train("full_con6", other, output=output)) == weights(train("full_con6", other))
    assert (output / ".checkpoint-1.safetensors").read_bytes() == state
    said = capsys.readouterr().err
    assert "models.full_con6.epochs was 4, params.yaml says 2" in said
    assert "kept as .checkpoint-1.safetensors" in said


def test_a_damaged_state_is_named_and_kept(train, tmp_path, capsys):
    output = tmp_path / "damaged"
    output.mkdir()
    (output / ".checkpoint.safetensors").write_bytes(b"half")
    assert weights(train("full_con6", output=output)) == weights(train("full_con6"))
    assert (output / ".checkpoint-1.safetensors").read_bytes() == b"half"
    assert "it is damaged" in capsys.readouterr().err


def killed_at_the_end(train, output, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("weldbench.training.train.write_csv", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            train("full_con6", output=output)
    assert (output / ".checkpoint.safetensors").exists()


def test_the_state_of_classes_in_another_order_is_ignored(train, tmp_path, blobs, monkeypatch):
    output, inventory = tmp_path / "killed", blobs.parents[2] / "inventory.json"
    killed_at_the_end(train, output, monkeypatch)
    text = inventory.read_text()
    inventory.write_text(json.dumps(json.loads(text) | {"classes": CLASSES[::-1]}))
    try:
        assert weights(train("full_con6", output=output)) == weights(train("full_con6"))
    finally:
        inventory.write_text(text)


@pytest.mark.parametrize(("edit", "kept"), [("# a comment", 0), ("LOSS = 1", 1)])
def test_a_comment_keeps_the_state_and_other_code_does_not(train, tmp_path, monkeypatch, edit, kept):
    output, library = tmp_path / "killed", tmp_path / "weldbench"
    shutil.copytree(Path(sources.__file__).parents[1], library)
    monkeypatch.setattr(sources, "__file__", str(library / "pipeline/sources.py"))
    sources.code_sha256.cache_clear()
    killed_at_the_end(train, output, monkeypatch)
    with (library / "training/losses.py").open("a") as module:
        module.write(f"\n{edit}\n")
    (library / "reporting/captions.py").write_text("what words the report decides no weight")
    sources.code_sha256.cache_clear()
    train("full_con6", output=output)
    sources.code_sha256.cache_clear()
    assert len(list(output.glob(".checkpoint-*"))) == kept


def test_a_training_asks_for_its_space_before_it_starts(train, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=1000))
    with pytest.raises(InputError, match=r"full: training needs .* make room"):
        train("full_con6", output=tmp_path / "full")
    assert list((tmp_path / "full").iterdir()) == []


def test_the_best_epoch_is_kept_and_patience_ends_the_training():
    progress = Progress()
    settings = load_settings(epochs=10, patience=2)
    for epoch, (f1, loss) in enumerate([(0.5, 1.0), (0.8, 0.9), (0.8, 0.7), (0.8, 0.8), (0.7, 0.1)], start=1):
        assert not progress.is_over(settings)
        progress.note(Epoch(epoch, epoch, epoch, 0.1, 1.0, loss, f1, 1.0, 1.0), lambda epoch=epoch: {"epoch": epoch})
    assert progress.is_over(settings)
    assert (progress.best_epoch, progress.best_state) == (3, {"epoch": 3})


def test_where_valid_does_not_choose_the_last_epoch_is_kept_and_none_is_left_out():
    progress, settings = Progress(valid_chooses=False), load_settings(epochs=5, patience=1)
    for epoch, f1 in enumerate([0.5, 0.9, 0.1, float("nan"), 0.2], start=1):
        assert not progress.is_over(settings)
        progress.note(Epoch(epoch, epoch, epoch, 0.1, 1.0, 1.0, f1, 1.0, 1.0), lambda epoch=epoch: {"epoch": epoch})
    assert progress.is_over(settings)
    assert (progress.best_epoch, progress.best_state) == (5, {"epoch": 5})


def load_settings(**values):
    from weldbench.config.models import FullCon6

    return FullCon6(architecture="full_con6", input_size_px=8, learning_rate=0.1, **values)


def test_a_loss_that_is_no_number_names_the_learning_rate(train):
    with pytest.raises(InputError, match=r"no longer a number.*learning_rate \(1e\+20\)"):
        train("full_con6", "{input_size_px: 16, epochs: 2, learning_rate: 1.0e+20, warmup: 0}")


def test_a_class_without_frames_in_train_is_named(train, tmp_path, blobs):
    split = read_split(blobs)
    path = tmp_path / "split.csv"
    split[(split["split"] != "train") | (split["row"] % 3 != 2)].to_csv(path, index=False)
    with pytest.raises(InputError, match=r"no frame of contamination is in train.*params\.yaml"):
        train("full_con6", split=path)


def test_too_little_memory_names_the_settings(train, monkeypatch):
    def exhausted(*_, **__):
        raise torch.OutOfMemoryError

    monkeypatch.setattr("weldbench.training.loop.train_step", exhausted)
    with pytest.raises(InputError, match="batch_size 16 and input_size_px 16"):
        train("full_con6")


@pytest.mark.parametrize(("freeze", "learning"), [("backbone", {"fc"}), ("until layer3", {"layer4", "fc"})])
def test_what_is_frozen_keeps_its_bytes_and_the_rest_learns(train, backbone, freeze, learning):
    settings = f"{{input_size_px: 32, epochs: 1, init: simulated, learning_rate: 0.02, freeze: {freeze}}}"
    before, after = (
        load_file(backbone),
        load_file(train("resnet18", settings, pretrained=backbone) / "model.safetensors"),
    )
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == learning


def test_features_computed_once_score_as_the_whole_network_does(train, backbone, blobs):
    settings = "{input_size_px: 32, epochs: 2, init: simulated, learning_rate: 0.05, freeze: backbone}"
    output = train("resnet18", settings, pretrained=backbone)
    network, info = load_trained(output / "model.safetensors")
    valid = open_dataset(blobs.parents[2]).load_split(read_split(blobs), "valid", 32)
    fabric = prepare(load_params(output.parent / "params.yaml").hardware)
    best = pd.read_csv(output / "history.csv")["valid_loss"].min()
    assert validation_score(logits_of(fabric, network, valid, info.normalization), valid.labels).loss == pytest.approx(
        best, abs=1e-5
    )


def test_an_unknown_layer_to_freeze_names_those_there_are(train, backbone):
    settings = "{input_size_px: 32, epochs: 1, init: simulated, learning_rate: 0.02, freeze: until layer9}"
    with pytest.raises(InputError, match=r"no layer `layer9`.*layer4"):
        train("resnet18", settings, pretrained=backbone)


@pytest.fixture
def squeezenet():
    """SqueezeNet, whose head is a convolution, as a network that params.yaml may name."""

    class SqueezeNet(TorchvisionModel):
        architecture: Literal["squeezenet1_1"]

    yield SqueezeNet
    del ARCHITECTURES["squeezenet1_1"]


@pytest.mark.parametrize("freeze", ["backbone", "until features"])
def test_a_head_of_convolutions_has_no_backbone_to_compute_once_but_layers_to_freeze(
    train, tmp_path, squeezenet, freeze
):
    common = {"input_size_px": 32, "epochs": 1, "learning_rate": 0.02}
    settings = squeezenet(architecture="squeezenet1_1", init="scratch", **common)
    path = tmp_path / "squeezenet1_1-simulated.safetensors"
    info = TrainedInfo(settings, list("abc"), Normalization(0.4, 0.2), "simulated", None, 0)
    save_network(path, build_network(settings, 3).state_dict(), info)
    asked = json.dumps(common | {"init": "simulated", "freeze": freeze})
    if freeze == "backbone":
        told = r"models\.squeezenet1_1\.freeze is backbone, but the head .* set it to `until features`"
        with pytest.raises(InputError, match=told):
            train("squeezenet1_1", asked, pretrained=path)
        return
    before, after = load_file(path), load_file(train("squeezenet1_1", asked, pretrained=path) / "model.safetensors")
    assert {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])} == {"classifier"}
