"""What a frozen backbone says about frames and their changed views: computed once, for every seed, fold and score."""

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import nn

from weldbench.config.models import Model
from weldbench.config.training import Augment
from weldbench.data.dataset import Dataset, resident
from weldbench.data.normalization import Normalization, normalize
from weldbench.models.features import FloatArray, FrameFeatures, IntArray, backbone_id
from weldbench.runtime.hardware import Fabric, memory_for
from weldbench.runtime.progress import reporting
from weldbench.runtime.seeding import Stream, generator, seed_torch
from weldbench.training.augment import augment_on_device, sample_params
from weldbench.training.simulated_frames import frames_to_simulate, simulated_batches

_CPU_AT_ONCE = 32  # fewer do not fill the cores, more do not fit the caches
_GPU_REMEDY = "free some of it, or set hardware.device to cpu"
_CHUNK_FRAMES = 256  # loaded at a time, so that memory does not grow with the dataset


def compute_features(
    fabric: Fabric,
    backbone: nn.Module,
    normalization: Normalization,
    settings: Model,
    augment: Augment,
    dataset: Dataset,
    train_rows: IntArray,
    other_rows: IntArray,
) -> FrameFeatures:
    """Compute the features of all frames, of the views of the training frames, and of simulated ones.

    Args:
        fabric: From `hardware.prepare`.
        backbone: From `without_last_layer`.
        normalization: What its input wants.
        settings: Of the model: input size, views, simulated frames.
        augment: How views are changed.
        dataset: Where the frames are.
        train_rows: Rows to learn from, int64; views are made of these.
        other_rows: Rows to score, int64.
    """
    rows, view_rows = np.union1d(train_rows, other_rows), np.unique(train_rows)
    size_px, views = settings.input_size_px, settings.augment_views
    simulated_count = frames_to_simulate(settings, dataset.classes)
    backbone = backbone.to(fabric.device)
    passes = len(rows) + views * len(view_rows) + simulated_count
    labels = [np.empty(0, np.int64)]
    with reporting(f"features of {settings.name}", passes, "frames") as advance:

        def features(inputs: torch.Tensor) -> FloatArray:
            advance(len(inputs))
            return _outputs(fabric, backbone, inputs)

        def of_frames(frames: np.ndarray) -> FloatArray:
            return features(normalize(torch.from_numpy(frames).to(fabric.device), normalization))

        def of_views(number: int, some: IntArray) -> FloatArray:
            made = _views(fabric, resident(dataset.frames, some, size_px), views, augment, normalization, number)
            return np.stack([features(view) for view in made], axis=1)

        plain = _joined(len(rows), (of_frames(resident(dataset.frames, some, size_px)) for some in _chunks(rows)))
        changed = np.empty((len(view_rows), 0, plain.shape[1]), np.float32)
        if views:
            changed = _joined(len(view_rows), itertools.starmap(of_views, enumerate(_chunks(view_rows))))
        simulated = [plain[:0]]
        for frames, classes in simulated_batches(simulated_count, size_px, dataset.classes):
            simulated.append(of_frames(frames))
            labels.append(classes)
    backbone_hash = backbone_id(backbone, normalization, settings, dataset)
    simulated_features, simulated_labels = np.concatenate(simulated), np.concatenate(labels)
    return FrameFeatures(rows, plain, view_rows, changed, simulated_features, simulated_labels, backbone_hash)


def _joined(count: int, parts: Iterator[FloatArray]) -> FloatArray:
    """Join parts of `count` lines in all, each put in its place at once: memory holds no second copy."""
    first = next(parts)
    result, start = np.empty((count, *first.shape[1:]), np.float32), 0
    for part in itertools.chain([first], parts):
        result[start : start + len(part)] = part
        start += len(part)
    return result


def _chunks(rows: IntArray) -> Iterable[IntArray]:
    return [rows[start : start + _CHUNK_FRAMES] for start in range(0, len(rows), _CHUNK_FRAMES)]


def _views(
    fabric: Fabric, frames: np.ndarray, views: int, augment: Augment, normalization: Normalization, chunk: int
) -> Iterator[torch.Tensor]:
    """Yield each view of some frames, uint8 of shape (B, S, S), as inputs: float32, shape (B, 1, S, S)."""
    rng = generator(Stream.VIEWS, chunk)
    if fabric.device.type == "cpu":
        return _views_on_cpu(frames, views, augment, normalization, rng)
    seed_torch(Stream.VIEWS, chunk)  # a GPU draws its noise itself
    return _views_on_device(torch.from_numpy(frames).to(fabric.device), views, augment, normalization, rng)


def _views_on_device(
    frames: torch.Tensor, views: int, augment: Augment, normalization: Normalization, rng: np.random.Generator
) -> Iterator[torch.Tensor]:
    for _ in range(views):
        params = sample_params(augment, len(frames), rng)
        yield augment_on_device(frames, params, augment, normalization, others=frames)


def _views_on_cpu(
    frames: np.ndarray, views: int, augment: Augment, normalization: Normalization, rng: np.random.Generator
) -> Iterator[torch.Tensor]:
    # A machine that computes on its GPU has no need of numba.
    from weldbench.training.augment_cpu import CPU_GROUP, CpuAugmentation

    change = CpuAugmentation(frames, augment, normalization, seed=0)
    size_px, groups = frames.shape[-1], -(-len(frames) // CPU_GROUP)
    for _ in range(views):
        # Frames of a group share a change: another group for each view. The last group is filled up.
        order = rng.permutation(len(frames))
        which = np.resize(order, (groups, CPU_GROUP))
        inputs = np.empty((*which.shape, size_px, size_px), np.float32)
        change(which, sample_params(augment, groups, rng, CPU_GROUP), inputs)
        view = np.empty((len(frames), 1, size_px, size_px), np.float32)
        view[order, 0] = inputs.reshape(-1, size_px, size_px)[: len(order)]
        yield torch.from_numpy(view)


@torch.inference_mode()
def _outputs(fabric: Fabric, backbone: nn.Module, inputs: torch.Tensor) -> FloatArray:
    at_once = _CPU_AT_ONCE if fabric.device.type == "cpu" else len(inputs)
    with fabric.autocast(), memory_for("the features of a batch of frames", _GPU_REMEDY):
        parts = [backbone(some).float().cpu() for some in inputs.split(at_once)]
    return torch.cat(parts).numpy()
