"""A whole run before it starts: its stages, its total, and what in it is too slow for this machine."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from weldbench.config import Params
from weldbench.config.data import KaggleDataset
from weldbench.planning.calibration import Calibration
from weldbench.planning.dataset_size import DatasetSize, dataset_size
from weldbench.planning.finding import gib
from weldbench.planning.needs import disk_bytes
from weldbench.planning.speeds import Speeds
from weldbench.planning.stages import DOWNLOAD_BYTES_PER_SECOND, Stage, features_stage, stages_of, training_stage
from weldbench.runtime.text import counted

_SLOW_SECONDS = 3600  # of one training: from here on another way is named
_HOUR, _MINUTE = 3600, 60
# What busy cores lose to each other, whose caches and memory they share: the default run on two cores.
_SIDE_BY_SIDE = 1.25


@dataclass(frozen=True)
class Plan:
    """What a whole run takes.

    Attributes:
        dataset: Key in `datasets`.
        stages: In the order of the pipeline.
        seconds: Of the run, its jobs side by side as far as cores and GPU allow.
        disk_bytes: Of the run, with DVC's copies.
        memory_bytes: Of what runs at the same time, at most.
        cores: That the engine may use.
        device: Where networks compute.
        notes: What is assumed, and what is too slow.
    """

    dataset: str
    stages: list[Stage]
    seconds: float
    disk_bytes: int
    memory_bytes: int
    cores: int
    device: str
    notes: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return the plan as JSON holds it, seconds rounded to tenths."""
        stages = [
            {key: round(value, 1) if isinstance(value, float) else value for key, value in asdict(stage).items()}
            for stage in self.stages
        ]
        return {**vars(self), "seconds": round(self.seconds, 1), "stages": stages}


def make_plan(params: Params, calibration: Calibration, cores: int, device: str) -> Plan:
    """Plan a whole run; also what is done already, as an engine decides that by more than files.

    Args:
        params: As they hold for the dataset.
        calibration: How fast this machine is.
        cores: That the engine may use.
        device: Where networks compute: `cpu`, `cuda` or `mps`.

    Raises:
        NotMeasuredError: A measurement is not there, and may not be made.
        InputError: A setting does not fit its network, or the device is too small for it.
    """
    size = dataset_size(params, Path("data", params.dataset))
    speeds = Speeds(params, size.class_count, calibration)
    stages = list(stages_of(params, size, speeds, cores, device))
    notes = [*_assumptions(params, size, cores, device), *_too_slow(params, size, speeds, stages, device)]
    at_once = cores // max(1, params.hardware.threads) if device == "cpu" else 1
    memory = max(stage.memory_bytes * (min(at_once, stage.jobs) or 1) for stage in stages)
    return Plan(
        params.dataset, stages, total_seconds(stages, cores), disk_bytes(params, size), memory, cores, device, notes
    )


def total_seconds(stages: list[Stage], cores: int) -> float:
    """Return the seconds of a whole run.

    The data's stages follow each other, and so do compare and report; the folds of one stage run side by side. What
    lies between is as long as what it has least of: cores, the one GPU, or the longest way through a model.
    """
    ends = sum(
        max(stage.seconds, stage.jobs * stage.core_seconds / cores) for stage in stages if stage.phase != "models"
    )
    models = [stage for stage in stages if stage.phase == "models"]
    on_gpu = sum(stage.jobs * stage.seconds for stage in models if stage.device != "cpu")
    on_cores = sum(stage.jobs * stage.core_seconds * side_by_side(stage, cores) for stage in models) / cores
    ways = {stage.model: 0.0 for stage in models}
    for stage in models:
        ways[stage.model] += stage.seconds
    return ends + max([on_gpu, on_cores, *ways.values()])


def side_by_side(stage: Stage, cores: int) -> float:
    """Return how many times as long a job of a stage takes beside others as alone."""
    return _SIDE_BY_SIDE if stage.phase == "models" and cores > 1 else 1.0


def duration(seconds: float) -> str:
    """Return `45 s`, `12 min`, `3.5 h` or `2 d 4 h`: no more digits than an estimate has."""
    if seconds < 1.5 * _MINUTE:
        return f"{seconds:.0f} s" if seconds >= 1 else "1 s"
    if seconds < 1.5 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 48 * _HOUR:
        return f"{seconds / _HOUR:.1f} h"
    days, hours = divmod(round(seconds / _HOUR), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def _assumptions(params: Params, size: DatasetSize, cores: int, device: str) -> Iterator[str]:
    splits = ", ".join(f"{frames:,} {name}" for name, frames in size.splits(params.split).items())
    yield f"{size.frames:,} frames ({splits}), {size.told_by}. Leaks that the audit drops are not taken off."
    if isinstance(params.datasets[params.dataset], KaggleDataset):
        speed = f"{DOWNLOAD_BYTES_PER_SECOND / 1e6:.0f} MB/s"
        yield f"The download of about {gib(size.archive_bytes)} is planned with {speed}; what is here is not repeated."
    yield (
        "Everything is planned, also what is done already. Trainings are planned without early stopping. On a machine "
        "that is busy with other work all takes longer."
    )
    gpu = "" if device == "cpu" else "the one GPU, "
    yield (
        "The total adds up the stages of the data, compare and report. Between these, the models take the longest of: "
        f"all their jobs on {counted(cores, 'core')}, {gpu}the longest way through one model."
    )


def _too_slow(params: Params, size: DatasetSize, speeds: Speeds, stages: list[Stage], device: str) -> Iterator[str]:
    """Say which trainings take long here, and what does not."""
    slow = [stage for stage in stages if stage.name in {"train", "finetune"} and stage.seconds > _SLOW_SECONDS]
    if not slow or device != "cpu":
        return
    frozen = next((model for model in params.models.values() if model.freeze == "backbone"), None)
    quick = ""
    if frozen:
        steps = [
            features_stage(params, size, speeds, frozen, device),
            training_stage(params, size, speeds, frozen, device, "train_head", 1),
        ]
        seconds = duration(sum(stage.seconds for stage in steps))
        quick = f"{frozen.name} with freeze: backbone about {seconds}; "
    for stage in slow:
        each = f"about {duration(stage.seconds)} here for each of {counted(stage.jobs, 'training')}"
        yield f"{stage.model}: {each}; {quick}on a GPU minutes."
