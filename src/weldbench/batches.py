"""The batches of an epoch: which frames, in which order, changed how; all of it decided by seed and epoch alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch

from weldbench.amplitudes import mix_amplitudes
from weldbench.augment import Normalisation, augment_on_device, draw
from weldbench.config.models import Model
from weldbench.config.training import Augment
from weldbench.frames import Part

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
class Order:
    """Who is in which batch.

    Attributes:
        settings: Of the model: `batch_size` and `sampler`.
        labels: Class of each line of the part, shape (N,).
        weights: Weight of each line in the loss, shape (N,).
        seed: Of the training.
        rank: Number of this process.
        world: Number of processes, which share each batch.
    """

    settings: Model
    labels: np.ndarray
    weights: np.ndarray
    seed: int
    rank: int = 0
    world: int = 1

    @property
    def batch_size(self) -> int:
        """Frames per step, over all processes."""
        return min(self.settings.batch_size, len(self.labels))

    @property
    def steps(self) -> int:
        """Whole batches per epoch; what remains of a shuffled part waits for the next shuffle."""
        return len(self.labels) // self.batch_size

    @property
    def own(self) -> slice:
        """This process's frames of every batch."""
        return slice(self.batch_size * self.rank // self.world, self.batch_size * (self.rank + 1) // self.world)

    def batches(self, epoch: int) -> Iterator[tuple[np.ndarray, np.random.Generator]]:
        """Yield each global batch (lines of the part) and the epoch's random generator."""
        rng = np.random.default_rng([self.seed, epoch])
        lines = self._shuffled(rng)
        for step in range(self.steps):
            yield lines[step * self.batch_size : (step + 1) * self.batch_size], rng

    def shares(self, lines: np.ndarray) -> np.ndarray:
        """Return each line's share in the loss of its global batch, float32; lines of shape (..., B)."""
        weights = self.weights[lines]
        return (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)

    def _shuffled(self, rng: np.random.Generator) -> np.ndarray:
        count = len(self.labels)
        if self.settings.sampler == "shuffle":
            return rng.permutation(count)
        per_class = np.bincount(self.labels)
        chance = 1.0 / per_class[self.labels]
        return rng.choice(count, size=count, p=chance / chance.sum())


def cpu_batches(
    part: Part, order: Order, augment: Augment, normalisation: Normalisation
) -> Callable[[int], Iterator[Batch]]:
    """Make the function that yields an epoch's batches on the CPU.

    Many small batches are prepared at once, between two steps: each time, the step's weights have to come back into
    the cache. The inputs of a batch are overwritten some batches later.
    """
    # A machine that trains on its GPU has no need of numba.
    from weldbench.augment_cpu import CPU_GROUP, CpuAugmentation

    size, own = part.frames.shape[-1], order.own
    change = CpuAugmentation(part.frames, augment, normalisation, order.seed)
    # Whole groups, so that processes that share the frames of a group change them alike. A last group that is not full
    # takes some frames twice.
    first, last, every = own.start // CPU_GROUP, -(-own.stop // CPU_GROUP), -(-order.batch_size // CPU_GROUP)
    taken = np.arange(first * CPU_GROUP, last * CPU_GROUP) % order.batch_size
    mine = slice(own.start - first * CPU_GROUP, own.stop - first * CPU_GROUP)
    at_once = max(1, _AT_ONCE // (order.batch_size * size**2))
    inputs = np.empty((at_once, last - first, CPU_GROUP, size, size), np.float32)

    def epoch_batches(epoch: int) -> Iterator[Batch]:
        batches = order.batches(epoch)
        while following := list(islice(batches, at_once)):
            lines, rng = np.stack([lines for lines, _ in following]), following[0][1]
            groups = (np.arange(len(lines))[:, None] * every + np.arange(first, last)).ravel()
            draws = draw(augment, len(lines) * every, rng, CPU_GROUP).only(groups)
            which = part.index[lines[:, taken]].reshape(len(groups), CPU_GROUP)
            change(which, draws, inputs[: len(lines)].reshape(*which.shape, size, size))
            changed = torch.from_numpy(inputs.reshape(at_once, -1, 1, size, size))[:, mine]
            labels = torch.from_numpy(part.labels[lines[:, own]])
            shares = torch.from_numpy(order.shares(lines)[:, own])
            for number in range(len(lines)):
                yield Batch(changed[number], labels[number], shares[number])

    return epoch_batches


def device_batches(
    part: Part, order: Order, augment: Augment, normalisation: Normalisation, device: torch.device
) -> Callable[[int], Iterator[Batch]]:
    """Make the function that yields an epoch's batches on a GPU, where the uint8 frames stay for the whole training."""
    frames, own = torch.from_numpy(part.frames).to(device), order.own

    def epoch_batches(epoch: int) -> Iterator[Batch]:
        for lines, rng in order.batches(epoch):
            mine = draw(augment, len(lines), rng).only(own)
            taken = frames[torch.from_numpy(part.index[lines[own]]).to(device, non_blocking=True)]
            if augment.mix_amplitudes:
                shares = torch.from_numpy(mine.share).to(device, torch.float32, non_blocking=True)
                taken = mix_amplitudes(taken[:, None], mine.others(frames), shares)[:, 0]
            yield Batch(
                augment_on_device(taken, mine, augment, normalisation),
                torch.from_numpy(part.labels[lines[own]]).to(device, non_blocking=True),
                torch.from_numpy(order.shares(lines)[own]).to(device, non_blocking=True),
            )

    return epoch_batches


def plain_batches(features: torch.Tensor, order: Order) -> Callable[[int], Iterator[Batch]]:
    """Make the function that yields an epoch's batches of ready inputs, shape (N, ...), one per line of the part."""
    device, own = features.device, order.own

    def epoch_batches(epoch: int) -> Iterator[Batch]:
        for lines, _ in order.batches(epoch):
            mine = torch.from_numpy(lines[own]).to(device)
            labels = torch.from_numpy(order.labels[lines[own]]).to(device)
            yield Batch(features[mine], labels, torch.from_numpy(order.shares(lines)[own]).to(device))

    return epoch_batches
