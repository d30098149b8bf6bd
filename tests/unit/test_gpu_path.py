"""What a training does on a GPU alone, run on a CPU: frames changed on the device, rates in tensors, compiled networks.

The recording of a step, and everything on a real GPU, is in tests/gpu.
"""

import hashlib
import itertools
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from blobs import write_blobs, write_params

from weldbench.config import load_params
from weldbench.data.dataset import open_dataset
from weldbench.runtime.hardware import prepare
from weldbench.training.batches import device_batches
from weldbench.training.history import Progress
from weldbench.training.loop import set_rate
from weldbench.training.setup import TrainingJob
from weldbench.training.train import train_model

CONV6 = "{input_size_px: 32, epochs: 3, learning_rate: 0.02, channels: [4, 8], hidden: 8}"


class Killed(BaseException):
    """What a kill is to a process, for tests within one process."""


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    return write_blobs(tmp_path_factory.mktemp("blobs"))


@pytest.fixture
def train(tmp_path, blobs, monkeypatch):
    """Train a model whose settings are given as YAML, its frames changed as on a GPU; return the folder of outputs."""
    monkeypatch.setattr("weldbench.training.setup.cpu_batches", partial(device_batches, device=torch.device("cpu")))
    number = itertools.count()

    def run(model, settings, output=None, **hardware):
        output = output or tmp_path / str(next(number))
        path = write_params(tmp_path, **{model: settings})
        given = yaml.safe_load(path.read_text())
        path.write_text(yaml.safe_dump({**given, "hardware": {**given["hardware"], **hardware}}, sort_keys=False))
        params = load_params(path)
        job = TrainingJob(
            "blobs", open_dataset(blobs.parents[2]), blobs, 0, params.models[model], params.train, params.hardware, 0, 0
        )
        train_model(prepare(params.hardware), job, output)
        return output

    return run


def weights(output):
    return hashlib.sha256((output / "model.safetensors").read_bytes()).hexdigest()


def losses(output):
    return pd.read_csv(output / "history.csv")["train_loss"].to_numpy()


def test_frames_changed_on_the_device_teach_the_same_bytes_every_time_and_after_a_kill(train, tmp_path, monkeypatch):
    undisturbed = train("conv6", CONV6)
    assert losses(undisturbed)[-1] < losses(undisturbed)[0]
    assert weights(train("conv6", CONV6)) == weights(undisturbed)

    def kill(self, line, state, note=Progress.note):
        if line.epoch > 1:
            raise Killed
        note(self, line, state)

    output = tmp_path / "killed"
    with monkeypatch.context() as patched:
        patched.setattr(Progress, "note", kill)
        with pytest.raises(Killed):
            train("conv6", CONV6, output=output)
    assert weights(train("conv6", CONV6, output=output)) == weights(undisturbed)


@pytest.mark.long
def test_a_compiled_network_learns_what_one_that_is_not_learns(train):
    plain, compiled = train("conv6", CONV6), train("conv6", CONV6, compile=True)
    np.testing.assert_allclose(losses(compiled), losses(plain), rtol=0.01)
    assert weights(train("conv6", CONV6, compile=True)) == weights(compiled)


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.AdamW])
def test_a_rate_in_a_tensor_is_set_in_place_and_counts(optimizer):
    def after(rate):
        weight = torch.nn.Parameter(torch.ones(3))
        stepper = optimizer([weight], lr=rate)
        held = stepper.param_groups[0]["lr"]
        set_rate(stepper, 0.25)
        assert float(stepper.param_groups[0]["lr"]) == 0.25
        if isinstance(rate, torch.Tensor):  # a recorded step reads it where it was
            assert stepper.param_groups[0]["lr"] is held
        weight.grad = torch.tensor([1.0, 2.0, 3.0])
        stepper.step()
        return weight.detach()

    torch.testing.assert_close(after(torch.tensor(0.5)), after(0.5))
