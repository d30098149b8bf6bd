import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from weldbench.config.training import Augment
from weldbench.data.normalization import Normalization, normalize
from weldbench.training.augment import AugmentParams, augment_on_device, sample_params
from weldbench.training.augment_cpu import CPU_GROUP, CpuAugmentation

PLAIN = Normalization(0.0, 1.0)
OFF = Augment(flip=False, rotation_degrees=0, scale=0, shift=0, gain=0, gamma=0, noise=0, erase_timestamp=False)
IDENTITY = AugmentParams(
    theta=np.array([[[1, 0, 0], [0, 1, 0]]], np.float32),
    gain=np.ones(1),
    gamma=np.ones(1),
    noise=np.zeros(1),
    erase=np.zeros(1, bool),
    other=np.zeros((1, 1)),
    share=np.zeros((1, 1)),
)


def on_cpu(frames, params, augment=OFF, normalization=PLAIN):
    result = np.empty((1, *frames.shape), np.float32)
    change = CpuAugmentation(frames, augment, normalization, seed=0)
    change(np.arange(len(frames))[None], params, result)
    return result.swapaxes(0, 1)


def on_device(frames, params, augment=OFF, normalization=PLAIN):
    repeated = AugmentParams(*(np.repeat(value, len(frames), 0) for value in vars(params).values()))
    given = torch.from_numpy(frames.copy())
    return augment_on_device(given, repeated, augment, normalization, others=given).numpy()


BOTH = pytest.mark.parametrize("change", [on_cpu, on_device])


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 256, (3, 20, 20), dtype=np.uint8)


@BOTH
def test_everything_switched_off_only_normalizes(change, frames):
    normalization = Normalization(0.3, 0.25)
    params = sample_params(OFF, 1, np.random.default_rng(0))
    changed = change(frames, params, OFF, normalization)
    assert changed.dtype == np.float32
    np.testing.assert_allclose(changed[:, 0], (frames / 255 - 0.3) / 0.25, atol=1e-5)
    np.testing.assert_allclose(changed, normalize(torch.from_numpy(frames), normalization), atol=1e-5)


@BOTH
def test_a_mirrored_frame_is_flipped_left_to_right(change, frames):
    mirror = replace(IDENTITY, theta=np.array([[[-1, 0, 0], [0, 1, 0]]], np.float32))
    np.testing.assert_allclose(change(frames, mirror)[:, 0], frames[:, :, ::-1] / 255, atol=1e-5)


@BOTH
def test_a_shift_of_a_tenth_moves_two_of_twenty_pixels_and_repeats_the_border(change, frames):
    shift = replace(IDENTITY, theta=np.array([[[1, 0, 0.2], [0, 1, 0]]], np.float32))
    moved = change(frames, shift)[:, 0]
    np.testing.assert_allclose(moved[:, :, :-2], frames[:, :, 2:] / 255, atol=1e-4)
    np.testing.assert_allclose(moved[:, :, -1], frames[:, :, -1] / 255, atol=1e-4)


@BOTH
def test_exposure_is_a_power_times_a_gain_below_white(change):
    frames = np.full((1, 8, 8), 128, np.uint8)
    frames[0, 0] = 250
    changed = change(frames, replace(IDENTITY, gamma=np.array([1.1]), gain=np.array([1.2])))[0, 0]
    assert changed[4, 4] == pytest.approx((128 / 255) ** 1.1 * 1.2, abs=1 / 255)
    assert changed[0, 0] == pytest.approx(1.0)


@BOTH
def test_the_corner_of_the_time_stamp_is_blanked(change):
    frames = np.full((1, 50, 50), 200, np.uint8)
    erased = change(frames, replace(IDENTITY, erase=np.ones(1, bool)))[0, 0] == 0
    assert erased[:4, :12].all()
    assert erased.sum() == 4 * 12


@BOTH
def test_noise_has_the_deviation_of_the_setting(change):
    torch.manual_seed(0)
    frames = np.full((4, 64, 64), 100, np.uint8)
    noise = change(frames, IDENTITY, OFF.model_copy(update={"noise": 0.05})) - 100 / 255
    assert noise.std() == pytest.approx(0.05, rel=0.05)
    assert abs(noise.mean()) < 0.002


def test_draws_keep_to_their_ranges_and_use_them():
    augment = Augment(rotation_degrees=5, scale=0.1, shift=0.06, gain=0.2, gamma=0.3)
    params = sample_params(augment, 4000, np.random.default_rng(0))
    angle = np.rad2deg(np.arctan2(-params.theta[:, 0, 1], params.theta[:, 1, 1]))
    zoom = 1 / np.hypot(params.theta[:, 0, 1], params.theta[:, 1, 1])
    for values, middle, spread in [
        (angle, 0, 5),
        (zoom, 1, 0.1),
        (params.theta[:, 0, 2], 0, 0.12),
        (params.gain, 1, 0.2),
        (params.gamma, 1, 0.3),
    ]:
        assert np.abs(values - middle).max() <= spread * 1.001
        assert np.ptp(values) > 1.9 * spread
    assert (params.theta[:, 0, 0] < 0).mean() == pytest.approx(0.5, abs=0.05)
    assert params.erase.mean() == pytest.approx(0.5, abs=0.05)


def test_cpu_and_device_agree_on_a_rotation():
    across = np.linspace(0, 1, 64)
    smooth = (127 + 60 * np.sin(4 * across)[:, None] + 60 * np.cos(3 * across)[None, :]).astype(np.uint8)[None]
    params = sample_params(Augment(gain=0.1, noise=0, erase_timestamp=False), 1, np.random.default_rng(3))
    assert np.abs(on_cpu(smooth, params) - on_device(smooth, params)).max() < 0.03


def test_the_number_of_threads_changes_no_bit_of_what_a_cpu_makes():
    frames = np.random.default_rng(1).integers(0, 256, (40, 33, 33), dtype=np.uint8)
    which, params = np.arange(40).reshape(5, 8), sample_params(Augment(), 5, np.random.default_rng(2), CPU_GROUP)
    before, made = torch.get_num_threads(), []
    for threads in (1, 2):
        made.append(np.empty((5, 8, 33, 33), np.float32))
        torch.set_num_threads(threads)
        CpuAugmentation(frames, Augment(), PLAIN, seed=0)(which, params, made[-1])
    torch.set_num_threads(before)
    assert made[0].tobytes() == made[1].tobytes()
    assert len(np.unique(made[0])) > 10_000


WITHOUT_A_PLACE = """
import numba.core.caching
numba.core.caching.CacheImpl._locator_classes = []
import weldbench.training.augment_cpu
print(type(weldbench.training.augment_cpu._look_up).__name__)
"""


def test_where_nothing_can_be_kept_the_pass_is_compiled_all_the_same():
    done = subprocess.run([sys.executable, "-c", WITHOUT_A_PLACE], capture_output=True, text=True)
    assert done.stdout == "CPUDispatcher\n", done.stderr
