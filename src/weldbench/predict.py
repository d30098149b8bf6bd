"""What a network says about frames: logits, probabilities, predictions.csv."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional

from weldbench.augment import Normalisation, normalise
from weldbench.confusion import confusion_matrix, f1, macro
from weldbench.frames import Dataset, Part
from weldbench.hardware import Fabric


@dataclass(frozen=True)
class Score:
    """How good a network is on valid."""

    loss: float
    macro_f1: float


BATCH_FRAMES = 64
_TIMED_BATCHES = 11


def logits_of(fabric: Fabric, network: nn.Module, part: Part, normalisation: Normalisation) -> torch.Tensor:
    """Compute what a network gives for every line of a part, without augmentation: float32 on the CPU, (N, ...)."""
    return torch.cat(list(_outputs(fabric, network, part, normalisation)))[torch.from_numpy(part.index)]


def probabilities_of(fabric: Fabric, network: nn.Module, part: Part, normalisation: Normalisation) -> np.ndarray:
    """Compute the probability of every class for every line of a part, float64, shape (N, K)."""
    logits = logits_of(fabric, network, part, normalisation)
    return functional.softmax(logits.double(), dim=1).numpy()


def score(logits: torch.Tensor, labels: np.ndarray) -> Score:
    """Compute cross entropy and macro F1 from logits, shape (N, K), and the true classes, int64, shape (N,)."""
    loss = functional.cross_entropy(logits.double(), torch.from_numpy(labels))
    confusion = confusion_matrix(labels, logits.argmax(dim=1).numpy(), logits.shape[1])
    return Score(float(loss), float(macro(f1(confusion))))


def predictions_table(
    dataset: Dataset, parts: dict[str, Part], probabilities: dict[str, np.ndarray], split_id: str
) -> pd.DataFrame:
    """Put predictions together as predictions.csv wants them, ordered by row."""
    tables = [
        pd.DataFrame(
            {
                "split_id": split_id,
                "part": name,
                "row": part.rows,
                "run": dataset.manifest["run"].to_numpy()[part.rows],
                "label": np.array(dataset.classes)[part.labels],
                **{label: probabilities[name][:, number] for number, label in enumerate(dataset.classes)},
            }
        )
        for name, part in parts.items()
    ]
    return pd.concat(tables).sort_values("row", kind="stable")


@torch.inference_mode()
def milliseconds_per_frame(
    fabric: Fabric, network: nn.Module, size_px: int, normalisation: Normalisation, batch_frames: int
) -> float:
    """Time the way from stored frames of size_px x size_px to logits back on the CPU, in batches: median per frame."""
    network.eval()
    frames = torch.zeros((batch_frames, size_px, size_px), dtype=torch.uint8)
    seconds = []
    for _ in range(_TIMED_BATCHES):
        started = time.perf_counter()
        _logits(fabric, network, frames, normalisation)
        seconds.append(time.perf_counter() - started)
    return 1000 * statistics.median(seconds) / batch_frames


@torch.inference_mode()
def _outputs(fabric: Fabric, network: nn.Module, part: Part, normalisation: Normalisation) -> Iterator[torch.Tensor]:
    network.eval()
    for start in range(0, len(part.frames), BATCH_FRAMES):
        frames = torch.from_numpy(part.frames[start : start + BATCH_FRAMES])
        yield _logits(fabric, network, frames, normalisation)


def _logits(fabric: Fabric, network: nn.Module, frames: torch.Tensor, normalisation: Normalisation) -> torch.Tensor:
    with fabric.autocast():
        outputs = network(normalise(frames.to(fabric.device), normalisation))
    return outputs.float().cpu()
