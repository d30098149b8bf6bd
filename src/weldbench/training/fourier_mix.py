"""Looks exchanged between frames: one keeps its shapes and takes a share of the Fourier amplitudes of another.

Where a class was filmed on one bench only, the look of the bench would do to tell it. Amplitudes carry much of the
look, phases the shapes (Xu et al. 2021, A Fourier-based framework for domain generalization, CVPR).
"""

import torch


def mix_amplitudes(frames: torch.Tensor, others: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Give each frame a share of the amplitudes of another one.

    Args:
        frames: uint8, shape (..., S, S).
        others: uint8, of a shape that broadcasts to that of `frames`.
        shares: From 0, the frame as it is, to 1; shape (...) with two dimensions less, broadcast likewise.

    Returns:
        uint8, shape (..., S, S).
    """
    spectra, shares = torch.fft.rfft2(frames.float()), shares.float()[..., None, None]
    amplitudes = torch.lerp(spectra.abs(), torch.fft.rfft2(others.float()).abs(), shares)
    mixed: torch.Tensor = torch.fft.irfft2(torch.polar(amplitudes, spectra.angle()), s=frames.shape[-2:])
    return mixed.round_().clamp_(0, 255).byte()
