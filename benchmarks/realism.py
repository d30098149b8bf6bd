"""How well simulated frames can be told from real ones.

    python benchmarks/realism.py --train FOLDER --test FOLDER [--epochs N] [--seeds N] [--record]

Each folder is a split of a published layout: `{name}.json` and the frames that it names. real_or_simulated_auc: how
well a small network, trained on crops of `--train` and as many simulated ones, tells crops of `--test` from other
simulated ones; all crops have the same (flat) histogram. fine_detail_auc: how well one number, the contrast between
neighboring pixels, tells them; above 0.5 the simulated crops are the coarser ones, below it the finer ones. A round is
a seed.
"""

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from results import Measured, machine, print_lines, write_section
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score
from torch import nn

from weldbench.config import Params, load_params
from weldbench.data.normalization import Normalization
from weldbench.data.split import SplitFrames
from weldbench.models.architectures import build_network
from weldbench.models.inference import probabilities_of
from weldbench.runtime.hardware import Fabric, prepare
from weldbench.training.batches import BatchSampler, cpu_batches
from weldbench.training.loop import TrainingData, fit
from weldbench.weldsim import render_batch

CROPPED_PX, CROP_PX = 96, 64  # frames that crops are cut from, and the crops
BATCH = 32
NORMALIZATION = Normalization(mean=0.25, std=0.2)


@dataclass(frozen=True)
class Trainer:
    """Trains a small network as the project does, and takes the last weights."""

    fabric: Fabric
    params: Params

    def train(self, split: SplitFrames, epochs: int, seed: int) -> nn.Module:
        """Train on a split of crops, from random weights."""
        torch.manual_seed(seed)
        changes = {"epochs": epochs, "min_steps": 0, "learning_rate": 0.01, "batch_size": BATCH}
        settings = self.params.models["conv6"].model_copy(update=changes | {"input_size_px": split.frames.shape[-1]})
        network = build_network(settings, class_count=2)
        sampler = BatchSampler(settings, split.labels, split.weights, seed)
        batches = cpu_batches(split, sampler, self.params.train.augment, NORMALIZATION)
        data = TrainingData(batches, sampler.steps, sampler.batch_size)
        network.load_state_dict(fit(self.fabric, network, settings, data, seed).best_state)
        return network

    def probabilities(self, network: nn.Module, split: SplitFrames) -> np.ndarray:
        """Return class probabilities, shape (N, 2)."""
        return probabilities_of(self.fabric, network.eval(), split, NORMALIZATION)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=22, help="passes over the crops")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--record", action="store_true", help="also write the section of RESULTS.md")
    arguments = parser.parse_args()
    params = load_params()
    hardware = params.hardware.model_copy(update={"device": "cpu", "devices": 1, "threads": os.cpu_count()})
    trainer = Trainer(prepare(hardware), params)
    train, test = (read_frames(folder, CROPPED_PX) for folder in (arguments.train, arguments.test))
    aucs, detail_aucs = zip(
        *(real_or_simulated(trainer, train, test, arguments.epochs, seed) for seed in range(arguments.seeds)),
        strict=True,
    )
    measured = [
        Measured("real_or_simulated_auc", list(aucs), "1"),
        Measured("fine_detail_auc", list(detail_aucs), "1"),
    ]
    print_lines(measured)
    if arguments.record:
        introduction = f"{len(train)} real frames to learn from, {len(test)} of other runs; a round is a seed. "
        write_section("Real or simulated", introduction + machine(hardware, trainer.fabric), measured)


def read_frames(folder: Path, side_px: int) -> SplitFrames:
    """Read the frames of one split of a published layout, squeezed to squares."""
    labels = json.loads((folder / f"{folder.resolve().name}.json").read_text(encoding="utf-8"))
    frames = [
        np.asarray(Image.open(folder / path).convert("L").resize((side_px, side_px), Image.Resampling.BOX))
        for path in labels
    ]
    return _split_frames(np.stack(frames), np.array(list(labels.values())))


def simulated_frames(count: int, side_px: int, seed: int) -> SplitFrames:
    """Render frames of the stream for pretraining; twice as fine and averaged, as a camera's pixels are."""
    batches = [render_batch((seed, number), BATCH, 2 * side_px) for number in range(-(-count // BATCH))]
    frames = np.concatenate([_halved(frames) for frames, _ in batches])
    return _split_frames(frames[:count], np.concatenate([labels for _, labels in batches])[:count])


def real_or_simulated(
    trainer: Trainer, train: SplitFrames, test: SplitFrames, epochs: int, seed: int
) -> tuple[float, float]:
    """Train a small network to tell real crops from simulated ones.

    Returns:
        AUC of the network, and of the crops' fine detail alone, on other runs and other scenes.
    """
    rng = np.random.default_rng([seed, 64])
    network = None
    for offset, real in ((100, train), (200, test)):
        both = np.concatenate([_crops(real, rng), _crops(simulated_frames(len(real), CROPPED_PX, seed + offset), rng)])
        split = _split_frames(both, np.repeat([0, 1], len(both) // 2))
        if network is None:
            network = trainer.train(split, epochs, seed)
    told = trainer.probabilities(network, split)[:, 1]
    detail = np.abs(np.diff(split.frames.astype(np.float32))).mean((1, 2))
    return float(roc_auc_score(split.labels, told)), float(roc_auc_score(split.labels, -detail))


def _crops(split: SplitFrames, rng: np.random.Generator, per_frame: int = 4) -> np.ndarray:
    crops = []
    for frame in np.repeat(split.frames, per_frame, axis=0):
        top, left = rng.integers(CROPPED_PX - CROP_PX + 1, size=2)
        crop = frame[top : top + CROP_PX, left : left + CROP_PX]
        crops.append((rankdata(crop) / crop.size * 255).reshape(crop.shape).astype(np.uint8))
    return np.stack(crops)


def _halved(frames: np.ndarray) -> np.ndarray:
    side_px = frames.shape[1] // 2
    return np.rint(frames.reshape(len(frames), side_px, 2, side_px, 2).mean((2, 4), dtype=np.float32)).astype(np.uint8)


def _split_frames(frames: np.ndarray, labels: np.ndarray) -> SplitFrames:
    """Make a split of frames, uint8 of shape (N, S, S), and their labels; all weigh the same."""
    lines = np.arange(len(labels))
    return SplitFrames(frames, lines, lines, labels.astype(np.int64), np.ones(len(labels), np.float32))


if __name__ == "__main__":
    main()
