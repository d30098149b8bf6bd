"""What each stage of a run takes on this machine: seconds, disk, memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from weldbench.config import Params
from weldbench.config.data import KaggleDataset, SimulatedDataset
from weldbench.config.models import Model, Pretrainable
from weldbench.planning import needs
from weldbench.planning.dataset_size import DatasetSize
from weldbench.planning.speeds import Speeds
from weldbench.training.length import training_length
from weldbench.training.pretrain_settings import backbone_settings

Phase = Literal["data", "models", "conclusions"]

DOWNLOAD_BYTES_PER_SECOND = 20e6  # an assumption, which the plan tells
_CHECK_BYTES_PER_SECOND = 430e6  # of an archive: 15 GB took 33 to 38 s on a virtual machine, its disk included
_RENDERERS = 2  # processes that simulate a dataset: `threads` of the rule fetch
_MOST_DECODERS = 16  # `threads` of the rule ingest
_PASS = 1.6  # a pass over an archive against decoding alone: reading, exchange between processes, writing
_PAIRS_PER_SECOND = 1e8  # of frames that the audit holds against each other (splitting/perceptual_hash.py)
_NORM_FRAMES = 1024  # that batch norms are measured on after an epoch (training/norms.py)
_TIMED_FRAMES = 11 * 65  # with which a training times its network at the end
_FIT_SECONDS = 6e-7  # of fitting a last layer, for each number of its features: all penalties, folds and iterations
_WRITE_SECONDS = 5e-5  # of a line of predictions.csv, sorted
# Work of a stage that hardly depends on the data, in starts of a training: it is Python's, as a start is.
_EXPLAIN_STARTS, _COMPARE_STARTS, _REPORT_STARTS, _EXPORT_STARTS = 1.0, 3.5, 1.5, 12.0
_EXPORT_PASSES = 6  # of a scored frame through the graphs and runtimes that are held against each other


@dataclass(frozen=True)
class Stage:
    """All jobs of one stage for one model.

    Attributes:
        name: Of the stage, as in docs/design.md.
        model: Key in `models`; empty where a stage concerns all.
        phase: Which part of the run it belongs to; the parts follow each other.
        jobs: How many there are, over folds and seeds.
        seconds: Of one job that runs alone.
        core_seconds: Of one job, over the cores that work for it.
        device: Where it computes.
        disk_bytes: What all jobs write.
        memory_bytes: Of one job, on the CPU.
    """

    name: str
    model: str
    phase: Phase
    jobs: int
    seconds: float
    core_seconds: float
    device: str
    disk_bytes: int
    memory_bytes: int


def stages_of(params: Params, size: DatasetSize, speeds: Speeds, cores: int, device: str) -> Iterator[Stage]:
    """Yield the stages of a whole run, in the order of docs/design.md.

    Args:
        params: As they hold for the dataset.
        size: Of the dataset.
        speeds: Of this machine.
        cores: That the engine may use.
        device: Where networks compute.
    """
    yield from _data_stages(params, size, speeds, cores)
    for name in params.finetune.models:
        yield _pretrain(params, speeds, params.models[name], cores, device)
    for name in params.features.models:
        yield features_stage(params, size, speeds, params.models[name], device)
    jobs = len(params.folds) * len(params.seeds)
    for kind, models in (
        ("train", params.train.models), ("finetune", params.finetune.models), ("train_head", params.features.models),
    ):  # fmt: skip
        for name in models:
            yield training_stage(params, size, speeds, params.models[name], device, kind, jobs)
    yield from _judging_stages(params, size, speeds, device, jobs)
    start = speeds.start_of_training()
    count = len(params.compare.models) * jobs
    size_bytes = int(count * 3e6)
    scored = size.splits(params.split)
    # The resamples' weights times what the runs say, for each training: a part of a second per 10,000 of them.
    draws = count * params.compare.bootstrap_draws * 2e-5
    compare = _COMPARE_STARTS * start + draws + count * scored["test"] * 2e-5
    yield Stage("compare", "", "conclusions", 1, compare, compare, "cpu", size_bytes, int(6e8))
    report = _REPORT_STARTS * start
    yield Stage("report", "", "conclusions", 1, report, report, "cpu", int(1e7), int(4e8))


def _data_stages(params: Params, size: DatasetSize, speeds: Speeds, cores: int) -> Iterator[Stage]:
    dataset, start = params.datasets[params.dataset], speeds.start_of_ingest()
    check, width, height = size.archive_bytes / _CHECK_BYTES_PER_SECOND, size.width_px, size.height_px
    if isinstance(dataset, SimulatedDataset):
        work = size.frames * speeds.simulate(width, height)
        seconds = work / min(_RENDERERS, cores) + check
    else:
        seconds = work = check
        if isinstance(dataset, KaggleDataset):
            seconds += size.archive_bytes / DOWNLOAD_BYTES_PER_SECOND
    yield Stage("fetch", "", "data", 1, seconds + start, work + start, "cpu", size.archive_bytes, int(3e8))
    decoders = min(params.ingest.workers or _MOST_DECODERS, cores)
    work = _PASS * size.frames * speeds.decode(width, height)
    disk = needs.frames_bytes(params, size)
    memory = int(1.5e8 * (decoders + 1))
    # Every decoder is a process that has to start.
    yield Stage("ingest", "", "data", 1, work / decoders + 2 * start, work + 2 * start, "cpu", disk, memory)
    train, valid, test = size.splits(params.split).values()
    pairs = train * valid + train * test + valid * test
    seconds = 3 * start + size.frames * speeds.fingerprint() + pairs / _PAIRS_PER_SECOND
    yield Stage("split", "", "data", len(params.folds), seconds, seconds, "cpu", 40 * size.frames, int(5e8) + disk)


def _pretrain(params: Params, speeds: Speeds, model: Model, cores: int, device: str) -> Stage:
    """One backbone: its steps, and the frames that other processes render for them meanwhile."""
    pretrain, settings = params.pretrain, backbone_settings(model, params.pretrain)
    steps = pretrain.steps * speeds.step(settings)
    rendering = pretrain.steps * pretrain.batch_size * speeds.render(pretrain.input_size_px)
    seconds = max(steps, (steps + rendering) / cores) if device == "cpu" else max(steps, rendering / cores)
    work = steps + rendering if device == "cpu" else rendering
    start, memory = speeds.start_of_training(), int(1.5e9 + 1.5e8 * cores)
    return Stage("pretrain", model.name, "models", 1, seconds + start, work + start, device, int(4.5e7), memory)


def features_stage(params: Params, size: DatasetSize, speeds: Speeds, model: Model, device: str) -> Stage:
    """What a frozen backbone says about all frames, the training frames' views, and simulated ones."""
    learned, simulated = size.learned_frames(params.split, model), model.simulated_frames
    passes = size.frames + model.augment_views * learned + simulated
    seconds = speeds.start_of_training() + passes * speeds.scored_frame(model)
    seconds += size.frames * speeds.resize(model.input_size_px)
    seconds += simulated * speeds.render(model.input_size_px) if simulated else 0
    disk = needs.features_bytes(params, size, model)
    memory = int(1.2e9) + 2 * disk
    return Stage("features", model.name, "models", 1, seconds, seconds, device, disk, memory)


def training_stage(
    params: Params, size: DatasetSize, speeds: Speeds, model: Model, device: str, kind: str, jobs: int
) -> Stage:
    """The trainings of a model: of all its layers, or of the last one on features that are there."""
    splits, start = size.splits(params.split), speeds.start_of_training()
    learned = size.learned_frames(params.split, model) + model.simulated_frames
    if model.freeze == "backbone":
        vectors = size.learned_frames(params.split, model) * (1 + model.augment_views) + model.simulated_frames
        seconds = start + vectors * needs.numbers_per_frame(model) * _FIT_SECONDS
        seconds += _TIMED_FRAMES * speeds.scored_frame(model)
        device = "cpu"
    else:
        length, frame = training_length(model, learned), speeds.scored_frame(model)
        # The networks that may be pretrained have batch norms, the other two have none.
        measured = min(_NORM_FRAMES, learned) if isinstance(model, Pretrainable) else 0
        per_epoch = (splits["valid"] + measured) * frame
        own_batch = max(1, length.batch_size // params.hardware.devices)  # of each process
        step = speeds.step(model.model_copy(update={"batch_size": own_batch}))
        seconds = start + length.steps * step + length.epochs * per_epoch
        seconds += (learned + splits["valid"]) * speeds.resize(model.input_size_px) + _TIMED_FRAMES * frame
        seconds += model.simulated_frames * speeds.render(model.input_size_px) if model.simulated_frames else 0
    disk, memory = int(jobs * needs.MODEL_BYTES), needs.training_bytes(params, size, model)
    core_seconds = seconds * params.hardware.threads * params.hardware.devices
    return Stage(kind, model.name, "models", jobs, seconds, core_seconds, device, disk, memory)


def _judging_stages(params: Params, size: DatasetSize, speeds: Speeds, device: str, jobs: int) -> Iterator[Stage]:
    splits, start = size.splits(params.split), speeds.start_of_training()
    scored = splits["valid"] + splits["test"]
    for name in params.compare.models:
        model = params.models[name]
        frozen = model.freeze == "backbone"  # its features are there
        per_frame = _WRITE_SECONDS + (0 if frozen else speeds.scored_frame(model) + speeds.resize(model.input_size_px))
        memory = int(9e8 + max(splits.values()) * model.input_size_px**2)
        seconds = start + scored * per_frame
        on = "cpu" if frozen else device
        yield Stage("evaluate", name, "models", jobs, seconds, seconds, on, int(jobs * 150 * scored), memory)
        explain = (1 + _EXPLAIN_STARTS) * start
        yield Stage("explain", name, "models", 1, explain, explain, device, int(5e5), memory)
    for name in params.export.models:
        model = params.models[name]
        per_frame = speeds.decode(size.width_px, size.height_px) + _EXPORT_PASSES * speeds.scored_frame(model)
        seconds = _EXPORT_STARTS * start + scored * per_frame
        yield Stage("export", name, "models", 1, seconds, seconds, "cpu", int(6e7), int(2e9))
