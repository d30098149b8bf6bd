"""The training that is exported: which one, what it says in float32, and the frames that calibrate its 8-bit graph."""

import copy
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from weldbench.data.dataset import Dataset, resident
from weldbench.data.normalization import normalize
from weldbench.data.split import SplitRows
from weldbench.errors import InputError
from weldbench.models.files import TrainedInfo

CALIBRATION_FRAMES = 40  # of each class, at most
_BATCH_FRAMES = 4  # in one thread, 64 would take more than twice as long for each


def best_training(trained: Path, seeds: Sequence[int]) -> tuple[Path, dict[str, Any]]:
    """Find the training with the best macro F1 on valid, the first of equals.

    Args:
        trained: Folder of the trainings of one model and fold; each seed has a folder `seedS` in it.
        seeds: Of the trainings.

    Returns:
        Its folder, and its training.json.

    Raises:
        InputError: A training is missing or damaged.
    """
    found = [(folder, _facts(folder / "training.json")) for folder in (trained / f"seed{seed}" for seed in seeds)]
    return max(found, key=lambda training: float(training[1]["valid_macro_f1"]))


def valid_scores(trained: Mapping[str, Path], seeds: Sequence[int]) -> tuple[dict[str, float], list[str]]:
    """Read the macro F1 on valid of models, the mean over the seeds.

    Args:
        trained: Model -> folder of its trainings of one fold, as of `best_training`.
        seeds: Of the trainings.

    Returns:
        Model -> score; and the models whose valid is too small to choose by.

    Raises:
        InputError: A training is missing or damaged.
    """
    facts = {
        model: [_facts(folder / f"seed{seed}" / "training.json") for seed in seeds] for model, folder in trained.items()
    }
    scores = {model: statistics.fmean(float(one["valid_macro_f1"]) for one in found) for model, found in facts.items()}
    return scores, [model for model, found in facts.items() if any(one["selection"]["doubts"] for one in found)]


def calibration_frames(dataset: Dataset, train: SplitRows, size_px: int) -> NDArray[np.uint8]:
    """Choose frames of train, up to 40 of each class and spread over it, uint8, shape (N, size_px, size_px)."""
    chosen = []
    for label in range(len(dataset.classes)):
        of_class = train.rows[train.labels == label]
        places = np.linspace(0, len(of_class) - 1, min(len(of_class), CALIBRATION_FRAMES)).round().astype(np.int64)
        chosen.append(of_class[places])
    return resident(dataset.frames, np.concatenate(chosen), size_px)


@torch.inference_mode()
def probabilities_in_fp32(
    network: nn.Module, info: TrainedInfo, dataset: Dataset, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Compute with torch on the CPU, in float32, the probability of every class for each row, float64, shape (N, K)."""
    network = copy.deepcopy(network).to(memory_format=torch.channels_last)
    logits = []
    for start in range(0, len(rows), _BATCH_FRAMES):
        frames = resident(dataset.frames, rows[start : start + _BATCH_FRAMES], info.settings.input_size_px)
        logits.append(network(normalize(torch.from_numpy(frames), info.normalization)))
    probabilities: NDArray[np.float64] = torch.softmax(torch.cat(logits).double(), dim=1).numpy()
    return probabilities


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        float(facts["valid_macro_f1"])
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; train that model and seed first") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: this is no record of a training ({error!r}); train again") from None
    return facts
