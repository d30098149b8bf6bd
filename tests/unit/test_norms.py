"""Batch norms have the statistics of the weights that are kept, however short the training was."""

import numpy as np
import pytest
import torch
from torch import nn

from weldbench.config.models import FullCon6
from weldbench.config.training import Hardware
from weldbench.models.inference import validation_score
from weldbench.runtime.hardware import prepare
from weldbench.training.batches import Batch
from weldbench.training.loop import TrainingData, fit
from weldbench.training.norms import learning_norms, measure_statistics

STEPS, FRAMES = 5, 32


@pytest.fixture(scope="module")
def fabric():
    return prepare(Hardware(device="cpu", threads=1, precision="fp32"))


def frames(number):
    """Two classes, told by the sign of one value, far from 0: shape (FRAMES, 1, 1, 1) and (FRAMES,)."""
    rng = np.random.default_rng(number)
    labels = rng.integers(0, 2, FRAMES)
    inputs = 50.0 + (2.0 * labels - 1.0) + rng.normal(0, 0.2, FRAMES)
    return torch.from_numpy(inputs.astype(np.float32)).reshape(-1, 1, 1, 1), torch.from_numpy(labels)


def batches(epoch):
    for step in range(STEPS):
        inputs, labels = frames(epoch * STEPS + step)
        yield Batch(inputs, labels, torch.full((FRAMES,), 1 / FRAMES))


def learned(fabric, measured, **settings):
    """Train a norm and a layer for a few steps; return the share of fresh frames that they tell, and the scores."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.BatchNorm2d(1, affine=False), nn.Flatten(), nn.Linear(1, 2))
    given = FullCon6(
        architecture="full_con6", input_size_px=8, epochs=2, learning_rate=0.5, schedule="constant", **settings
    )
    inputs, labels = frames(1000)
    data = TrainingData(
        batches,
        STEPS,
        FRAMES,
        lambda network: validation_score(network.eval()(inputs).detach(), labels.numpy()),
        norm_inputs=(lambda: (batch.inputs for batch in batches(99))) if measured else None,
    )
    progress = fit(fabric, network, given, data, seed=0)
    network.load_state_dict(progress.best_state)
    right = network.eval()(inputs).argmax(1) == labels
    return float(right.float().mean()), progress


@pytest.mark.parametrize("settings", [{}, {"ema_decay": 0.5}], ids=["weights", "moving average"])
def test_after_a_short_training_moving_averages_answer_wrong_and_measured_statistics_right(fabric, settings):
    stale, _ = learned(fabric, measured=False, **settings)
    right, progress = learned(fabric, measured=True, **settings)
    assert stale < 0.7  # after 10 steps a third of the mean is still the 0 that it started from
    assert right > 0.99
    assert progress.best.valid_macro_f1 > 0.99  # what is scored is what is kept


def test_the_statistics_are_those_of_all_batches(fabric):
    network = nn.Sequential(nn.BatchNorm2d(1), nn.Dropout(0.5))
    network[0].running_mean.fill_(7.0)
    given = torch.randn(6, 8, 1, 3, 3) * 3 + 2
    measure_statistics(fabric, network, given)
    torch.testing.assert_close(network[0].running_mean, given.mean().reshape(1))
    variances = torch.stack([batch.var() for batch in given])
    torch.testing.assert_close(network[0].running_var, variances.mean().reshape(1))
    assert network[0].momentum == 0.1
    assert not any(module.training for module in network.modules())


def test_frozen_norms_keep_what_they_came_with(fabric):
    network = nn.Sequential(nn.BatchNorm2d(1), nn.BatchNorm2d(1))
    network[0].requires_grad_(False)
    assert learning_norms(network) == [network[1]]
    measure_statistics(fabric, network, torch.randn(2, 8, 1, 3, 3) + 5)
    assert network[0].running_mean.item() == 0
    assert network[1].running_mean.item() == pytest.approx(5, abs=0.5)
