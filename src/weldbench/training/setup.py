"""What one training consists of: the network with its starting weights, and the batches that it learns from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from weldbench.config.models import Model
from weldbench.config.training import Hardware, Train
from weldbench.data.dataset import Dataset, SplitFrames, read_split
from weldbench.data.normalization import Normalization, normalization_of
from weldbench.errors import InputError
from weldbench.models.inference import ValidationScore, logits_of, validation_score
from weldbench.models.initialization import initial_network
from weldbench.models.torchvision_models import head_name
from weldbench.runtime.hardware import Fabric
from weldbench.runtime.seeding import Stream, seed_torch
from weldbench.training.balance import training_list
from weldbench.training.batches import BatchSampler, cpu_batches, device_batches, plain_batches
from weldbench.training.loop import TrainingData
from weldbench.training.losses import class_weights


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

    def training_list(self) -> pd.DataFrame:
        """Return what the model learns from: columns row, split and weight, one line per use of a frame of train."""
        balance, cap = self.settings.balance or "none", self.settings.cap
        manifest, split_table = self.dataset.manifest, read_split(self.split)
        return training_list(manifest, split_table, balance, cap, self.split_seed, self.fold or 0)


def prepare_training(fabric: Fabric, job: TrainingJob) -> tuple[nn.Module, nn.Module, Normalization, TrainingData]:
    """Build the network as a whole, the part of it that learns, and what that learns from.

    Raises:
        InputError: The split has no frame of a class, the weights are not to be had, or a setting does not fit.
    """
    size_px = job.settings.input_size_px
    train = job.dataset.load_split(job.training_list(), "train", size_px)
    valid = job.dataset.load_split(read_split(job.split), "valid", size_px)
    weights = _frame_weights(job, train)
    seed_torch(Stream.INITIAL_WEIGHTS, job.seed)
    whole, normalization = initial_network(
        job.settings, job.dataset.classes, job.pretrained, normalization_of(train.frames)
    )
    sampler = BatchSampler(job.settings, train.labels, weights, job.seed, fabric.global_rank, fabric.world_size)
    freeze = job.settings.freeze
    if freeze == "backbone":
        learning, data = _head_training_data(fabric, job, whole, normalization, sampler, train, valid)
        return whole, learning, normalization, data
    _freeze_until(whole, freeze.removeprefix("until "), job.settings.name)
    if fabric.device.type == "cpu":
        batches = cpu_batches(train, sampler, job.train.augment, normalization)
    else:
        batches = device_batches(train, sampler, job.train.augment, normalization, fabric.device)
    data = TrainingData(
        batches,
        sampler.steps,
        sampler.batch_size,
        lambda network: validation_score(logits_of(fabric, network, valid, normalization), valid.labels),
    )
    return whole, whole, normalization, data


def _head_training_data(
    fabric: Fabric,
    job: TrainingJob,
    network: nn.Module,
    normalization: Normalization,
    sampler: BatchSampler,
    train: SplitFrames,
    valid: SplitFrames,
) -> tuple[nn.Module, TrainingData]:
    """Compute the frozen backbone's features once; what is left to learn is the head."""
    name = head_name(network)
    head = network.get_submodule(name)
    network.set_submodule(name, nn.Identity())
    network.to(fabric.device)
    features = logits_of(fabric, network, train, normalization).to(fabric.device)
    checked = logits_of(fabric, network, valid, normalization).to(fabric.device)
    network.cpu().set_submodule(name, head)
    _require_head_on_features(job, network, head, features)

    @torch.inference_mode()
    def score_head(head: nn.Module) -> ValidationScore:
        return validation_score(head.eval()(checked).float().cpu(), valid.labels)

    return head, TrainingData(plain_batches(features, sampler), sampler.steps, sampler.batch_size, score_head)


@torch.inference_mode()
def _require_head_on_features(job: TrainingJob, network: nn.Module, head: nn.Module, features: torch.Tensor) -> None:
    try:
        head.eval()(features[:1].cpu())
    except RuntimeError:
        # A head of convolutions learns on maps, which the backbone flattens behind it.
        before = [name for name, part in network.named_children() if part is not head][-1]
        raise InputError(
            f"params.yaml: models.{job.settings.name}.freeze is backbone, but the head of this network needs "
            f"maps of features, not one vector for each frame; set it to `until {before}`"
        ) from None


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


def _frame_weights(job: TrainingJob, train: SplitFrames) -> np.ndarray:
    classes = job.dataset.classes
    counts = np.bincount(train.labels, minlength=len(classes))
    if (counts == 0).any():
        absent = ", ".join(name for name, count in zip(classes, counts, strict=True) if count == 0)
        raise InputError(
            f"{job.split}: no frame of {absent} is in train; change split (strategy, seed or fold), "
            f"or datasets.{job.name}.classes, in params.yaml"
        )
    return train.weights * class_weights(job.settings, counts)[train.labels]
