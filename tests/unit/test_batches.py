"""The batches of an epoch; on the CPU, several small ones are prepared at once."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from weldbench.config import load_params
from weldbench.config.training import Augment
from weldbench.data.normalization import Normalization
from weldbench.data.split import SplitFrames
from weldbench.training.batches import BatchSampler, cpu_batches, device_batches

UNCHANGED = Augment(
    flip=False, rotation_degrees=0, scale=0, shift=0, gain=0, gamma=0, noise=0, erase_timestamp=False
)  # fmt: skip
SIZE_PX, BATCH, LINES = 16, 10, 214


@pytest.fixture
def split():
    # Line n shows gray level n, so that a frame tells which line it is.
    lines = np.arange(LINES)
    frames = np.broadcast_to(lines.astype(np.uint8)[:, None, None], (LINES, SIZE_PX, SIZE_PX)).copy()
    return SplitFrames(frames, lines, lines, lines % 6, np.linspace(0.5, 1.5, LINES, dtype=np.float32))


def order_of(split, rank=0, world=1, **settings):
    given = {"batch_size": BATCH, "epochs": 30, "min_steps": 0} | settings
    return BatchSampler(
        load_params().models["full_con6"].model_copy(update=given),
        split.labels,
        split.weights,
        seed=3,
        rank=rank,
        world=world,
    )


def lines_of(sampler, epochs):
    return [np.stack([lines for lines, _ in sampler.batches(epoch)]) for epoch in range(epochs)]


def seen(split, sampler, at_once, monkeypatch, augment=UNCHANGED):
    monkeypatch.setattr("weldbench.training.batches._AT_ONCE", at_once * BATCH * SIZE_PX**2)
    batches = cpu_batches(split, sampler, augment, Normalization(0.0, 1.0))
    # The inputs of a batch are overwritten later on.
    return [(b.inputs.numpy().copy(), b.labels.numpy().copy(), b.shares.numpy().copy()) for b in batches(epoch=1)]


@pytest.mark.parametrize("at_once", [1, 4, 50])
def test_every_frame_keeps_its_label_and_its_share(split, at_once, monkeypatch):
    sampler = order_of(split)
    batches = seen(split, sampler, at_once, monkeypatch)
    assert len(batches) == sampler.steps == 22
    lines = [np.rint(inputs[:, 0, 0, 0] * 255).astype(int) for inputs, _, _ in batches]
    assert np.bincount(np.concatenate(lines), minlength=LINES).max() <= 2
    for line, (inputs, labels, shares) in zip(lines, batches, strict=True):
        assert np.all(inputs == inputs[:, :, :1, :1])
        assert np.array_equal(labels, split.labels[line])
        np.testing.assert_allclose(shares, split.weights[line] / split.weights[line].sum(), rtol=1e-6)


@pytest.mark.parametrize("mix_amplitudes", [0.0, 0.7])
def test_two_processes_share_each_batch_and_its_changes(split, mix_amplitudes, monkeypatch):
    augment = load_params().train.augment.model_copy(update={"mix_amplitudes": mix_amplitudes})
    whole = seen(split, order_of(split), 4, monkeypatch, augment)
    halves = [seen(split, order_of(split, rank, 2), 4, monkeypatch, augment) for rank in (0, 1)]
    for together, *both in zip(whole, *halves, strict=True):
        for of_all, *of_each in zip(together, *both, strict=True):
            assert np.array_equal(of_all, np.concatenate(of_each))


@pytest.mark.parametrize("make", [cpu_batches, partial(device_batches, device=torch.device("cpu"))])
def test_frames_take_up_to_a_share_of_the_brightness_of_others(split, make):
    mixing, sampler = UNCHANGED.model_copy(update={"mix_amplitudes": 0.5}), order_of(split)
    changes = []
    batches = make(split, sampler, mixing, Normalization(0.0, 1.0))(epoch=1)
    for batch, (lines, _) in zip(batches, order_of(split).batches(1), strict=True):
        levels = batch.inputs[:, 0, 0, 0].numpy() * 255  # a flat frame has one amplitude, its mean
        torch.testing.assert_close(batch.inputs, batch.inputs[:, :, :1, :1].expand_as(batch.inputs), atol=1e-4, rtol=0)
        assert np.array_equal(batch.labels, split.labels[lines])
        changes.append(levels - lines)
        assert np.all((levels > 0.49 * lines) & (levels < 0.51 * lines + 0.5 * LINES))
    assert np.abs(changes).max() > 0.3 * LINES
    assert (np.abs(changes) > 1).mean() > 0.8


def sampler_for(frames, batch_size, epochs, min_steps, sampler="shuffle"):
    labels = np.arange(frames) % 3
    split = SplitFrames(np.zeros((frames, 1, 1), np.uint8), labels, labels, labels, np.ones(frames, np.float32))
    return order_of(split, batch_size=batch_size, epochs=epochs, min_steps=min_steps, sampler=sampler)


@given(st.integers(1, 300), st.integers(1, 70), st.integers(1, 6), st.integers(0, 200))
def test_every_frame_comes_equally_often_and_every_step_is_equally_large(frames, batch_size, epochs, min_steps):
    sampler = sampler_for(frames, batch_size, epochs, min_steps)
    counts, steps = np.zeros(frames, int), 0
    for lines in lines_of(sampler, epochs):
        assert lines.shape == (sampler.steps, sampler.batch_size)
        counts += np.bincount(lines.ravel(), minlength=frames)
        steps += len(lines)
        assert counts.max() - counts.min() <= 1  # after every epoch
    assert counts.min() >= epochs
    assert steps == sampler.length.steps >= min_steps


@pytest.mark.parametrize("sampler", ["shuffle", "balanced"])
def test_an_epoch_has_the_same_batches_whichever_came_before_it(sampler):
    in_turn = lines_of(sampler_for(57, 14, 5, 40, sampler), 5)
    alone = np.stack([lines for lines, _ in sampler_for(57, 14, 5, 40, sampler).batches(3)])
    assert np.array_equal(alone, in_turn[3])
    assert not np.array_equal(in_turn[2], in_turn[3])


def test_a_balanced_sampler_draws_every_class_equally_often():
    labels = np.repeat([0, 1], [270, 30])
    split = SplitFrames(np.zeros((300, 1, 1), np.uint8), labels, labels, labels, np.ones(300, np.float32))
    drawn = np.concatenate(lines_of(order_of(split, sampler="balanced"), 10)).ravel()
    assert len(drawn) == 3000
    assert abs((labels[drawn] == 1).mean() - 0.5) < 5 * np.sqrt(0.25 / 3000)
