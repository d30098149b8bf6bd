"""Training of a network whose backbone is frozen: only its last layer learns, on features that are computed once."""

import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from weldbench.data.dataset import read_split
from weldbench.data.normalization import Normalization
from weldbench.errors import InputError
from weldbench.models.features import FrameFeatures, backbone_id, read_features, without_head
from weldbench.models.inference import validation_score
from weldbench.models.initialization import initial_network
from weldbench.runtime.hardware import Fabric
from weldbench.runtime.seeding import Stream, seed_torch
from weldbench.runtime.text import counted
from weldbench.splitting.sufficiency import can_choose
from weldbench.training.features import compute_features
from weldbench.training.history import Epoch, Progress
from weldbench.training.linear_probe import Probe, ProbeData, fit_probe
from weldbench.training.setup import TrainingJob, frame_weights
from weldbench.training.simulated_frames import sentence_about_simulated

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


def frozen_network(job: TrainingJob) -> tuple[nn.Module, Normalization]:
    """Build the network with its starting weights, and say what its input wants.

    Raises:
        InputError: The weights are not to be had.
    """
    seed_torch(Stream.INITIAL_WEIGHTS, job.seed)
    return initial_network(job.settings, job.dataset.classes, job.pretrained, _ANY)


def train_probe(fabric: Fabric, job: TrainingJob) -> TrainedProbe:
    """Fit the last layer of a frozen network.

    Raises:
        InputError: The split has no frame of a class, the weights or features are not to be had or belong to others, or
            the network has no last layer that learns from one vector for each frame.
    """
    started = time.perf_counter()
    train, valid = job.lines_of("train"), job.lines_of("valid")
    network, normalization = frozen_network(job)
    backbone, name, last = without_head(network, job.settings)
    features = features_for(fabric, job, backbone, normalization)
    runs = job.dataset.manifest["run"].to_numpy()
    data = ProbeData(
        features=features.with_views(train.rows),
        labels=train.labels,
        weights=frame_weights(job, train).astype(np.float32),
        runs=np.unique(runs[train.rows], return_inverse=True)[1],
        simulated=features.simulated,
        simulated_labels=features.simulated_labels,
    )
    probe = fit_probe(data, job.settings.simulated_weight, job.seed)
    with torch.no_grad():
        last.weight.copy_(torch.from_numpy(probe.weight))
        last.bias.copy_(torch.from_numpy(probe.bias))
        score = validation_score(last(torch.from_numpy(features.of(valid.rows))), valid.labels)
    network.set_submodule(name, last)
    frames, seconds = data.features.shape[0] * data.features.shape[1] + len(data.simulated), time.perf_counter() - started
    progress = Progress()
    line = Epoch(1, 1, frames, 0.0, probe.loss, score.loss, score.macro_f1, seconds, frames / seconds)
    progress.note(line, network.state_dict)
    doubts = can_choose(train.labels, valid.labels, runs[valid.rows], len(job.dataset.classes))
    decided = _decided(job, data, probe, doubts)
    return TrainedProbe(network.cpu(), normalization, progress, decided)


def features_for(fabric: Fabric, job: TrainingJob, backbone: nn.Module, normalization: Normalization) -> FrameFeatures:
    """Read the features that a training needs, or compute them where it has no file of them.

    Raises:
        InputError: The file is missing, damaged, of another backbone, or lacks frames.
    """
    if job.features is None:
        train, valid = job.lines_of("train").rows, job.lines_of("valid").rows
        return compute_features(
            fabric, backbone, normalization, job.settings, job.train.augment, job.dataset, train, valid
        )
    features = read_features(job.features)
    if features.backbone != backbone_id(backbone, normalization, job.settings, job.dataset):
        raise InputError(
            f"{job.features}: these are features of another backbone, input size or set of frames; delete the file and "
            "run the stage features again"
        )
    return features


def _decided(job: TrainingJob, data: ProbeData, probe: Probe, doubts: list[str]) -> dict[str, Any]:
    frames, views = data.features.shape[:2]
    length = (
        f"{counted(frames, 'frame')} to learn from, each as it is and in {counted(views - 1, 'changed view')}; only the "
        f"last layer learns, to its one optimum: {probe.chosen_by}."
    )
    simulated = sentence_about_simulated(job.settings, job.dataset.classes)
    if simulated and probe.simulated_share == 0 and len(data.simulated):
        simulated = "Simulated frames were tried and left out: without them the runs left out were told apart better."
    return {
        "length": {"train_frames": frames, "views": views, "epochs": 1, "steps": 1, "reason": length},
        "selection": {"by": "cross-validation", "doubts": doubts, "reason": f"{probe.chosen_by}."},
        "notes": [simulated] if simulated else [],
        "penalty": probe.penalty,
        "simulated_frames": len(data.simulated) if probe.simulated_share else 0,
        "simulated_share": probe.simulated_share,
    }
