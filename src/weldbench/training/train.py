"""Training one model on one dataset: from an assignment to the files of a trained model."""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from weldbench.config.models import Model
from weldbench.data.normalization import Normalization
from weldbench.models.files import TrainedInfo, save_network
from weldbench.models.inference import BATCH_FRAMES, milliseconds_per_frame
from weldbench.pipeline.provenance import starts_from_backbone, train_record
from weldbench.pipeline.records import Record, read_record
from weldbench.runtime.atomic import write_csv, write_json
from weldbench.runtime.disk import space_for
from weldbench.runtime.hardware import Fabric, device_name, in_force, memory_for_training, peak_memory_bytes
from weldbench.runtime.progress import reporting
from weldbench.training.balance import counts_by_class
from weldbench.training.checkpoint import Checkpoint, needed_bytes, remove_checkpoint
from weldbench.training.history import Epoch, Progress
from weldbench.training.loop import fit
from weldbench.training.probe import train_probe
from weldbench.training.setup import TrainingJob, prepare_training
from weldbench.training.simulated_frames import frames_to_simulate
from weldbench.training.tracking import tracker


@dataclass(frozen=True)
class TrainingResult:
    """What a training ends with.

    Attributes:
        network: As a whole, with the weights that are kept, on the CPU.
        normalization: What its input wants.
        progress: Its history.
        seconds: From the start, loading of frames included, and of epochs that an earlier process did.
        inference_ms: Per frame on this device; `alone` as a camera sends them, `batched` as a test set is scored.
        decided: What its data decided, as training.json holds it: `length`, `selection`, `notes`.
        made_from: Settings, inputs, code and versions, as `pipeline.records` describes them.
    """

    network: nn.Module
    normalization: Normalization
    progress: Progress
    seconds: float
    inference_ms: dict[str, float]
    decided: dict[str, Any]
    made_from: dict[str, Any]


def train_network(
    fabric: Fabric, job: TrainingJob, checkpoint_path: Path, track: Callable[[Epoch], None]
) -> TrainingResult:
    """Train a model; with a checkpoint of the same training at `checkpoint_path`, go on from there.

    Args:
        fabric: From `hardware.prepare`.
        job: What to train.
        checkpoint_path: Hidden file; the caller deletes it when all outputs are written.
        track: Called after every epoch.

    Raises:
        InputError: Anything in params.yaml or the data does not fit, or the disk has too little space.
    """
    if job.settings.freeze == "backbone":
        return _train_last_layer(fabric, job, checkpoint_path.parent, track)
    started = time.perf_counter()
    settings = job.settings
    prepared = prepare_training(fabric, job)
    network, normalization = prepared.network, prepared.normalization
    decided = {
        "length": prepared.length.facts(settings),
        "selection": prepared.selection.facts(settings),
        "notes": prepared.notes,
        "simulated_frames": frames_to_simulate(settings, job.dataset.classes),
    }
    _tell(fabric, job, decided)
    checkpoint = Checkpoint(checkpoint_path, _record(fabric, job, checkpoint_path.parent).made_from())
    with (
        space_for(checkpoint_path.parent, needed_bytes(network, settings, checkpoint_path), "training"),
        reporting(f"train {settings.name}", settings.epochs, "epochs") as advance,
    ):

        def on_epoch(line: Epoch) -> None:
            advance(1)
            track(line)

        progress = fit(fabric, network, settings, prepared.data, job.seed, checkpoint, on_epoch, job.hardware)
    network.load_state_dict(progress.best_state)
    restored = progress.history[: progress.restored_epochs]
    seconds = time.perf_counter() - started + sum(line.seconds for line in restored)
    inference_ms = _inference_ms(fabric, network, settings, normalization)
    return TrainingResult(network.cpu(), normalization, progress, seconds, inference_ms, decided, checkpoint.made_from)


def _train_last_layer(fabric: Fabric, job: TrainingJob, output: Path, track: Callable[[Epoch], None]) -> TrainingResult:
    """Train a network whose backbone is frozen; it takes seconds once the features are there, so it keeps no state."""
    started, spent = time.perf_counter(), _seconds_for_features(job)
    made_from = _record(fabric, job, output).made_from()
    probe = train_probe(fabric, job)
    _tell(fabric, job, probe.decided)
    track(probe.progress.best)
    seconds = time.perf_counter() - started + spent
    network = probe.network.to(fabric.device)
    inference_ms = _inference_ms(fabric, network, job.settings, probe.normalization)
    return TrainingResult(
        network.cpu(), probe.normalization, probe.progress, seconds, inference_ms, probe.decided, made_from
    )


def _seconds_for_features(job: TrainingJob) -> float:
    """Return the seconds of the stage that computed the features: a training would take as long without it."""
    return float(read_record(job.features.with_suffix(".json")).get("seconds", 0)) if job.features else 0.0


def _inference_ms(
    fabric: Fabric, network: nn.Module, settings: Model, normalization: Normalization
) -> dict[str, float]:
    return {
        name: round(milliseconds_per_frame(fabric, network, settings.input_size_px, normalization, frames), 4)
        for name, frames in {"alone": 1, "batched": BATCH_FRAMES}.items()
    }


def _tell(fabric: Fabric, job: TrainingJob, decided: dict[str, Any]) -> None:
    """Print what the data decided."""
    if fabric.is_global_zero:
        for sentence in (decided["length"]["reason"], decided["selection"]["reason"], *decided["notes"]):
            print(f"train {job.settings.name}: {sentence}", file=sys.stderr)


def train_model(fabric: Fabric, job: TrainingJob, output: Path) -> None:
    """Train a model and write model.safetensors, history.csv and training.json into the folder `output`.

    Raises:
        InputError: Anything in params.yaml or the data does not fit.
    """
    checkpoint_path = output / ".checkpoint.safetensors"
    settings = job.settings
    with (
        tracker(job.train.tracker if fabric.is_global_zero else "none", output) as track,
        memory_for_training(settings.name, settings.batch_size, settings.input_size_px),
    ):
        result = train_network(fabric, job, checkpoint_path, track)
    if not fabric.is_global_zero:
        return
    info = TrainedInfo(job.settings, job.dataset.classes, result.normalization, job.name, job.fold, job.seed)
    write_csv(output / "history.csv", pd.DataFrame([asdict(line) for line in result.progress.history]), "%.6f")
    save_network(output / "model.safetensors", result.network.state_dict(), info)
    outputs = _record(fabric, job, output).output_sums()
    facts = training_facts(fabric, job, result)
    write_json(output / "training.json", {**facts, "made_from": result.made_from, "outputs": outputs})
    remove_checkpoint(checkpoint_path)


def _record(fabric: Fabric, job: TrainingJob, output: Path) -> Record:
    backbone = None
    if job.features:
        backbone = Record(job.features.with_suffix(".json"), "features", {}, outputs={"features": job.features})
    elif job.pretrained and starts_from_backbone(job.settings):
        backbone = Record(job.pretrained, "pretrain", {})
    hardware, folder = in_force(job.hardware, fabric), job.dataset.folder
    return train_record(
        job.settings, job.train.augment, hardware, (job.seed, job.split_seed), folder, job.split, backbone, output
    )


def training_facts(fabric: Fabric, job: TrainingJob, result: TrainingResult) -> dict[str, Any]:
    """Return what training.json says of a training, but for what it was made from and its outputs."""
    progress = result.progress
    return {
        "model": job.settings.name,
        "architecture": job.settings.architecture,
        "dataset": job.name,
        "fold": job.fold,
        "seed": job.seed,
        "best_epoch": progress.best_epoch,
        "epochs": len(progress.history),
        "valid_macro_f1": progress.best.valid_macro_f1,
        **result.decided,
        "settings": job.settings.model_dump(),
        "learned_from": counts_by_class(job.training_list(), job.dataset.manifest, job.dataset.classes),
        "augment": job.train.augment.model_dump(),
        "parameters": sum(parameter.numel() for parameter in result.network.parameters()),
        "device": device_name(fabric.device),
        "devices": fabric.world_size,
        "threads": job.hardware.threads,
        "precision": in_force(job.hardware, fabric)["precision"],
        "seconds": round(result.seconds, 3),
        "training_seconds": round(sum(line.seconds for line in progress.history), 3),
        "inference_ms": result.inference_ms,
        "peak_memory_mb": round(peak_memory_bytes(fabric.device) / 1e6),
        "versions": result.made_from["versions"],
    }
