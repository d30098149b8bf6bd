"""Random changes of training frames: what chance decides, and how a GPU carries it out; `augment_cpu` does on a CPU."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from weldbench.config.training import Augment
from weldbench.data.normalization import Normalization
from weldbench.training.fourier_mix import mix_amplitudes

# The box of the time stamp, seen in frames of 1280 x 700: up to 7 % of the height and 21 % of the width.
STAMP_HEIGHT, STAMP_WIDTH = 0.08, 0.24


@dataclass(frozen=True)
class AugmentParams:
    """What chance decided for the G groups of a batch.

    Attributes:
        theta: Output to source coordinates, both in [-1, 1], float32, shape (G, 2, 3), as for `affine_grid`.
        gain: Factor of the exposure, shape (G,).
        gamma: Exponent of the pixel values, shape (G,).
        noise: Where in the table of noise a group begins, in parts of its length, shape (G,).
        erase: Whether the corner of the time stamp is blanked, bool, shape (G,).
        other: Whose amplitudes each frame takes, in parts of the number of all frames, shape (G, K).
        share: How much of them, shape (G, K).
    """

    theta: np.ndarray
    gain: np.ndarray
    gamma: np.ndarray
    noise: np.ndarray
    erase: np.ndarray
    other: np.ndarray
    share: np.ndarray

    def only(self, groups: slice | np.ndarray) -> "AugmentParams":
        """Return what was decided for some of the groups, by their numbers, int64 of shape (g,), or a slice."""
        return AugmentParams(**{name: values[groups] for name, values in vars(self).items()})

    def others(self, frames: torch.Tensor) -> torch.Tensor:
        """Return the frames whose amplitudes are taken, uint8, shape (G, K, S, S)."""
        return frames[torch.from_numpy((self.other * len(frames)).astype(np.int64)).to(frames.device)]


def sample_params(augment: Augment, groups: int, rng: np.random.Generator, group_size: int = 1) -> AugmentParams:
    """Draw the changes of groups of frames: one for all frames of a group, but for the amplitudes.

    Args:
        augment: The section of params.yaml: how far each change may go.
        groups: Number of groups, G.
        rng: Of the epoch.
        group_size: Frames per group, K; each takes amplitudes of a frame of its own.
    """

    def around(middle: float, spread: float, *shape: int) -> np.ndarray:
        return rng.uniform(middle - spread, middle + spread, (groups, *shape))

    angle = np.deg2rad(around(0.0, augment.rotation_degrees))
    scale = around(1.0, augment.scale)
    mirror = np.where(rng.random(groups) < 0.5 * augment.flip, -1.0, 1.0)
    # A shift by a share of the side is twice that in coordinates from -1 to 1.
    shift = around(0.0, 2.0 * augment.shift, 2)
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    # Rows (x, y) of a 2 x 3 matrix: rotation, scale and mirror in the left two columns, the shift in the last.
    theta = np.stack([cos * mirror, -sin, shift[:, 0], sin * mirror, cos, shift[:, 1]], axis=1)
    mixing = np.zeros((2, groups, group_size))
    if augment.mix_amplitudes:  # drawn only where it counts, so that a training without it stays what it was
        mixing = rng.random(mixing.shape)
    return AugmentParams(
        theta=theta.reshape(groups, 2, 3).astype(np.float32),
        gain=around(1.0, augment.gain),
        gamma=around(1.0, augment.gamma),
        noise=rng.random(groups),
        erase=rng.random(groups) < 0.5 * augment.erase_timestamp,
        other=mixing[0],
        share=mixing[1] * augment.mix_amplitudes,
    )


def augment_on_device(
    frames: torch.Tensor, params: AugmentParams, augment: Augment, normalization: Normalization, others: torch.Tensor
) -> torch.Tensor:
    """Change and normalize frames where they are, each by its own draw, bilinearly.

    Args:
        frames: uint8, shape (B, S, S).
        params: One group per frame.
        augment: The section of params.yaml; its noise is drawn from torch's own generator.
        normalization: Of the network.
        others: Frames whose amplitudes may be taken, uint8, shape (N, S, S).

    Returns:
        float32, shape (B, 1, S, S).
    """
    if augment.mix_amplitudes:
        # Each frame is a group of one: (B, 1, S, S) frames and others, (B, 1) shares -> (B, S, S).
        shares = torch.from_numpy(params.share).to(frames.device, torch.float32, non_blocking=True)
        frames = mix_amplitudes(frames[:, None], params.others(others), shares)[:, 0]

    def per_frame(values: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(frames.device, non_blocking=True).view(-1, 1, 1, 1)

    size = frames.shape[-1]
    images = frames.unsqueeze(1).float() / 255.0
    corner = images[:, :, : round(STAMP_HEIGHT * size), : round(STAMP_WIDTH * size)]
    corner *= per_frame(~params.erase)
    theta = torch.from_numpy(params.theta).to(frames.device, non_blocking=True)
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    images = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    images = (images.pow(per_frame(params.gamma)) * per_frame(params.gain)).clamp_(max=1.0)
    images += torch.randn_like(images) * augment.noise
    return (images - normalization.mean) / normalization.std
