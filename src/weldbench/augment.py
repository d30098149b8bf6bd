"""Random changes of training frames: batched, seeded, and cheap beside a training step.

On a GPU every frame gets a transform of its own through `grid_sample`. That would cost a CPU more than the step of a
small network, so there eight frames that stand together in a shuffled batch share one transform, which is nothing but
lookups: the geometry in the source pixels, the exposure in a table of 256 values, the noise in a random stretch of a
table. Amplitudes, where they are mixed, are those of a frame of its own for each.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from weldbench.amplitudes import mix_amplitudes
from weldbench.config.training import Augment

CPU_GROUP = 8
# The box of the time stamp, seen in frames of 1280 x 700: up to 7 % of the height and 21 % of the width.
STAMP_HEIGHT, STAMP_WIDTH = 0.08, 0.24
_NOISE_TABLE = 1 << 17  # values; small enough for a core's cache
_AT_ONCE = 1 << 19  # pixels that are looked up at once: their places, of 8 bytes each, stay in the caches
_LEVELS = np.arange(256) / 255.0


@dataclass(frozen=True)
class Normalisation:
    """Mean and deviation of pixel values in parts of the white level; a network sees (value / 255 - mean) / std."""

    mean: float
    std: float


@dataclass(frozen=True)
class Draws:
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

    def only(self, groups: slice | np.ndarray) -> "Draws":
        """Return what was decided for some of the groups."""
        return Draws(**{name: values[groups] for name, values in vars(self).items()})

    def others(self, frames: torch.Tensor) -> torch.Tensor:
        """Return the frames whose amplitudes are taken, uint8, shape (G, K, S, S)."""
        return frames[torch.from_numpy((self.other * len(frames)).astype(np.int64)).to(frames.device)]


def draw(augment: Augment, groups: int, rng: np.random.Generator, group_size: int = 1) -> Draws:
    """Draw the changes of groups of frames: one for all frames of a group, but for the amplitudes."""

    def around(middle: float, spread: float, *shape: int) -> np.ndarray:
        return rng.uniform(middle - spread, middle + spread, (groups, *shape))

    angle = np.deg2rad(around(0.0, augment.rotation_degrees))
    scale = around(1.0, augment.scale)
    mirror = np.where(rng.random(groups) < 0.5 * augment.flip, -1.0, 1.0)
    # A shift by a share of the side is twice that in coordinates from -1 to 1.
    shift = around(0.0, 2.0 * augment.shift, 2)
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    theta = np.stack([cos * mirror, -sin, shift[:, 0], sin * mirror, cos, shift[:, 1]], axis=1)
    mixing = np.zeros((2, groups, group_size))
    if augment.mix_amplitudes:  # drawn only where it counts, so that a training without it stays what it was
        mixing = rng.random(mixing.shape)
    return Draws(
        theta=theta.reshape(groups, 2, 3).astype(np.float32),
        gain=around(1.0, augment.gain),
        gamma=around(1.0, augment.gamma),
        noise=rng.random(groups),
        erase=rng.random(groups) < 0.5 * augment.erase_timestamp,
        other=mixing[0],
        share=mixing[1] * augment.mix_amplitudes,
    )


class CpuAugmentation:
    """Changes some of many frames on the CPU."""

    def __init__(self, frames: torch.Tensor, augment: Augment, normalisation: Normalisation, seed: int):
        """Take all frames, uint8 of shape (N, S, S), and what seeds the noise."""
        self._frames, self._size, self._normalisation = frames, frames.shape[-1], normalisation
        self._mixes = augment.mix_amplitudes > 0
        pixels = CPU_GROUP * self._size**2
        length = max(_NOISE_TABLE, 2 * pixels)
        noise = np.random.default_rng(seed).standard_normal(length, np.float32)
        self._noise = noise * np.float32(augment.noise / normalisation.std)
        self._axis = ((2.0 * torch.arange(self._size) + 1.0) / self._size - 1.0).float()
        # Memory that stays: to get it afresh for each lookup would take a tenth of the time.
        groups, side = max(1, _AT_ONCE // pixels), (self._size, self._size)
        self._places = torch.empty(groups, 2, *side)
        self._place = torch.empty(groups, *side)
        self._source = torch.empty(groups, *side, dtype=torch.int64)
        self._frames_before = torch.empty(groups * CPU_GROUP, *side, dtype=torch.uint8)
        self._moved = torch.empty(groups, CPU_GROUP, self._size**2, dtype=torch.uint8)
        self._levels = torch.empty(groups, pixels, dtype=torch.int64)

    def __call__(self, which: np.ndarray, draws: Draws, result: np.ndarray) -> None:
        """Change and normalise groups of frames.

        Args:
            which: Frames of each group by number, int64, shape (G, K) with K at most CPU_GROUP.
            draws: What chance decided for the G groups.
            result: Filled with the changed frames; float32, shape (G, K, S, S). Fresh memory for every batch would
                cost a small network more than all changes.
        """
        height, width = round(STAMP_HEIGHT * self._size), round(STAMP_WIDTH * self._size)
        numbers, changed = torch.from_numpy(which), result.reshape(len(result), -1)
        theta = torch.from_numpy(draws.theta)
        starts = (draws.noise * (len(self._noise) - changed.shape[1])).astype(int).tolist()
        for first in range(0, len(numbers), len(self._levels)):
            some = slice(first, first + len(self._levels))
            frames, mine = self._taken(numbers[some]), draws.only(some)
            if self._mixes:
                frames = mix_amplitudes(frames, mine.others(self._frames), torch.from_numpy(mine.share))
            frames.numpy()[mine.erase, :, :height, :width] = 0
            moved = self._moved_by(theta[some], frames.flatten(2))
            levels = self._levels[: len(moved), : moved.shape[1]].copy_(moved)  # indices have to be int64
            exposures = torch.from_numpy(self._exposures(mine))
            torch.gather(exposures, 1, levels, out=torch.from_numpy(changed[some]))
            for start, group in zip(starts[some], changed[some], strict=True):
                group += self._noise[start : start + group.size]

    def _taken(self, numbers: torch.Tensor) -> torch.Tensor:
        """Return frames by number, of shape (G, K); uint8, shape (G, K, S, S)."""
        # Whole lines are copied; indexing by `numbers` itself would copy pixel by pixel.
        taken = torch.index_select(self._frames, 0, numbers.flatten(), out=self._frames_before[: numbers.numel()])
        return taken.view(*numbers.shape, *taken.shape[1:])

    def _moved_by(self, theta: torch.Tensor, flat: torch.Tensor) -> torch.Tensor:
        """Return groups of flat frames, uint8 of shape (G, K, S * S), after their transforms, shape (G, K * S * S)."""
        source = self._source_pixels(theta)[:, None].expand_as(flat)
        return torch.gather(flat, 2, source, out=self._moved[: len(flat), : flat.shape[1]]).flatten(1)

    def _exposures(self, draws: Draws) -> np.ndarray:
        """Return what the network sees of each of the 256 levels, float32, shape (G, 256)."""
        exposed = np.minimum(_LEVELS ** draws.gamma[:, None] * draws.gain[:, None], 1.0)
        return ((exposed - self._normalisation.mean) / self._normalisation.std).astype(np.float32)

    def _source_pixels(self, theta: torch.Tensor) -> torch.Tensor:
        """Return the nearest source pixel, row * S + column, of every output pixel, int64, shape (G, S * S).

        Beyond the border it is the border's.
        """
        # From -1 ... 1 to 0 ... S, where truncation is the nearest pixel, as pixel i covers i ... i + 1.
        a, b, c = (theta * (0.5 * self._size)).movedim(2, 0).unsqueeze(3)
        across, down = a * self._axis, b * self._axis + (c + 0.5 * self._size)
        places = torch.add(across.unsqueeze(2), down.unsqueeze(3), out=self._places[: len(theta)])
        places.clamp_(0, self._size - 1).floor_()
        place = torch.add(places[:, 0], places[:, 1], alpha=self._size, out=self._place[: len(theta)])
        return self._source[: len(theta)].copy_(place).flatten(1)


def augment_on_device(
    frames: torch.Tensor, draws: Draws, augment: Augment, normalisation: Normalisation
) -> torch.Tensor:
    """Change and normalise frames where they are, each by its own draw, bilinearly.

    Args:
        frames: uint8, shape (B, S, S).
        draws: One group per frame.
        augment: The section of params.yaml; its noise is drawn from torch's own generator.
        normalisation: Of the network.

    Returns:
        float32, shape (B, 1, S, S).
    """

    def per_frame(values: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(frames.device, non_blocking=True).view(-1, 1, 1, 1)

    size = frames.shape[-1]
    images = frames.unsqueeze(1).float() / 255.0
    corner = images[:, :, : round(STAMP_HEIGHT * size), : round(STAMP_WIDTH * size)]
    corner *= per_frame(~draws.erase)
    theta = torch.from_numpy(draws.theta).to(frames.device, non_blocking=True)
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    images = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    images = (images.pow(per_frame(draws.gamma)) * per_frame(draws.gain)).clamp_(max=1.0)
    images += torch.randn_like(images) * augment.noise
    return (images - normalisation.mean) / normalisation.std


def normalise(frames: torch.Tensor, normalisation: Normalisation) -> torch.Tensor:
    """Turn frames, uint8 of shape (B, S, S), into what a network takes: float32, shape (B, 1, S, S)."""
    return frames.unsqueeze(1).float().div_(255.0).sub_(normalisation.mean).div_(normalisation.std)
