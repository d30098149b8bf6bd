"""The training that is exported: which one, what it says in float32, and the frames that calibrate its 8-bit graph."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from weldbench.data.dataset import SplitFrames
from weldbench.data.normalization import Normalization, normalize
from weldbench.errors import InputError

CALIBRATION_FRAMES = 40  # of each class, at most
_BATCH_FRAMES = 64


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


def calibration_frames(train: SplitFrames, classes: int) -> NDArray[np.uint8]:
    """Choose frames of train, up to 40 of each class and spread over it, uint8, shape (N, S, S)."""
    chosen = []
    for label in range(classes):
        of_class = np.unique(train.index[train.labels == label])
        places = np.linspace(0, len(of_class) - 1, min(len(of_class), CALIBRATION_FRAMES)).round().astype(np.int64)
        chosen.append(of_class[places])
    frames: NDArray[np.uint8] = train.frames[np.concatenate(chosen)]
    return frames


@torch.inference_mode()
def probabilities_in_fp32(network: nn.Module, normalization: Normalization, split: SplitFrames) -> NDArray[np.float64]:
    """Compute with torch on the CPU, in float32, the probability of every class for each line of a split, (N, K)."""
    batches = [split.frames[start : start + _BATCH_FRAMES] for start in range(0, len(split.frames), _BATCH_FRAMES)]
    logits = [network(normalize(torch.from_numpy(frames), normalization)) for frames in batches]
    probabilities: NDArray[np.float64] = torch.softmax(torch.cat(logits).double(), dim=1).numpy()
    return probabilities[split.index]


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        float(facts["valid_macro_f1"])
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; train that model and seed first") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: this is no record of a training ({error!r}); train again") from None
    return facts
