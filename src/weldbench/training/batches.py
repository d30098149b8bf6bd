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
from weldbench.data.normalization import Normalization
from weldbench.data.split import SplitFrames
from weldbench.runtime.seeding import Stream, generator
from weldbench.training.augment import augment_on_device, sample_params
from weldbench.training.length import Length, training_length

_AT_ONCE = 1 << 26  # pixels of the batches that are prepared at once: 256 MB


class Batch(NamedTuple):
    """What one process learns from in one step.

    Attributes:
        inputs: float32, shape (b, ...): (b, 1, S, S) where the network takes frames.
        labels: int64, shape (b,).
        shares: Share of each frame in the loss; over the global batch they sum to 1. float32, shape (b,).
    """

    inputs: torch.Tensor
    labels: torch.Tensor
    shares: torch.Tensor


@dataclass(frozen=True)
class BatchSampler:
    """Who is in which batch.

    The lines form one endless stream: all of them in a random order, then all of them in another one, and so on. It is
    cut into batches of equal size and into epochs of equal length, so that no line is left out, whatever the numbers.

    Attributes:
        settings: Of the model: `batch_size`, `sampler`, and the length of the training.
        labels: Class of each line of the split, int64, shape (N,).
        weights: Weight of each line in the loss, float, shape (N,).
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
    def length(self) -> Length:
        """How long the training is."""
        return training_length(self.settings, len(self.labels))

    @property
    def batch_size(self) -> int:
        """Frames per step, over all processes."""
        return self.length.batch_size

    @property
    def steps(self) -> int:
        """Batches per epoch."""
        return self.length.steps_per_epoch

    @property
    def own(self) -> slice:
        """This process's frames of every batch."""
        return slice(self.batch_size * self.rank // self.world, self.batch_size * (self.rank + 1) // self.world)

    def batches(self, epoch: int) -> Iterator[tuple[NDArray[np.int64], np.random.Generator]]:
        """Yield each global batch (lines of the split, int64, shape (B,)) and the epoch's random generator."""
        rng = generator(Stream.BATCHES, self.seed, epoch)
        lines, start = self._stream_of(epoch)
        for step in range(self.steps):
            yield lines[start + step * self.batch_size : start + (step + 1) * self.batch_size], rng

    def shares(self, lines: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return each line's share in the loss of its global batch, float32; lines of shape (..., B)."""
        weights = self.weights[lines]
        shares: NDArray[np.float32] = (weights / weights.sum(axis=-1, keepdims=True)).astype(np.float32)
        return shares

    def _stream_of(self, epoch: int) -> tuple[NDArray[np.int64], int]:
        """Return the passes over the lines that an epoch lies in, end to end, and where in them it begins."""
        frames = self.steps * self.batch_size
        first_pass, start = divmod(epoch * frames, len(self.labels))
        passes = -(-(start + frames) // len(self.labels))
        return np.concatenate([self._shuffled(first_pass + number) for number in range(passes)]), start

    def _shuffled(self, number: int) -> NDArray[np.int64]:
        """Return the lines in the order of a pass, by its number; the same in whichever epoch it is asked for."""
        rng, count = generator(Stream.SHUFFLE, self.seed, number, 1), len(self.labels)
        if self.settings.sampler == "shuffle":
            return rng.permutation(count)
        # Each class is drawn equally often, and within a class each line.
        per_class = np.bincount(self.labels)  # (classes,)
        chance = 1.0 / per_class[self.labels]  # (N,)
        return rng.choice(count, size=count, p=chance / chance.sum())


def cpu_batches(
    split: SplitFrames, sampler: BatchSampler, augment: Augment, normalization: Normalization
) -> Callable[[int], Iterator[Batch]]:
    """Make the function that yields an epoch's batches on the CPU.

    Many small batches are prepared at once, between two steps: each time, the step's weights have to come back into
    the cache. The inputs of a batch are overwritten some batches later.

    Args:
        split: Frames, uint8, shape (U, S, S), and the N lines that refer to them.
        sampler: Which lines are in which batch.
        augment: The section of params.yaml.
        normalization: Of the network.
    """
    # A machine that trains on its GPU has no need of numba.
    from weldbench.training.augment_cpu import CPU_GROUP, CpuAugmentation

    # In the shapes below: M batches prepared at once, each of B frames over all processes, in P groups of K = CPU_GROUP
    # frames; this process has b of the frames, and G groups to change for them.
    size, own = split.frames.shape[-1], sampler.own
    change = CpuAugmentation(split.frames, augment, normalization, sampler.seed)
    # Frames own.start to own.stop of a batch lie in the groups first_group to end_group. Those are changed whole, so
    # that processes that share the frames of a group change them alike; what is for others is thrown away.
    first_group, end_group = own.start // CPU_GROUP, -(-own.stop // CPU_GROUP)
    groups_per_batch = -(-sampler.batch_size // CPU_GROUP)  # P
    # (G * K,): positions in the batch of the frames of these groups; a last group that is not full takes the first
    # frames of the batch once more, which are thrown away too.
    positions = np.arange(first_group * CPU_GROUP, end_group * CPU_GROUP) % sampler.batch_size
    # Of those G * K frames, the b that this process learns from.
    kept = slice(own.start - first_group * CPU_GROUP, own.stop - first_group * CPU_GROUP)
    at_once = max(1, _AT_ONCE // (sampler.batch_size * size**2))  # M
    # (M, G, K, S, S): written again and again, as fresh memory would cost more than all changes.
    inputs = np.empty((at_once, end_group - first_group, CPU_GROUP, size, size), np.float32)

    def epoch_batches(epoch: int) -> Iterator[Batch]:
        batches = sampler.batches(epoch)
        while following := list(islice(batches, at_once)):  # fewer than M at the end of the epoch
            lines, rng = np.stack([lines for lines, _ in following]), following[0][1]  # (M, B)
            # Every process draws for all M * P groups, so that all draw the same, and takes those of its own: (M * G,).
            drawn = sample_params(augment, len(lines) * groups_per_batch, rng, CPU_GROUP)
            batch_starts = (
                np.arange(len(lines))[:, None] * groups_per_batch
            )  # (M, 1): number of each batch's first group
            groups = (batch_starts + np.arange(first_group, end_group)).ravel()  # (M, G) -> (M * G,)
            # (M, B) -> (M, G * K) lines -> frames -> (M * G, K), one row per group.
            which = split.index[lines[:, positions]].reshape(len(groups), CPU_GROUP)
            # (M, G, K, S, S) seen as (M * G, K, S, S); the reshaped array is the same memory, so this fills `inputs`.
            change(which, drawn.only(groups), inputs[: len(lines)].reshape(*which.shape, size, size))
            # (M, G * K, 1, S, S), with the channel that networks expect; of each batch the kept: (M, b, 1, S, S).
            changed = torch.from_numpy(inputs.reshape(at_once, -1, 1, size, size))[:, kept]
            labels = torch.from_numpy(split.labels[lines[:, own]])  # (M, b)
            shares = torch.from_numpy(sampler.shares(lines)[:, own])  # (M, b), each in parts of its global batch
            for number in range(len(lines)):
                yield Batch(changed[number], labels[number], shares[number])

    return epoch_batches


def device_batches(
    split: SplitFrames, sampler: BatchSampler, augment: Augment, normalization: Normalization, device: torch.device
) -> Callable[[int], Iterator[Batch]]:
    """Make the function that yields an epoch's batches on a GPU, where the uint8 frames stay for the whole training.

    Args:
        split: Frames, uint8, shape (U, S, S), and the N lines that refer to them.
        sampler: Which lines are in which batch.
        augment: The section of params.yaml.
        normalization: Of the network.
        device: Where the frames are kept and changed.
    """
    frames, own = torch.from_numpy(split.frames).to(device), sampler.own  # (U, S, S)

    def epoch_batches(epoch: int) -> Iterator[Batch]:
        for lines, rng in sampler.batches(epoch):  # (B,)
            # Every process draws for all B frames, so that all draw the same, and takes what is for its own b.
            params = sample_params(augment, len(lines), rng).only(own)
            taken = frames[torch.from_numpy(split.index[lines[own]]).to(device, non_blocking=True)]  # (b, S, S)
            yield Batch(
                augment_on_device(taken, params, augment, normalization, others=frames),  # (b, 1, S, S)
                torch.from_numpy(split.labels[lines[own]]).to(device, non_blocking=True),
                torch.from_numpy(sampler.shares(lines)[own]).to(device, non_blocking=True),
            )

    return epoch_batches
