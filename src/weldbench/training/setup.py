"""What one training consists of: the network with its starting weights, and the batches that it learns from."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from weldbench.config.models import Model
from weldbench.config.training import Hardware, Train
from weldbench.data.dataset import Dataset, read_split
from weldbench.data.normalization import Normalization, normalization_of, normalize
from weldbench.data.split import SplitFrames
from weldbench.errors import InputError
from weldbench.models.files import read_network
from weldbench.models.inference import BATCH_FRAMES, logits_of, validation_score
from weldbench.models.initialization import initial_network
from weldbench.runtime.hardware import Fabric
from weldbench.runtime.seeding import Stream, seed_torch
from weldbench.training.balance import training_list
from weldbench.training.batches import BatchSampler, cpu_batches, device_batches
from weldbench.training.length import Length
from weldbench.training.loop import TrainingData
from weldbench.training.losses import class_weights
from weldbench.training.norms import MEASURED_FRAMES
from weldbench.training.selection import Selection, selection_of
from weldbench.training.simulated_frames import sentence_about_simulated, with_simulated

_OTHER_SCALE = 2.0  # times the size, from where on the shapes that a backbone knows are other ones


@dataclass(frozen=True)
class TrainingJob:
    """One training.

    Attributes:
        name: Of the dataset.
        dataset: Where its frames are.
        split: Path of split.csv.
        fold: Of the dataset; None where the split has none.
        settings: Of the model, as they hold for the dataset.
        train: The section `train`.
        hardware: The section `hardware`.
        seed: Of everything random in the training.
        split_seed: Of the section `split`: which frames `balance` chooses, the same in every training.
        pretrained: File of the backbone, for `init: simulated`.
        features: File of the features of a frozen backbone; None computes them.
    """

    name: str
    dataset: Dataset
    split: Path
    fold: int | None
    settings: Model
    train: Train
    hardware: Hardware
    seed: int
    split_seed: int
    pretrained: Path | None = None
    features: Path | None = None

    def training_list(self) -> pd.DataFrame:
        """Return what the model learns from: columns row, split and weight, one line per use of a frame of train."""
        balance, cap = self.settings.balance or "none", self.settings.cap
        manifest, split_table = self.dataset.manifest, read_split(self.split)
        return training_list(manifest, split_table, balance, cap, self.split_seed, self.fold or 0)


@dataclass(frozen=True)
class PreparedTraining:
    """A training before its first step.

    Attributes:
        network: With its starting weights.
        normalization: What its input wants.
        data: What it learns from.
        length: How long the training is.
        selection: Which weights are kept.
        notes: Sentences about what it starts from and learns from, for the tables.
    """

    network: nn.Module
    normalization: Normalization
    data: TrainingData
    length: Length
    selection: Selection
    notes: list[str]


def prepare_training(fabric: Fabric, job: TrainingJob) -> PreparedTraining:
    """Build the network, and what it learns from.

    Raises:
        InputError: The split has no frame of a class, the weights are not to be had, or a setting does not fit.
    """
    size_px = job.settings.input_size_px
    real = job.dataset.load_split(job.training_list(), "train", size_px)
    real = replace(real, weights=frame_weights(job, real.labels, real.weights))
    valid = job.dataset.load_split(read_split(job.split), "valid", size_px)
    seed_torch(Stream.INITIAL_WEIGHTS, job.seed)
    network, normalization = initial_network(
        job.settings, job.dataset.classes, job.pretrained, normalization_of(real.frames)
    )
    train = with_simulated(real, job.settings, job.dataset.classes)
    sampler = BatchSampler(job.settings, train.labels, train.weights, job.seed, fabric.global_rank, fabric.world_size)
    runs = job.dataset.manifest["run"].to_numpy()
    selection = selection_of(job.settings, real, valid, runs, len(job.dataset.classes))
    _freeze_until(network, job.settings.freeze.removeprefix("until "), job.settings.name)
    data = replace(
        _frame_training_data(fabric, job, normalization, sampler, train, valid), chooses=selection.by == "valid"
    )
    return PreparedTraining(network, normalization, data, sampler.length, selection, _notes(job))


def _frame_training_data(
    fabric: Fabric,
    job: TrainingJob,
    normalization: Normalization,
    sampler: BatchSampler,
    train: SplitFrames,
    valid: SplitFrames,
) -> TrainingData:
    """Let a network learn from frames, each time augmented anew."""
    if fabric.device.type == "cpu":
        batches = cpu_batches(train, sampler, job.train.augment, normalization)
    else:
        batches = device_batches(train, sampler, job.train.augment, normalization, fabric.device)
    return TrainingData(
        batches,
        sampler.steps,
        sampler.batch_size,
        lambda network: validation_score(logits_of(fabric, network, valid, normalization), valid.labels),
        norm_inputs=lambda: _norm_inputs(fabric, normalization, sampler, train),
    )


def _norm_inputs(
    fabric: Fabric, normalization: Normalization, sampler: BatchSampler, train: SplitFrames
) -> Iterator[torch.Tensor]:
    """Yield training frames as they stand, in an order that mixes runs and classes as training does; at most a pass."""
    lines = np.concatenate([lines for lines, _ in sampler.batches(0)])[: min(len(train), MEASURED_FRAMES)]
    for some in np.array_split(lines, -(-len(lines) // BATCH_FRAMES)):
        yield normalize(torch.from_numpy(train.frames[train.index[some]]).to(fabric.device), normalization)


def _notes(job: TrainingJob) -> list[str]:
    about_simulated = sentence_about_simulated(job.settings, job.dataset.classes)
    return [*([about_simulated] if about_simulated else []), *_notes_on_input_size(job)]


def _notes_on_input_size(job: TrainingJob) -> list[str]:
    """Say so where a backbone learned from frames of quite another size than this network is given."""
    settings = job.settings
    if settings.init != "simulated" or job.pretrained is None:
        return []
    given, learned = settings.input_size_px, read_network(job.pretrained)[1].settings.input_size_px
    if max(given, learned) < _OTHER_SCALE * min(given, learned):
        return []
    name = settings.name
    return [
        f"{name} is given frames of {given} pixels, but its backbone learned from frames of {learned}: much of what it "
        f"learned does not hold at another scale. Bring models.{name}.input_size_px and pretrain.input_size_px closer "
        "together."
    ]


def _freeze_until(network: nn.Module, layer: str, model: str) -> None:
    if layer == "none":
        return
    names = [name for name, _ in network.named_modules() if name]
    if layer not in names:
        layers = ", ".join(name for name, _ in network.named_children())
        raise InputError(
            f"params.yaml: models.{model}.freeze: the network has no layer `{layer}`; its layers are {layers}"
        )
    last = max(number for number, name in enumerate(names) if name == layer or name.startswith(f"{layer}."))
    frozen = set(names[: last + 1])
    for name, module in network.named_modules():
        if name in frozen:
            for parameter in module.parameters(recurse=False):
                parameter.requires_grad_(False)


def frame_weights(job: TrainingJob, labels: np.ndarray, weights: np.ndarray) -> NDArray[np.float32]:
    """Return how much each training frame counts: its weight in the list, times that of its class.

    Args:
        job: The training.
        labels: Class of each frame, int64, shape (N,).
        weights: Of the list, float32, shape (N,).

    Raises:
        InputError: There is no frame of a class.
    """
    classes = job.dataset.classes
    counts = np.bincount(labels, minlength=len(classes))
    if (counts == 0).any():
        absent = ", ".join(name for name, count in zip(classes, counts, strict=True) if count == 0)
        raise InputError(
            f"{job.split}: no frame of {absent} is in train; change split (strategy, seed or fold), "
            f"or datasets.{job.name}.classes, in params.yaml"
        )
    counting: NDArray[np.float32] = (weights * class_weights(job.settings, counts)[labels]).astype(np.float32)
    return counting
