"""Training one model on one dataset: from what params.yaml says to the files of a trained model."""

import platform
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from weldbench.atomic import write_csv, write_json
from weldbench.augment import Normalisation
from weldbench.batches import Order, cpu_batches, device_batches, plain_batches
from weldbench.checkpoint import Checkpoint, fingerprint
from weldbench.config.models import Model
from weldbench.config.training import Hardware, Train
from weldbench.engine import Epoch, Lessons, Progress, fit
from weldbench.errors import InputError
from weldbench.frames import Dataset, Part, read_split
from weldbench.hardware import Fabric, device_name, peak_memory_bytes
from weldbench.losses import class_weights
from weldbench.models import TrainedInfo, head_name, save_network
from weldbench.predict import logits_of, score
from weldbench.progress import reporting
from weldbench.tracking import tracker
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


def train_model(fabric: Fabric, task: Assignment, output: Path) -> Progress:
    """Train a model and write model.safetensors, history.csv and run.json into the folder `output`.

    Raises:
        InputError: Anything in params.yaml or the data does not fit.
    """
    started = time.perf_counter()
    network, normalisation, lessons, whole = _prepare(fabric, task)
    checkpoint = Checkpoint(output / ".checkpoint.safetensors", _fingerprint(task))
    with (
        reporting(f"train {task.settings.architecture}", task.settings.epochs, "epochs") as advance,
        tracker(task.train.tracker, output) as track,
    ):

        def on_epoch(line: Epoch) -> None:
            advance(1)
            track(line)

        progress = fit(fabric, network, task.settings, lessons, task.seed, checkpoint, on_epoch, task.hardware.compile)
    if fabric.is_global_zero:
        info = TrainedInfo(task.settings, task.dataset.classes, normalisation, task.name, task.fold, task.seed)
        write_csv(output / "history.csv", pd.DataFrame([asdict(line) for line in progress.history]), "%.6f")
        write_json(output / "run.json", _run_facts(fabric, task, progress, whole, time.perf_counter() - started))
        save_network(output / "model.safetensors", _whole_state(whole, network, progress), info)
        checkpoint.remove()
    return progress


def _prepare(fabric: Fabric, task: Assignment) -> tuple[nn.Module, Normalisation, Lessons, nn.Module]:
    """Build what learns and what it learns from; the last one returned is the network as a whole, head and backbone."""
    split = read_split(task.split)
    size_px = task.settings.input_size_px
    train, valid = (task.dataset.part(split, name, size_px) for name in ("train", "valid"))
    weights = _frame_weights(task, train)
    torch.manual_seed(task.seed)
    whole, normalisation = initial_network(
        task.settings, len(task.dataset.classes), task.pretrained, _own_normalisation(train)
    )
    order = Order(task.settings, train.labels, weights, task.seed, fabric.global_rank, fabric.world_size)
    freeze = getattr(task.settings, "freeze", "none")
    if freeze == "backbone":
        learning, lessons = _head_lessons(fabric, whole, normalisation, order, train, valid)
        return learning, normalisation, lessons, whole
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
    return whole, normalisation, lessons, whole


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
    def score_head(head: nn.Module):
        return score(head.eval()(checked).float().cpu(), valid.labels)

    return head, Lessons(plain_batches(features, order), order.steps, order.batch_size, score_head)


def _whole_state(whole: nn.Module, learning: nn.Module, progress: Progress) -> dict[str, torch.Tensor]:
    learning.load_state_dict(progress.best_state)
    return {name: tensor.detach().cpu().contiguous() for name, tensor in whole.state_dict().items()}


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


def _fingerprint(task: Assignment) -> str:
    facts = {
        "settings": task.settings.model_dump(exclude={"per_dataset"}),
        "augment": task.train.augment.model_dump(),
        "hardware": task.hardware.model_dump(),
        "seed": task.seed,
        "frames": list(task.dataset.frames.shape),
    }
    manifest = task.dataset.folder / "manifest.csv"
    return fingerprint(facts, manifest, task.split, *([task.pretrained] if task.pretrained else []))


def _run_facts(
    fabric: Fabric, task: Assignment, progress: Progress, network: nn.Module, seconds: float
) -> dict[str, Any]:
    return {
        "model": task.settings.architecture,
        "dataset": task.name,
        "fold": task.fold,
        "seed": task.seed,
        "best_epoch": progress.best_epoch,
        "epochs": len(progress.history),
        "valid_macro_f1": progress.history[progress.best_epoch - 1].valid_macro_f1,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "device": device_name(fabric.device),
        "devices": fabric.world_size,
        "threads": task.hardware.threads,
        "precision": fabric._precision.precision,
        "seconds": round(seconds, 3),
        "training_seconds": round(sum(line.seconds for line in progress.history), 3),
        "peak_memory_mb": round(peak_memory_bytes(fabric.device) / 1e6),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "torchvision", "numpy")},
        },
    }
