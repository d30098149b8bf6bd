"""The batches of an epoch: which frames, in which order, changed how; all of it decided by seed and epoch alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from weldbench.config.models import Model
from weldbench.config.training import Augment
from weldbench.data.dataset import SplitFrames
from weldbench.data.normalization import Normalization
from weldbench.runtime.seeding import Stream, generator
from weldbench.training.augment import augment_on_device, sample_params
from weldbench.training.fourier_mix import mix_amplitudes

_AT_ONCE = 1 << 26  # pixels of the batches that are prepared at once: 256 MB


class Batch(NamedTuple):
    """What one process learns from in one step.

    Attributes:
        inputs: Shape (B, ...), float32.
        labels: int64, shape (B,).
        shares: Share of each frame in the loss; over the global batch they sum to 1. float32, shape (B,).
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    shares: torch.Tensor


@dataclass(frozen=True)
class BatchSampler:
    """Who is in which batch.

    Attributes:
        settings: Of the model: `batch_size` and `sampler`.
        labels: Class of each line of the split, shape (N,).
        weights: Weight of each line in the loss, shape (N,).
        seed: Of the training.
        rank: Number of this process.
        world: Number of processes, which share each batch.
    """

    settings: Model
    labels: NDArray[np.int64]
    weights: NDArray[np.float32]
    seed: int
    rank: int = 0
    world: int = 1

    @property
    def batch_size(self) -> int:
        """Frames per step, over all processes."""
        return min(self.settings.batch_size, len(self.labels))

    @property
    def steps(self) -> int:
        """Whole batches per epoch; what remains of a shuffled split waits for the next shuffle."""
        return len(self.labels) // self.batch_size

    @property
    def own(self) -> slice:
        """This process's frames of every batch."""
        return slice(self.batch_size * self.rank // self.world, self.batch_size * (self.rank + 1) // self.world)

    def batches(self, epoch: int) -> Iterator[tuple[NDArray[np.int64], np.random.Generator]]:
        """Yield each global batch (lines of the split) and the epoch's random generator."""
        rng = generator(Stream.BATCHES, self.seed, epoch)
        lines = self._shuffled(rng)
        for step in range(self.steps):
            yield lines[step * self.batch_size : (step + 1) * self.batch_size], rng

    def shares(self, lines: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return each line's share in the loss of its global batch, float32; lines of shape (..., B)."""
        weights = self.weights[lines]
        shares: NDArray[np.float32] = (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)
        return shares

    def _shuffled(self, rng: np.random.Generator) -> NDArray[np.int64]:
        count = len(self.labels)
        if self.settings.sampler == "shuffle":
            return rng.permutation(count)
        per_class = np.bincount(self.labels)
        chance = 1.0 / per_class[self.labels]
        return rng.choice(count, size=count, p=chance / chance.sum())


def cpu_batches(
    split: SplitFrames, sampler: BatchSampler, augment: Augment, normalization: Normalization
) -> Callable[[int], Iterator[Batch]]:
    """Make the function that yields an epoch's batches on the CPU.

    Many small batches are prepared at once, between two steps: each time, the step's weights have to come back into
    the cache. The inputs of a batch are overwritten some batches later.
    """
    # A machine that trains on its GPU has no need of numba.
    from weldbench.training.augment_cpu import CPU_GROUP, CpuAugmentation

    size, own = split.frames.shape[-1], sampler.own
    change = CpuAugmentation(split.frames, augment, normalization, sampler.seed)
    # Whole groups, so that processes that share the frames of a group change them alike. A last group that is not full
    # takes some frames twice.
    first, last, every = own.start // CPU_GROUP, -(-own.stop // CPU_GROUP), -(-sampler.batch_size // CPU_GROUP)
    taken = np.arange(first * CPU_GROUP, last * CPU_GROUP) % sampler.batch_size
    mine = slice(own.start - first * CPU_GROUP, own.stop - first * CPU_GROUP)
    at_once = max(1, _AT_ONCE // (sampler.batch_size * size**2))
    inputs = np.empty((at_once, last - first, CPU_GROUP, size, size), np.float32)

    def epoch_batches(epoch: int) -> Iterator[Batch]:
        batches = sampler.batches(epoch)
        while following := list(islice(batches, at_once)):
            lines, rng = np.stack([lines for lines, _ in following]), following[0][1]
            groups = (np.arange(len(lines))[:, None] * every + np.arange(first, last)).ravel()
            params = sample_params(augment, len(lines) * every, rng, CPU_GROUP).only(groups)
            which = split.index[lines[:, taken]].reshape(len(groups), CPU_GROUP)
            change(which, params, inputs[: len(lines)].reshape(*which.shape, size, size))
            changed = torch.from_numpy(inputs.reshape(at_once, -1, 1, size, size))[:, mine]
            labels = torch.from_numpy(split.labels[lines[:, own]])
            shares = torch.from_numpy(sampler.shares(lines)[:, own])
            for number in range(len(lines)):
                yield Batch(changed[number], labels[number], shares[number])

    return epoch_batches


def device_batches(
    split: SplitFrames, sampler: BatchSampler, augment: Augment, normalization: Normalization, device: torch.device
) -> Callable[[int], Iterator[Batch]]:
    """Make the function that yields an epoch's batches on a GPU, where the uint8 frames stay for the whole training."""
    frames, own = torch.from_numpy(split.frames).to(device), sampler.own

    def epoch_batches(epoch: int) -> Iterator[Batch]:
        for lines, rng in sampler.batches(epoch):
            mine = sample_params(augment, len(lines), rng).only(own)
            taken = frames[torch.from_numpy(split.index[lines[own]]).to(device, non_blocking=True)]
            if augment.mix_amplitudes:
                shares = torch.from_numpy(mine.share).to(device, torch.float32, non_blocking=True)
                taken = mix_amplitudes(taken[:, None], mine.others(frames), shares)[:, 0]
            yield Batch(
                augment_on_device(taken, mine, augment, normalization),
                torch.from_numpy(split.labels[lines[own]]).to(device, non_blocking=True),
                torch.from_numpy(sampler.shares(lines)[own]).to(device, non_blocking=True),
            )

    return epoch_batches


def plain_batches(features: torch.Tensor, sampler: BatchSampler) -> Callable[[int], Iterator[Batch]]:
    """Make the function that yields an epoch's batches of ready inputs, shape (N, ...), one per line of the split."""
    device, own = features.device, sampler.own

    def epoch_batches(epoch: int) -> Iterator[Batch]:
        for lines, _ in sampler.batches(epoch):
            mine = torch.from_numpy(lines[own]).to(device)
            labels = torch.from_numpy(sampler.labels[lines[own]]).to(device)
            yield Batch(features[mine], labels, torch.from_numpy(sampler.shares(lines)[own]).to(device))

    return epoch_batches
