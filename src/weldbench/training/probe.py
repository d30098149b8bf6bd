"""Training of a network whose backbone is frozen: only its last layer learns, on features that are computed once."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from weldbench.config.models import Model
from weldbench.config.training import Augment
from weldbench.data.dataset import Dataset, read_split
from weldbench.data.normalization import Normalization
from weldbench.errors import InputError
from weldbench.models.features import FrameFeatures, backbone_id, last_layer, read_features, without_last_layer
from weldbench.models.inference import validation_score
from weldbench.models.initialization import initial_network
from weldbench.runtime.hardware import Fabric
from weldbench.runtime.seeding import Stream, seed_torch
from weldbench.runtime.text import counted
from weldbench.splitting.sufficiency import can_choose
from weldbench.training.balance import training_list
from weldbench.training.features import compute_features
from weldbench.training.history import Epoch, Progress
from weldbench.training.linear_probe import Probe, fit_probe
from weldbench.training.probe_data import ProbeData
from weldbench.training.setup import TrainingJob, frame_weights
from weldbench.training.simulated_frames import frames_to_simulate, sentence_about_simulated

_ANY = Normalization(0.5, 0.5)  # of random weights, which a frozen backbone never has


@dataclass(frozen=True)
class TrainedProbe:
    """A network with a fitted last layer.

    Attributes:
        network: As a whole, on the CPU.
        normalization: What its input wants.
        progress: A history of one line.
        decided: What its data decided, as training.json holds it: `length`, `selection`, `notes`.
    """

    network: nn.Module
    normalization: Normalization
    progress: Progress
    decided: dict[str, Any]


def features_of_folds(
    fabric: Fabric, settings: Model, augment: Augment, dataset: Dataset, splits: Mapping[int, Path], split_seed: int
) -> FrameFeatures:
    """Compute the features of all that the trainings of one model need, of all folds together.

    Args:
        fabric: From `hardware.prepare`.
        settings: Of the model, as they hold for the dataset.
        augment: The section `train.augment`.
        dataset: Where the frames are.
        splits: Fold -> folder of split.csv.
        split_seed: Of the section `split`.

    Raises:
        InputError: A file is missing or damaged, a split has no frame, or the weights are not to be had.
    """
    network, normalization = initial_network(settings, dataset.classes, None, _ANY)
    backbone = without_last_layer(network, settings)
    tables = {fold: read_split(folder / "split.csv") for fold, folder in splits.items()}
    train = [
        training_list(dataset.manifest, table, settings.balance or "none", settings.cap, split_seed, fold)["row"]
        for fold, table in tables.items()
    ]
    scored = [dataset.rows_of(table, name) for table in tables.values() for name in ("valid", "test")]
    rows = (np.concatenate(some).astype(np.int64) for some in (train, scored))
    return compute_features(fabric, backbone, normalization, settings, augment, dataset, *rows)


def train_probe(fabric: Fabric, job: TrainingJob) -> TrainedProbe:
    """Fit the last layer of a frozen network.

    Raises:
        InputError: The split has no frame of a class, the weights or features are not to be had or belong to others, or
            the network has no last layer that learns from one vector for each frame.
    """
    started = time.perf_counter()
    train, valid = job.training_list(), job.dataset.rows_of(read_split(job.split), "valid")
    rows, labels = train["row"].to_numpy(), job.dataset.labels_of(train["row"].to_numpy())
    valid_labels = job.dataset.labels_of(valid)
    seed_torch(Stream.INITIAL_WEIGHTS, job.seed)
    network, normalization = initial_network(job.settings, job.dataset.classes, job.pretrained, _ANY)
    backbone, (_, last) = without_last_layer(network, job.settings), last_layer(network, job.settings)
    features = _features_for(fabric, job, backbone, normalization, rows, valid)
    runs = job.dataset.manifest["run"].to_numpy()
    data = ProbeData(
        features=features.with_views(rows),
        labels=labels,
        weights=frame_weights(job, labels, train["weight"].to_numpy(np.float32)),
        runs=np.unique(runs[rows], return_inverse=True)[1],
        simulated=features.simulated,
        simulated_labels=features.simulated_labels,
    )
    probe = _fit_with_threads(job.hardware.threads, data, job.settings.simulated_weight, job.seed)
    with torch.no_grad():
        last.weight.copy_(torch.from_numpy(probe.weight))
        last.bias.copy_(torch.from_numpy(probe.bias))
        score = validation_score(last(torch.from_numpy(features.of(valid))), valid_labels)
    frames, seconds = (
        data.features.shape[0] * data.features.shape[1] + len(data.simulated),
        time.perf_counter() - started,
    )
    progress = Progress()
    line = Epoch(1, 1, frames, 0.0, probe.loss, score.loss, score.macro_f1, seconds, frames / seconds)
    progress.note(line, network.state_dict)
    doubts = can_choose(labels, valid_labels, runs[valid], len(job.dataset.classes))
    decided = _decided(job, data, probe, doubts)
    return TrainedProbe(network.cpu(), normalization, progress, decided)


def _fit_with_threads(threads: int, data: ProbeData, simulated_share: float, seed: int) -> Probe:
    """Fit with so many threads, as another count gives other bits; numpy and scikit-learn would take all cores."""
    import sklearn.linear_model  # noqa: F401 - first: the limit holds for the libraries that are loaded
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=threads):
        return fit_probe(data, simulated_share, seed)


def _features_for(
    fabric: Fabric,
    job: TrainingJob,
    backbone: nn.Module,
    normalization: Normalization,
    train_rows: NDArray[np.int64],
    valid_rows: NDArray[np.int64],
) -> FrameFeatures:
    """Read the features that a training needs, or compute them where it has no file of them.

    Raises:
        InputError: The file is missing, damaged, of another backbone, made with other settings, or lacks frames.
    """
    settings, augment, dataset = job.settings, job.train.augment, job.dataset
    if job.features is None:
        return compute_features(
            fabric, backbone, normalization, settings, augment, dataset, np.unique(train_rows), valid_rows
        )
    features = read_features(job.features)
    counts = features.views.shape[1], len(features.simulated)
    asked = settings.augment_views, frames_to_simulate(settings, dataset.classes)
    if not asked[1]:  # those that are there do no harm
        features, counts = _without_simulated(features), (counts[0], 0)
    if features.backbone != backbone_id(backbone, normalization, settings, dataset):
        wrong = "these are features of another backbone, input size or set of frames"
    elif counts != asked:
        wrong = (
            f"there are {counts[0]} views of each training frame and {counts[1]} simulated frames, and the settings "
            f"of {settings.name} ask for {asked[0]} and {asked[1]}"
        )
    elif not features.covers(valid_rows, train_rows):
        wrong = f"some frames of {job.split} have no features there"
    else:
        return features
    raise InputError(f"{job.features}: {wrong}; delete the file and run the stage features again")


def _without_simulated(features: FrameFeatures) -> FrameFeatures:
    return replace(features, simulated=features.simulated[:0], simulated_labels=features.simulated_labels[:0])


def _decided(job: TrainingJob, data: ProbeData, probe: Probe, doubts: list[str]) -> dict[str, Any]:
    frames, views = data.features.shape[:2]
    seen = f", each as it is and in {counted(views - 1, 'changed view')}" if views > 1 else ""
    length = f"{counted(frames, 'frame')} to learn from{seen}; only the last layer learns."
    simulated = sentence_about_simulated(job.settings, job.dataset.classes)
    if simulated and probe.simulated_share == 0 and len(data.simulated):
        simulated = (
            f"{job.settings.name} (fold {job.fold or 0}, seed {job.seed}) learns from no simulated frames: without "
            "them it told the frames of runs left out apart better."
        )
    return {
        "length": {"train_frames": frames, "views": views, "epochs": 1, "steps": 1, "reason": length},
        "selection": {
            "by": "cross-validation" if probe.cross_validated else "default",
            "doubts": doubts,
            "reason": f"{probe.chosen_by}.",
        },
        "notes": [simulated] if simulated else [],
        "penalty": probe.penalty,
        "simulated_frames": len(data.simulated) if probe.simulated_share else 0,
        "simulated_share": probe.simulated_share,
    }
