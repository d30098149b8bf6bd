"""Simulated frames that join what a model learns from: those of the stream that pretraining renders."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from weldbench.config.models import Model
from weldbench.data.split import SplitFrames
from weldbench.runtime.text import counted
from weldbench.weldsim import CLASSES, render_batch

_AT_ONCE = 32
_SEED = 0


def simulates(classes: Sequence[str]) -> bool:
    """Tell whether the simulator knows exactly these classes, in any order."""
    return sorted(classes) == sorted(CLASSES)


def frames_to_simulate(settings: Model, classes: Sequence[str]) -> int:
    """Return how many simulated frames a model learns from: none of a dataset with classes of its own."""
    return settings.simulated_frames if simulates(classes) else 0


def sentence_about_simulated(settings: Model, classes: Sequence[str]) -> str | None:
    """Say what simulated frames a model learns from, or why from none that its settings ask for."""
    if not settings.simulated_frames:
        return None
    if not simulates(classes):
        return (
            f"{settings.name} learns from no simulated frames: models.{settings.name}.simulated_frames asks for "
            f"{settings.simulated_frames}, but the dataset has other classes than weldsim."
        )
    return (
        f"{settings.name} also learns from {counted(settings.simulated_frames, 'simulated frame')}, with "
        f"{settings.simulated_weight:.0%} of the total weight; none is in valid or test."
    )


def simulated_batches(
    count: int, size_px: int, classes: Sequence[str]
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Render frames, always the same ones, classes in equal shares.

    Args:
        count: Frames in all.
        size_px: Height and width.
        classes: Of the dataset, those of weldsim in any order; labels are numbers of these.

    Yields:
        Frames, uint8, shape (B, size_px, size_px), and labels, int64, shape (B,).
    """
    for batch in range(-(-count // _AT_ONCE)):
        frames, labels = render_batch((_SEED, batch), min(_AT_ONCE, count - batch * _AT_ONCE), size_px)
        yield frames, np.array([list(classes).index(CLASSES[label]) for label in labels], np.int64)


def with_simulated(train: SplitFrames, settings: Model, classes: Sequence[str]) -> SplitFrames:
    """Add the simulated frames that the settings ask for; together they have `simulated_weight` of the total weight.

    Args:
        train: The real frames, uint8, shape (U, S, S).
        settings: Of the model.
        classes: Of the dataset.

    Returns:
        The same split where there is nothing to add. The row of a simulated frame is -1.
    """
    count = frames_to_simulate(settings, classes)
    if not count:
        return train
    batches = list(simulated_batches(count, train.frames.shape[-1], classes))
    frames = np.concatenate([frames for frames, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    share = settings.simulated_weight
    weight = train.weights.sum() * share / (1 - share) / count
    return SplitFrames(
        frames=np.concatenate([train.frames, frames]),
        index=np.concatenate([train.index, len(train.frames) + np.arange(count)]),
        rows=np.concatenate([train.rows, np.full(count, -1)]),
        labels=np.concatenate([train.labels, labels]),
        weights=np.concatenate([train.weights, np.full(count, weight, np.float32)]),
    )
