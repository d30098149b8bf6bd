"""The batches of an epoch: which frames, in which order, changed how; all of it decided by seed and epoch alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch

from weldbench.augment import CPU_GROUP, CpuAugmentation, Draws, Normalisation, augment_on_device, draw
from weldbench.config.models import Model
from weldbench.config.training import Augment
from weldbench.frames import Part

_CACHED = 1 << 20  # pixels of the batches that are prepared at once, 4 MB


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

    def batches(self, epoch: int) -> Iterator[tuple[np.ndarray, slice, np.random.Generator]]:
        """Yield each global batch (lines of the part), this process's slice of it, and the epoch's random generator."""
        rng = np.random.default_rng([self.seed, epoch])
        lines = self._shuffled(rng)
        own = slice(
            self.batch_size * self.rank // self.world,
            self.batch_size * (self.rank + 1) // self.world,
        )
        for step in range(self.steps):
            yield lines[step * self.batch_size : (step + 1) * self.batch_size], own, rng

    def shares(self, lines: np.ndarray) -> np.ndarray:
        """Return each line's share in the loss of the global batch, float32."""
        weights = self.weights[lines]
        return (weights / weights.sum()).astype(np.float32)

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

    As many small batches as fit into the cache are prepared at once, between two steps: each time, the step's weights
    have to come back into the cache. A thread that prepares them beside the steps gains nothing, for every operation
    of the step would wait for Python's lock. The inputs of a batch are overwritten some batches later.
    """
    size = part.frames.shape[-1]
    change = CpuAugmentation(augment, normalisation, size, order.seed)
    at_once = max(1, _CACHED // (order.batch_size * size**2))
    inputs = np.empty((at_once * order.batch_size, 1, size, size), np.float32)
    groups = np.arange(order.batch_size) // CPU_GROUP

    def epoch_batches(epoch: int) -> Iterator[Batch]:
        batches = order.batches(epoch)
        while following := list(islice(batches, at_once)):
            lines = np.concatenate([lines[own] for lines, own, _ in following])
            own_groups = np.concatenate(
                [groups[own] + number * (groups[-1] + 1) for number, (_, own, _) in enumerate(following)]
            )
            draws = draw(augment, (groups[-1] + 1) * len(following), following[0][2])
            changed = torch.from_numpy(change(part.frames[part.index[lines]], draws, own_groups, inputs[: len(lines)]))
            labels = torch.from_numpy(part.labels[lines])
            for number, (lines, own, _) in enumerate(following):
                share = torch.from_numpy(order.shares(lines)[own])
                mine = slice(number * len(share), (number + 1) * len(share))
                yield Batch(changed[mine], labels[mine], share)

    return epoch_batches


def device_batches(
    part: Part, order: Order, augment: Augment, normalisation: Normalisation, device: torch.device
) -> Callable[[int], Iterator[Batch]]:
    """Make the function that yields an epoch's batches on a GPU, where the uint8 frames stay for the whole training."""
    frames = torch.from_numpy(part.frames).to(device)

    def epoch_batches(epoch: int) -> Iterator[Batch]:
        for lines, own, rng in order.batches(epoch):
            draws = draw(augment, len(lines), rng)
            mine = Draws(*(getattr(draws, name)[own] for name in ("theta", "gain", "gamma", "noise", "erase")))
            where = torch.from_numpy(part.index[lines[own]]).to(device, non_blocking=True)
            yield Batch(
                augment_on_device(frames[where], mine, augment, normalisation),
                torch.from_numpy(part.labels[lines[own]]).to(device, non_blocking=True),
                torch.from_numpy(order.shares(lines)[own]).to(device, non_blocking=True),
            )

    return epoch_batches


def plain_batches(features: torch.Tensor, order: Order) -> Callable[[int], Iterator[Batch]]:
    """Make the function that yields an epoch's batches of ready inputs, shape (N, ...), one per line of the part."""
    device = features.device

    def epoch_batches(epoch: int) -> Iterator[Batch]:
        for lines, own, _ in order.batches(epoch):
            mine = torch.from_numpy(lines[own]).to(device)
            labels = torch.from_numpy(order.labels[lines[own]]).to(device)
            yield Batch(features[mine], labels, torch.from_numpy(order.shares(lines)[own]).to(device))

    return epoch_batches
