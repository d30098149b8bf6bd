"""What one training consists of: the network with its starting weights, and the batches that it learns from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from weldbench.augment import Normalisation
from weldbench.batches import Order, cpu_batches, device_batches, plain_batches
from weldbench.config.models import Model
from weldbench.config.training import Hardware, Train
from weldbench.engine import Lessons
from weldbench.errors import InputError
from weldbench.frames import Dataset, Part, read_split
from weldbench.hardware import Fabric
from weldbench.losses import class_weights
from weldbench.models import head_name
from weldbench.predict import Score, logits_of, score
from weldbench.weights import initial_network


@dataclass(frozen=True)
class Assignment:
    """One training.

    Attributes:
        name: Of the dataset.
        dataset: Where its frames are.
        split: Path of split.csv.
        fold: Of the dataset; None where the split has none.
        settings: Of the model, as they hold for the dataset.
        train: The section `train`.
        hardware: The section `hardware`.
        seed: Of everything random.
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
    pretrained: Path | None = None


def prepare_lessons(fabric: Fabric, task: Assignment) -> tuple[nn.Module, nn.Module, Normalisation, Lessons]:
    """Build the network as a whole, the part of it that learns, and what that learns from.

    Raises:
        InputError: The split has no frame of a class, the weights are not to be had, or a setting does not fit.
    """
    split = read_split(task.split)
    size_px = task.settings.input_size_px
    train, valid = (task.dataset.part(split, name, size_px) for name in ("train", "valid"))
    weights = _frame_weights(task, train)
    torch.manual_seed(task.seed)
    whole, normalisation = initial_network(
        task.settings, task.dataset.classes, task.pretrained, _own_normalisation(train)
    )
    order = Order(task.settings, train.labels, weights, task.seed, fabric.global_rank, fabric.world_size)
    freeze = getattr(task.settings, "freeze", "none")
    if freeze == "backbone":
        learning, lessons = _head_lessons(fabric, whole, normalisation, order, train, valid)
        return whole, learning, normalisation, lessons
    _freeze_until(whole, freeze.removeprefix("until "))
    if fabric.device.type == "cpu":
        batches = cpu_batches(train, order, task.train.augment, normalisation)
    else:
        batches = device_batches(train, order, task.train.augment, normalisation, fabric.device)
    lessons = Lessons(
        batches,
        order.steps,
        order.batch_size,
        lambda network: score(logits_of(fabric, network, valid, normalisation), valid.labels),
    )
    return whole, whole, normalisation, lessons


def _head_lessons(
    fabric: Fabric, network: nn.Module, normalisation: Normalisation, order: Order, train: Part, valid: Part
) -> tuple[nn.Module, Lessons]:
    """Compute the frozen backbone's features once; what is left to learn is the head."""
    name = head_name(network)
    head = network.get_submodule(name)
    network.set_submodule(name, nn.Identity())
    network.to(fabric.device)
    features = logits_of(fabric, network, train, normalisation).to(fabric.device)
    checked = logits_of(fabric, network, valid, normalisation).to(fabric.device)
    network.cpu().set_submodule(name, head)

    @torch.inference_mode()
    def score_head(head: nn.Module) -> Score:
        return score(head.eval()(checked).float().cpu(), valid.labels)

    return head, Lessons(plain_batches(features, order), order.steps, order.batch_size, score_head)


def _freeze_until(network: nn.Module, layer: str) -> None:
    if layer == "none":
        return
    names = [name for name, _ in network.named_modules() if name]
    if layer not in names:
        layers = ", ".join(name for name, _ in network.named_children())
        raise InputError(f"params.yaml: freeze: the network has no layer `{layer}`; its parts are {layers}")
    last = max(number for number, name in enumerate(names) if name == layer or name.startswith(f"{layer}."))
    frozen = set(names[: last + 1])
    for name, module in network.named_modules():
        if name in frozen:
            for parameter in module.parameters(recurse=False):
                parameter.requires_grad_(False)


def _frame_weights(task: Assignment, train: Part) -> np.ndarray:
    classes = task.dataset.classes
    counts = np.bincount(train.labels, minlength=len(classes))
    if (counts == 0).any():
        absent = ", ".join(name for name, count in zip(classes, counts, strict=True) if count == 0)
        raise InputError(
            f"{task.split}: no frame of {absent} is in train; change split (strategy, seed or fold), "
            f"or datasets.{task.name}.classes, in params.yaml"
        )
    return train.weights * class_weights(task.settings, counts)[train.labels]


def _own_normalisation(train: Part) -> Normalisation:
    # Sums of whole numbers: exact, whatever the order.
    counts = sum(np.bincount(frame.reshape(-1), minlength=256) for frame in train.frames)
    levels = np.arange(256) / 255.0
    mean = float((counts * levels).sum() / counts.sum())
    return Normalisation(mean, max(float(np.sqrt((counts * (levels - mean) ** 2).sum() / counts.sum())), 1e-3))
