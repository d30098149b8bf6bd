"""Measurements of networks: a step of training, and a frame that is scored, with the code that trains and scores."""

from functools import cache, partial

import numpy as np
import torch

from weldbench.config.models import Model
from weldbench.config.training import Augment, Hardware
from weldbench.data.normalization import Normalization
from weldbench.data.split import SplitFrames
from weldbench.models.architectures import build_network
from weldbench.models.inference import logits_of
from weldbench.planning.calibration import shortest
from weldbench.runtime.hardware import Fabric, memory_for_training, prepare
from weldbench.training.batches import BatchSampler, cpu_batches, device_batches
from weldbench.training.cuda_graph import GraphedStep
from weldbench.training.loop import build_optimizer, train_step

_ANY = Normalization(0.5, 0.25)
_STEPS = 4  # batches that are prepared at once, as a training prepares many
_SCORED_FRAMES = 32


def step_seconds(model: Model, class_count: int, augment: Augment, hardware: Hardware) -> float:
    """Seconds of one step of a training: its batch prepared, forward, backward, optimizer.

    From random weights, which take as long as any others; all layers learn, so `freeze: until` is overestimated.

    Args:
        model: The settings as they hold for the dataset; with `devices` above 1, of one process's share of the batch.
        class_count: Classes.
        augment: The section `train.augment`.
        hardware: The section `hardware`.
    """
    fabric = _fabric(hardware)
    timed = model.model_copy(update={"epochs": 1, "min_steps": _STEPS})
    frames = _frames(_STEPS * model.batch_size, model.input_size_px, class_count)
    sampler = BatchSampler(timed, frames.labels, frames.weights, seed=0)
    if fabric.device.type == "cpu":
        batches = cpu_batches(frames, sampler, augment, _ANY)
    else:
        batches = device_batches(frames, sampler, augment, _ANY, fabric.device)
    network = build_network(model, class_count).train()
    learning, stepper = fabric.setup(network, build_optimizer(network.to(fabric.device), model, fabric.device))
    step = partial(train_step, fabric, learning, stepper, model)
    if hardware.cuda_graph and fabric.device.type == "cuda":
        step = GraphedStep(step)  # type: ignore[assignment]

    def prepare_all() -> None:
        for _ in batches(0):
            pass
        _wait(fabric)

    def one_step() -> None:
        step(batch)
        _wait(fabric)

    with memory_for_training(model.name, model.batch_size, model.input_size_px):
        on_cpu = _on_cpu(fabric)
        preparing = shortest(prepare_all, on_cpu) / sampler.steps
        batch = next(batches(0))
        return preparing + shortest(one_step, on_cpu)


def scored_frame_seconds(model: Model, class_count: int, hardware: Hardware) -> float:
    """Seconds in which a network scores one frame of many."""
    fabric = _fabric(hardware)
    network = build_network(model, class_count).to(fabric.device)
    frames = _frames(_SCORED_FRAMES, model.input_size_px, class_count)
    return shortest(lambda: logits_of(fabric, network, frames, _ANY), _on_cpu(fabric)) / _SCORED_FRAMES


@cache
def _prepared(text: str) -> Fabric:
    return prepare(Hardware.model_validate_json(text))


def _fabric(hardware: Hardware) -> Fabric:
    """Prepare once for all measurements; in one process, as each of several does its share."""
    return _prepared(hardware.model_copy(update={"devices": 1}).model_dump_json())


def _on_cpu(fabric: Fabric) -> bool:
    return fabric.device.type == "cpu"


def _wait(fabric: Fabric) -> None:
    if fabric.device.type == "cuda":
        torch.cuda.synchronize()


def _frames(count: int, size_px: int, class_count: int) -> SplitFrames:
    rng, rows = np.random.default_rng(0), np.arange(count)
    frames = rng.integers(0, 255, (count, size_px, size_px), dtype=np.uint8)
    return SplitFrames(frames, rows, rows, rows % class_count, np.ones(count, np.float32))
