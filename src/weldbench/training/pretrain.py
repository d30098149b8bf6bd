"""A backbone that learns on an endless stream of simulated frames, so that transfer learning needs no download."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch

from weldbench.config.models import Model
from weldbench.config.training import Hardware, Pretrain
from weldbench.data.normalization import Normalization, normalize
from weldbench.models.architectures import build_network
from weldbench.models.files import TrainedInfo, save_network
from weldbench.pipeline.provenance import pretrain_record
from weldbench.runtime.disk import space_for
from weldbench.runtime.hardware import Fabric, in_force, memory_for
from weldbench.runtime.progress import reporting
from weldbench.runtime.seeding import Stream, seed_torch
from weldbench.training.batches import Batch
from weldbench.training.checkpoint import Checkpoint, needed_bytes, remove_checkpoint
from weldbench.training.loop import TrainingData, fit
from weldbench.training.rendering import Rendered, render_ahead
from weldbench.weldsim import CLASSES

_NORMALIZATION = Normalization(mean=0.25, std=0.2)  # about that of weld-pool frames; the same for every stream


def pretrain_backbone(fabric: Fabric, settings: Model, pretrain: Pretrain, hardware: Hardware, output: Path) -> None:
    """Train a network on simulated frames and write it to `output`; killed and started again, it goes on.

    No frame comes twice, so that there is nothing to overfit: the last weights are kept, where the rate has come to 0.

    Args:
        fabric: From `hardware.prepare`, with one process.
        settings: From `backbone_settings`.
        pretrain: The section `pretrain`.
        hardware: The section `hardware`.
        output: The file of the backbone.

    Raises:
        InputError: The disk has too little space.
    """
    steps = pretrain.steps // settings.epochs
    data = TrainingData(_Stream(pretrain, steps, fabric.device), steps, pretrain.batch_size)
    checkpoint_path = output.with_name(f".{output.stem}.checkpoint.safetensors")
    seed_torch(Stream.PRETRAINING_WEIGHTS, pretrain.seed)
    network = build_network(settings, len(CLASSES))
    made_from = pretrain_record(settings.architecture, pretrain, in_force(hardware, fabric), output).made_from()
    with (
        space_for(output.parent, needed_bytes(network, settings, checkpoint_path), "pretraining"),
        reporting(f"pretrain {settings.name}", settings.epochs * steps, "steps") as advance,
        memory_for("the section pretrain", "lower its batch_size or input_size_px"),
    ):
        progress = fit(
            fabric,
            network,
            settings,
            data,
            pretrain.seed,
            Checkpoint(checkpoint_path, made_from),
            lambda line: advance(steps),
            hardware,
        )
    info = TrainedInfo(settings, list(CLASSES), _NORMALIZATION, "simulated", None, pretrain.seed)
    save_network(output, progress.best_state, info, made_from)
    remove_checkpoint(checkpoint_path)


class _Stream:
    """The batches of one round after another, rendered by processes that work ahead; batch i depends on i alone."""

    def __init__(self, pretrain: Pretrain, steps: int, device: torch.device):
        self._pretrain, self._steps, self._device = pretrain, steps, device
        self._rendered: Iterator[Rendered] | None = None

    def __call__(self, epoch: int) -> Iterator[Batch]:
        if self._rendered is None:
            numbers = range(epoch * self._steps, self._pretrain.steps)
            self._rendered = render_ahead(self._pretrain, numbers)
        for frames, labels in islice(self._rendered, self._steps):
            images = normalize(torch.from_numpy(frames).to(self._device), _NORMALIZATION)
            share = torch.full((len(labels),), 1.0 / len(labels), device=self._device)
            yield Batch(images, torch.from_numpy(labels).to(self._device), share)
