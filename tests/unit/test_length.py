"""How long a training is, by the settings and by the number of frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weldbench.config import load_params
from weldbench.config.models import FullCon6
from weldbench.training.length import training_length


def settings(**values):
    given = {"epochs": 30, "batch_size": 32, "min_steps": 300} | values
    return FullCon6(architecture="full_con6", input_size_px=8, learning_rate=0.1, **given)


@pytest.mark.parametrize(
    ("frames", "batch_size", "steps_per_epoch"),
    [
        (24_204, 32, 757),  # the published train split of SS304: 30 epochs, each frame once in each
        (960, 32, 30),
        (320, 32, 10),  # just enough steps in 30 epochs
        (300, 32, 10),
        (57, 14, 10),  # 5 batches of 14 are a pass, so an epoch is two
        (20, 8, 10),
        (5, 5, 10),
        (1, 1, 10),
    ],
)
def test_by_hand(frames, batch_size, steps_per_epoch):
    length = training_length(settings(), frames)
    assert (length.batch_size, length.steps_per_epoch, length.epochs) == (batch_size, steps_per_epoch, 30)


@given(st.integers(1, 100_000), st.integers(1, 512), st.integers(1, 100), st.integers(0, 5_000))
def test_it_is_as_long_as_asked_for_and_hardly_longer(frames, batch_size, epochs, min_steps):
    asked = settings(batch_size=batch_size, epochs=epochs, min_steps=min_steps)
    length = training_length(asked, frames)
    assert length.batch_size <= min(batch_size, frames)
    assert length.passes_per_epoch >= 1
    assert length.steps >= min_steps
    shorter = length.steps_per_epoch - 1
    assert shorter * length.batch_size < frames or shorter * epochs < min_steps


def test_it_says_what_was_taken_and_why():
    small = training_length(settings(), 57).sentence(settings())
    assert "57 frames to learn from, 30 epochs of 10 steps, batches of 14 frames" in small
    assert "goes over the frames 2.5 times, so that the training has the 300 steps of min_steps" in small
    assert "batch_size 32 would be too large" in small
    large = training_length(settings(), 24_204).sentence(settings())
    assert large == "24,204 frames to learn from, 30 epochs of 757 steps, batches of 32 frames."


def test_the_published_protocol_has_its_30_epochs():
    """On the 24,204 frames of SS304 no model is trained longer than its epochs say, and in batches as they stand."""
    params = load_params().for_dataset("ss304")
    for name in (*params.train.models, *params.finetune.models):
        length = training_length(params.models[name], 24_204)
        assert length.batch_size == params.models[name].batch_size
        assert length.steps_per_epoch == -(-24_204 // length.batch_size)
    assert params.models["resnet18"].epochs == 30
