"""Training one model on one dataset: from an assignment to the files of a trained model."""

import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from weldbench.atomic import write_csv, write_json
from weldbench.augment import Normalisation
from weldbench.checkpoint import Checkpoint, fingerprint, remove_checkpoint
from weldbench.engine import Epoch, Progress, fit
from weldbench.hardware import Fabric, device_name, in_force, peak_memory_bytes
from weldbench.lessons import Assignment, prepare_lessons
from weldbench.models import TrainedInfo, save_network
from weldbench.predict import BATCH_FRAMES, milliseconds_per_frame
from weldbench.progress import reporting
from weldbench.tracking import tracker


@dataclass(frozen=True)
class Learnt:
    """What a training ends with.

    Attributes:
        network: As a whole, with its best weights, on the CPU.
        normalisation: What its input wants.
        progress: Its history.
        seconds: From the start, loading of frames included, and of epochs that an earlier process did.
        inference_ms: Per frame on this device; `alone` as a camera sends them, `batched` as a test set is scored.
    """

    network: nn.Module
    normalisation: Normalisation
    progress: Progress
    seconds: float
    inference_ms: dict[str, float]


def learn(fabric: Fabric, task: Assignment, checkpoint_path: Path, track: Callable[[Epoch], None]) -> Learnt:
    """Train a model; with a checkpoint of the same training at `checkpoint_path`, go on from there.

    Args:
        fabric: From `hardware.prepare`.
        task: What to train.
        checkpoint_path: Hidden file; the caller deletes it when all outputs are written.
        track: Called after every epoch.

    Raises:
        InputError: Anything in params.yaml or the data does not fit.
    """
    started = time.perf_counter()
    settings, compiled = task.settings, task.hardware.compile
    whole, learning, normalisation, lessons = prepare_lessons(fabric, task)
    checkpoint = Checkpoint(checkpoint_path, _fingerprint(fabric, task))
    with reporting(f"train {settings.architecture}", settings.epochs, "epochs") as advance:

        def on_epoch(line: Epoch) -> None:
            advance(1)
            track(line)

        progress = fit(fabric, learning, settings, lessons, task.seed, checkpoint, on_epoch, compiled)
    learning.load_state_dict(progress.best_state)
    restored = progress.history[: progress.restored_epochs]
    seconds = time.perf_counter() - started + sum(line.seconds for line in restored)
    whole.to(fabric.device)  # of a frozen backbone only the head has been there
    inference_ms = {
        name: round(milliseconds_per_frame(fabric, whole, settings.input_size_px, normalisation, frames), 4)
        for name, frames in {"alone": 1, "batched": BATCH_FRAMES}.items()
    }
    return Learnt(whole.cpu(), normalisation, progress, seconds, inference_ms)


def train_model(fabric: Fabric, task: Assignment, output: Path) -> None:
    """Train a model and write model.safetensors, history.csv and run.json into the folder `output`.

    Raises:
        InputError: Anything in params.yaml or the data does not fit.
    """
    checkpoint_path = output / ".checkpoint.safetensors"
    with tracker(task.train.tracker if fabric.is_global_zero else "none", output) as track:
        learnt = learn(fabric, task, checkpoint_path, track)
    if not fabric.is_global_zero:
        return
    info = TrainedInfo(task.settings, task.dataset.classes, learnt.normalisation, task.name, task.fold, task.seed)
    write_csv(output / "history.csv", pd.DataFrame([asdict(line) for line in learnt.progress.history]), "%.6f")
    write_json(output / "run.json", _run_facts(fabric, task, learnt))
    save_network(output / "model.safetensors", learnt.network.state_dict(), info)
    remove_checkpoint(checkpoint_path)


def _fingerprint(fabric: Fabric, task: Assignment) -> str:
    facts = {
        "settings": task.settings.model_dump(exclude={"per_dataset"}),
        "augment": task.train.augment.model_dump(),
        "hardware": in_force(task.hardware, fabric),
        "seed": task.seed,
        "classes": task.dataset.classes,
        "frames": list(task.dataset.frames.shape),
    }
    manifest = task.dataset.folder / "manifest.csv"
    return fingerprint(facts, manifest, task.split, *([task.pretrained] if task.pretrained else []))


def _run_facts(fabric: Fabric, task: Assignment, learnt: Learnt) -> dict[str, Any]:
    progress = learnt.progress
    return {
        "model": task.settings.architecture,
        "dataset": task.name,
        "fold": task.fold,
        "seed": task.seed,
        "best_epoch": progress.best_epoch,
        "epochs": len(progress.history),
        "valid_macro_f1": progress.best.valid_macro_f1,
        "settings": task.settings.model_dump(exclude={"per_dataset"}),
        "augment": task.train.augment.model_dump(),
        "parameters": sum(parameter.numel() for parameter in learnt.network.parameters()),
        "device": device_name(fabric.device),
        "devices": fabric.world_size,
        "threads": task.hardware.threads,
        "precision": in_force(task.hardware, fabric)["precision"],
        "seconds": round(learnt.seconds, 3),
        "training_seconds": round(sum(line.seconds for line in progress.history), 3),
        "inference_ms": learnt.inference_ms,
        "peak_memory_mb": round(peak_memory_bytes(fabric.device) / 1e6),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "torchvision", "numpy")},
        },
    }
