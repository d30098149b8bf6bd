"""Amplitudes that one frame takes from another: against hand-computed levels, and what must not change."""

import numpy as np
import pytest
import torch

from weldbench.training.fourier_mix import mix_amplitudes


def noise(seed: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


def shares(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize(("share", "level"), [(0.0, 40), (0.25, 60), (0.5, 80), (1.0, 120)])
def test_a_flat_frame_has_one_amplitude_its_mean(share, level):
    dark, bright = torch.full((1, 8, 8), 40, dtype=torch.uint8), torch.full((1, 8, 8), 120, dtype=torch.uint8)
    assert (mix_amplitudes(dark, bright, shares(share)) == level).all()


def test_contrast_is_taken_over_and_place_is_kept():
    across = 2 * np.pi * np.arange(16) / 16
    weak, strong = (
        torch.from_numpy(np.tile(np.rint(128 + waves), (1, 16, 1)).astype(np.uint8))
        for waves in (20 * np.sin(across), 60 * np.cos(across))
    )
    mixed = mix_amplitudes(weak, strong, shares(0.5))
    np.testing.assert_allclose(mixed[0, 3], 128 + 40 * np.sin(across), atol=1.5)


@pytest.mark.parametrize("side", [7, 16])
def test_without_a_share_and_with_itself_a_frame_stays_as_it_is(side):
    frames = noise(0, 3, side, side)
    assert torch.equal(mix_amplitudes(frames, noise(1, 3, side, side), shares(0, 0, 0)), frames)
    assert torch.equal(mix_amplitudes(frames, frames, shares(0.3, 0.7, 1)), frames)


def test_a_group_may_take_from_one_and_the_same():
    frames, others, some = noise(2, 2, 5, 12, 12), noise(3, 2, 12, 12), shares(0.4, 0.9)
    together = mix_amplitudes(frames, others[:, None], some[:, None])
    assert together.dtype == torch.uint8
    for group in range(2):
        for frame in range(5):
            alone = mix_amplitudes(frames[group, frame], others[group], some[group])
            assert torch.equal(together[group, frame], alone)
