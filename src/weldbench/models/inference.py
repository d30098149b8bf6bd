"""What a network says about frames: logits, probabilities, predictions.csv."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from weldbench.config.models import Model
from weldbench.data.dataset import Dataset, read_split, split_id
from weldbench.data.normalization import Normalization, normalize
from weldbench.data.split import SplitFrames
from weldbench.evaluation.confusion import confusion_matrix, f1, macro
from weldbench.models.features import features_at_hand, last_layer
from weldbench.models.files import TrainedInfo
from weldbench.runtime.hardware import Fabric, memory_for


@dataclass(frozen=True)
class ValidationScore:
    """How good a network is on valid."""

    loss: float
    macro_f1: float


BATCH_FRAMES = 64
_GPU_BATCH_FRAMES = 512  # a GPU is not filled by less
_TIMED_BATCHES = 11


def logits_of(fabric: Fabric, network: nn.Module, split: SplitFrames, normalization: Normalization) -> torch.Tensor:
    """Compute what a network gives for every line of a split, without augmentation: float32 on the CPU, shape (N, ...).

    Args:
        fabric: Its device holds the network, its precision is used.
        network: Switched to evaluation mode. Logits have the shape (N, K).
        split: Frames, uint8, shape (U, S, S), and the N lines that refer to them.
        normalization: Of the network.
    """
    return torch.cat(list(_outputs(fabric, network, split.frames, normalization)))[torch.from_numpy(split.index)]


def probabilities_of(
    fabric: Fabric, network: nn.Module, split: SplitFrames, normalization: Normalization
) -> np.ndarray:
    """Compute the probability of every class for every line of a split, float64, shape (N, K)."""
    logits = logits_of(fabric, network, split, normalization)
    return functional.softmax(logits.double(), dim=1).numpy()


def validation_score(logits: torch.Tensor, labels: np.ndarray) -> ValidationScore:
    """Compute cross entropy and macro F1 from logits, shape (N, K), and the true classes, int64, shape (N,)."""
    loss = functional.cross_entropy(logits.double(), torch.from_numpy(labels))
    confusion = confusion_matrix(labels, logits.argmax(dim=1).numpy(), logits.shape[1])
    return ValidationScore(float(loss), float(macro(f1(confusion))))


def probabilities_of_features(
    network: nn.Module, settings: Model, features: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Compute the probability of every class from what the last layer of a network is given.

    Args:
        network: On any device.
        settings: Of the model.
        features: From `models.features`, float32, shape (N, F).

    Returns:
        float64, shape (N, K).
    """
    _, last = last_layer(network, settings)
    logits = functional.linear(torch.from_numpy(features), last.weight.detach().cpu(), last.bias.detach().cpu())
    return functional.softmax(logits.double(), dim=1).numpy()


def predictions_on(
    fabric: Fabric, network: nn.Module, info: TrainedInfo, dataset: Dataset, split: Path, features_folder: Path | None
) -> pd.DataFrame:
    """Predict valid and test, as predictions.csv holds it, ordered by row.

    Args:
        fabric: Its device holds the network, its precision is used.
        network: As trained.
        info: What its file says about it.
        dataset: Where the frames are.
        split: Path of split.csv.
        features_folder: Of the features of frozen backbones; those that fit save computing them again.

    Returns:
        Columns `split_id`, `split`, `row`, `run`, `label`, and one per class.

    Raises:
        InputError: A file is missing or damaged, or a split has no frame.
    """
    split_table = read_split(split)
    rows = {name: dataset.rows_of(split_table, name) for name in ("valid", "test")}
    features = features_at_hand(features_folder, network, info, dataset, np.concatenate(list(rows.values())))

    def probabilities(name: str) -> NDArray[np.float64]:
        if features:
            return probabilities_of_features(network, info.settings, features.of(rows[name]))
        frames = dataset.load_split(split_table, name, info.settings.input_size_px)
        return probabilities_of(fabric, network, frames, info.normalization)

    return _table(dataset, rows, {name: probabilities(name) for name in rows}, split_id(split))


def _table(
    dataset: Dataset, rows: dict[str, NDArray[np.int64]], probabilities: dict[str, np.ndarray], split_id: str
) -> pd.DataFrame:
    tables = [
        pd.DataFrame(
            {
                "split_id": split_id,
                "split": name,
                "row": some,
                "run": dataset.manifest["run"].to_numpy()[some],
                "label": dataset.manifest["label"].to_numpy()[some],
                **{label: probabilities[name][:, number] for number, label in enumerate(dataset.classes)},
            }
        )
        for name, some in rows.items()
    ]
    return pd.concat(tables).sort_values("row", kind="stable")


@torch.inference_mode()
def milliseconds_per_frame(
    fabric: Fabric, network: nn.Module, size_px: int, normalization: Normalization, batch_frames: int
) -> float:
    """Time the way from stored frames of size_px x size_px to logits back on the CPU, in batches: median per frame."""
    network.eval()
    frames = torch.zeros((batch_frames, size_px, size_px), dtype=torch.uint8)
    seconds = []
    for _ in range(_TIMED_BATCHES):
        started = time.perf_counter()
        _logits(fabric, network, frames, normalization)
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds) / batch_frames


@torch.inference_mode()
def _outputs(
    fabric: Fabric, network: nn.Module, frames: NDArray[np.uint8], normalization: Normalization
) -> Iterator[torch.Tensor]:
    network.eval()
    at_once = BATCH_FRAMES if fabric.device.type == "cpu" else _GPU_BATCH_FRAMES
    for start in range(0, len(frames), at_once):
        batch = torch.from_numpy(np.array(frames[start : start + at_once]))
        yield _logits(fabric, network, batch, normalization)


def _logits(fabric: Fabric, network: nn.Module, frames: torch.Tensor, normalization: Normalization) -> torch.Tensor:
    with fabric.autocast(), memory_for(f"{len(frames)} frames", "free some of it, or set hardware.device to cpu"):
        outputs: torch.Tensor = network(normalize(frames.to(fabric.device), normalization))
    return outputs.float().cpu()
