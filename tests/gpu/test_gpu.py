"""What holds on a GPU: the same bytes every time, the results of a CPU within rounding, one message where it ends."""

import hashlib
import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import torch
import yaml
from blobs import CLASSES, write_blobs, write_params

from weldbench.config import load_params
from weldbench.config.training import Hardware
from weldbench.data.dataset import open_dataset, read_split
from weldbench.data.normalization import Normalization, normalize
from weldbench.deploy.graph import export_graphs
from weldbench.errors import InputError
from weldbench.models.features import without_last_layer
from weldbench.models.files import load_trained
from weldbench.models.inference import logits_of, probabilities_of
from weldbench.models.initialization import initial_network
from weldbench.models.saliency import explain
from weldbench.planning.network_speed import scored_frame_seconds, step_seconds
from weldbench.runtime.hardware import prepare
from weldbench.training.features import compute_features
from weldbench.training.history import Progress
from weldbench.training.setup import TrainingJob
from weldbench.training.train import train_model

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
RESNET = "{input_size_px: 64, init: scratch, epochs: 3, batch_size: 16, learning_rate: 0.01}"
# Batch norms, dropout and AdamW: all that has a state of its own.
MOBILENET = (
    "{input_size_px: 64, init: scratch, epochs: 3, batch_size: 16, learning_rate: 0.001, optimizer: adamw, "
    "ema_decay: 0.8}"
)


class Killed(BaseException):
    """What a kill is to a process, for tests within one process."""


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    return write_blobs(tmp_path_factory.mktemp("blobs"), side_px=64)


@pytest.fixture
def train(tmp_path, blobs):
    """Train a model whose settings are given as YAML, on the GPU; return the folder of its outputs."""
    number = itertools.count()

    def run(model, settings, output=None, **hardware):
        output = output or tmp_path / str(next(number))
        params = params_for(tmp_path, {model: settings}, **hardware)
        job = TrainingJob(
            "blobs", open_dataset(blobs.parents[2]), blobs, 0, params.models[model], params.train, params.hardware, 0, 0
        )
        train_model(prepare(params.hardware), job, output)
        return output

    return run


def params_for(folder, models, **hardware):
    path = write_params(folder, "fp32", **models)
    given = yaml.safe_load(path.read_text())
    given["hardware"] |= {"device": "cuda", **hardware}
    path.write_text(yaml.safe_dump(given, sort_keys=False))
    return load_params(path)


def weights(output):
    return hashlib.sha256((output / "model.safetensors").read_bytes()).hexdigest()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(("model", "settings"), [("resnet18", RESNET), ("mobilenet_v3_small", MOBILENET)])
def test_same_seed_same_bytes_step_by_step_or_recorded(train, model, settings, precision):
    recorded = weights(train(model, settings, precision=precision))
    assert weights(train(model, settings, precision=precision)) == recorded
    assert weights(train(model, settings, precision=precision, cuda_graph=False)) == recorded


@pytest.mark.parametrize(("model", "settings"), [("resnet18", RESNET), ("mobilenet_v3_small", MOBILENET)])
def test_killed_and_resumed_it_ends_with_the_same_bytes(train, tmp_path, monkeypatch, model, settings):
    undisturbed, output = weights(train(model, settings)), tmp_path / "killed"

    def kill(self, line, state, note=Progress.note):
        if line.epoch > 1:
            raise Killed
        note(self, line, state)

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "note", kill)
        with pytest.raises(Killed):
            train(model, settings, output=output)
    assert (output / ".checkpoint.safetensors").exists()
    assert weights(train(model, settings, output=output)) == undisturbed


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("bf16", 3e-2)])
def test_a_network_says_on_a_gpu_what_it_says_on_a_cpu(train, blobs, precision, tolerance):
    network, info = load_trained(train("resnet18", RESNET) / "model.safetensors")
    split = open_dataset(blobs.parents[2]).load_split(read_split(blobs), "test", 64)

    def logits(**hardware):
        fabric = prepare(Hardware(threads=1, **hardware))
        return logits_of(fabric, network.to(fabric.device), split, info.normalization)

    on_cpu = logits(device="cpu", precision="fp32")
    difference = (logits(device="cuda", precision=precision) - on_cpu).norm() / on_cpu.norm()
    assert difference < tolerance


def test_a_training_goes_the_way_of_that_on_a_cpu(train):
    settings = RESNET.replace("epochs: 3", "epochs: 1")
    lines = [
        pd.read_csv(train("resnet18", settings, device=device) / "history.csv").iloc[0] for device in ("cuda", "cpu")
    ]
    # The frames are changed by other draws, so the losses are of the same size only.
    assert lines[0]["train_loss"] == pytest.approx(lines[1]["train_loss"], rel=0.3)
    assert list(lines[0][["epoch", "step", "frames"]]) == list(lines[1][["epoch", "step", "frames"]])


def test_a_compiled_network_learns_as_one_that_is_not(train):
    plain, compiled = (train("resnet18", RESNET, compile=compiled) for compiled in (False, True))
    losses = [pd.read_csv(output / "history.csv")["train_loss"] for output in (plain, compiled)]
    np.testing.assert_allclose(losses[1].iloc[0], losses[0].iloc[0], rtol=0.05)
    assert load_trained(compiled / "model.safetensors")[0].state_dict().keys() == (
        load_trained(plain / "model.safetensors")[0].state_dict().keys()
    )


def test_features_of_a_frozen_backbone_are_those_of_a_cpu(blobs):
    settings = load_params(ROOT / "params.yaml").models["efficientnet_lite0"]
    settings = settings.model_copy(update={"input_size_px": 64, "other_sizes_px": [32], "augment_views": 0})
    settings = settings.model_copy(update={"simulated_frames": 0})
    augment = load_params(ROOT / "params.yaml").train.augment
    dataset = open_dataset(blobs.parents[2])
    network, normalization = initial_network(settings, CLASSES, None, Normalization(0.5, 0.5))
    rows = np.arange(20), np.arange(20, 40)
    plain = []
    for device in ("cpu", "cuda"):
        fabric = prepare(Hardware(device=device, precision="fp32", threads=1))
        backbone = without_last_layer(network, settings)
        plain.append(compute_features(fabric, backbone, normalization, settings, augment, dataset, *rows).plain)
    assert np.linalg.norm(plain[1] - plain[0]) < 1e-4 * np.linalg.norm(plain[0])


def test_a_frozen_backbone_is_trained_to_the_same_bytes_and_keeps_its_own(train):
    settings = (
        "{input_size_px: 64, freeze: backbone, init: imagenet, augment_views: 2, simulated_frames: 0, "
        "architecture: efficientnet_lite0}"
    )
    first, second = train("lite", settings), train("lite", settings)
    assert weights(first) == weights(second)
    facts = json.loads((first / "training.json").read_text())
    assert facts["valid_macro_f1"] > 0.8


def test_layers_that_are_frozen_keep_their_bytes(train, tmp_path):
    settings = "{input_size_px: 64, freeze: until bn1, init: imagenet, epochs: 1, architecture: efficientnet_lite0}"
    network, _ = load_trained(train("lite", settings) / "model.safetensors")
    start, _ = initial_network(
        params_for(tmp_path, {"lite": settings}).models["lite"], CLASSES, None, Normalization(0.5, 0.5)
    )
    after, before = network.state_dict(), start.state_dict()
    frozen = [name for name in before if name.split(".")[0] in ("conv_stem", "bn1")]
    assert frozen
    assert all(torch.equal(after[name], before[name]) for name in frozen)


def test_too_little_memory_is_one_message(train):
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_allocated() + 64e6) / total)
    try:
        with pytest.raises(InputError, match=r"the memory of .* is too small for models\.resnet18.*batch_size"):
            train("resnet18", RESNET)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def test_scripts_train_and_evaluate_on_the_gpu_and_what_they_made_is_explained_on_a_cpu(tmp_path, blobs):
    params_for(tmp_path, {"resnet18": RESNET}, device="auto")
    data = ["--params", tmp_path / "params.yaml", "--data", blobs.parents[2], "--split", blobs]
    trained, output = tmp_path / "trained", tmp_path / "evaluated"
    run("train.py", *data, "--dataset", "blobs", "--model", "resnet18", "--seed", 0, "--output", trained)
    run("evaluate.py", *data, "--trained", trained / "model.safetensors", "--output", output)
    facts = json.loads((trained / "training.json").read_text())
    assert facts["device"] == torch.cuda.get_device_name()

    predictions = pd.read_csv(output / "predictions.csv")
    of_test = predictions[predictions["split"] == "test"]
    network, info = load_trained(trained / "model.safetensors")
    test = open_dataset(blobs.parents[2]).load_split(read_split(blobs), "test", 64)
    on_cpu = probabilities_of(
        prepare(Hardware(device="cpu", precision="fp32", threads=1)), network, test, info.normalization
    )
    np.testing.assert_allclose(of_test[CLASSES].to_numpy(), on_cpu, atol=1e-3)

    network.eval()
    shown = explain(network, info.normalization, test.frames[:2], [0, 1], on_cpu[:2].argmax(axis=1))
    assert [one.heat.shape for one in shown] == [(64, 64)] * 2


def test_what_learned_on_a_gpu_is_exported(train):
    network, info = load_trained(train("resnet18", RESNET) / "model.safetensors")
    graph = export_graphs(network, info, 64).network
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    levels = np.random.default_rng(0).integers(0, 256, (2, 64, 64), dtype=np.uint8)
    said = dict(zip((one.name for one in session.get_outputs()), session.run(None, {"levels": levels}), strict=True))
    with torch.inference_mode():
        logits = network.eval()(normalize(torch.from_numpy(levels), info.normalization))
    np.testing.assert_allclose(said["probabilities"], logits.softmax(1).numpy(), atol=1e-4)


def run(script, *arguments):
    command = [sys.executable, ROOT / "scripts" / script, *arguments]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_plan_times_steps_and_scored_frames_on_the_gpu():
    params = load_params(ROOT / "params.yaml").for_dataset("weldsim")
    hardware, augment = Hardware(device="cuda"), params.train.augment
    for name in ("full_con6", "resnet18_scratch"):
        model = params.models[name]
        assert 0 < step_seconds(model, 6, augment, hardware) < 1
        assert 0 < scored_frame_seconds(model, 6, hardware) < 0.1
