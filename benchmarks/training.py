"""Training speed as ratios within one run: against one resident batch, the plain recipe, and the usual script.

    python benchmarks/training.py [--sample FOLDER] [--rounds N] [--threads N]

- efficiency_M: frames/s of whole epochs, augmentation included, over frames/s on one resident batch.
- step_M: steps/s over those of the plain recipe (float32, contiguous, three channels, optimizer not fused).
- epoch_M: frames/s of whole epochs over those of a usual script (torch DataLoader over the PNG files with two workers,
  Pillow, torchvision transforms, and the plain recipe).
- start_up: seconds from the start of `train.py` to the end of its first step, Full-con6.

Rounds of both sides alternate, so that a busy machine slows both, and one resident batch is timed before and after each
epoch; the median of the rounds' ratios counts.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from peers import RATE, Peer, write_pngs
from results import Measured, machine, print_lines, write_section

from weldbench.config import load_params
from weldbench.config.models import Model
from weldbench.config.training import Augment, Hardware
from weldbench.data.normalization import Normalization
from weldbench.data.split import SplitFrames
from weldbench.models.architectures import build_network
from weldbench.runtime.hardware import Fabric, prepare
from weldbench.training.batches import Batch, BatchSampler, cpu_batches
from weldbench.training.loop import build_optimizer, set_rate, train_step

ROOT = Path(__file__).parents[1]
SIZES = {"full_con6": 64, "conv6": 112, "resnet18": 224, "efficientnet_lite0": 224}
# Steps of one round: about a second of each on two cores.
STEPS = {"full_con6": 800, "conv6": 16, "resnet18": 4, "efficientnet_lite0": 4}
CLASSES = 6
NORMALIZATION = Normalization(0.3, 0.2)


def main() -> None:
    """Measure all, print the lines, and write the section of RESULTS.md."""
    arguments = parse_arguments()
    params = load_params(ROOT / "params.yaml")
    hardware = params.hardware.model_copy(update={"devices": 1, "device": "cpu", "threads": arguments.threads})
    fabric = prepare(hardware)
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        pngs = write_pngs(arguments.sample, Path(folder) / "pngs")
        for name, size in SIZES.items():
            changes = {"input_size_px": size, "batch_size": 32, "min_steps": 0}
            settings = params.models[name].model_copy(update=changes)
            with Peer(settings, CLASSES, pngs, arguments.threads) as peer:
                measured += measure(fabric, settings, params.train.augment, peer, arguments.rounds)
        measured.append(start_up(Path(folder), hardware, arguments.rounds))
    print_lines(measured)
    write_section(f"Training on a CPU, torch with {arguments.threads} threads", machine(hardware, fabric), measured)


def measure(fabric: Fabric, settings: Model, augment: Augment, peer: Peer, rounds: int) -> list[Measured]:
    """Measure one network's three ratios."""
    name, size, steps = settings.architecture, settings.input_size_px, STEPS[settings.architecture]
    network = build_network(settings, CLASSES)
    model, optimizer = fabric.setup(network, build_optimizer(network, settings, fabric.device))
    set_rate(optimizer, RATE)
    epoch_batches = cpu_batches(*invented_frames(settings, size, steps), augment, NORMALIZATION)
    resident = next(iter(epoch_batches(0)))

    def train_network(batches: Iterable[Batch]) -> None:
        for batch in batches:
            train_step(fabric, model, optimizer, settings, batch)

    ratios: dict[str, list[float]] = {"efficiency": [], "step": [], "epoch": []}
    for number in range(rounds + 1):
        train_network([resident])  # the peer has used the caches
        before = seconds_per_step(lambda: train_network([resident] * steps), steps)
        whole = seconds_per_step(lambda n=number: train_network(epoch_batches(n)), steps)
        on_one = (before + seconds_per_step(lambda: train_network([resident] * steps), steps)) / 2
        plain = peer.seconds_per_step(steps)
        script = peer.seconds_per_step_from_files(max(1, steps // 20))
        if number > 0:  # the first round warms up
            ratios["efficiency"].append(on_one / whole)
            ratios["step"].append(plain / on_one)
            ratios["epoch"].append(script / whole)
    return [Measured(f"{kind}_{name}", values, "x") for kind, values in ratios.items()]


def seconds_per_step(run: Callable[[], object], steps: int) -> float:
    """Return the wall time of `run()` per step."""
    started = time.perf_counter()
    run()
    return (time.perf_counter() - started) / steps


def invented_frames(settings: Model, size: int, steps: int) -> tuple[SplitFrames, BatchSampler]:
    """Return frames of noise that fill exactly `steps` batches."""
    rng = np.random.default_rng(0)
    count = steps * settings.batch_size
    frames = rng.integers(0, 256, (min(count, 512), size, size), dtype=np.uint8)
    labels, ones = rng.integers(0, CLASSES, count), np.ones(count, np.float32)
    split = SplitFrames(frames, np.arange(count) % len(frames), np.arange(count), labels, ones)
    return split, BatchSampler(settings, labels, ones, seed=0)


FIRST_STEP = """
import os, runpy, sys, time, weldbench.training.loop as engine
step = engine.train_step
def first(*arguments):
    step(*arguments)
    print(time.time(), flush=True)
    os._exit(0)
engine.train_step = first
sys.path.insert(0, os.path.dirname(sys.argv[1]))
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def start_up(folder: Path, hardware: Hardware, rounds: int) -> Measured:
    """Measure the time from starting Python to the end of the first step on a small dataset."""
    data = folder / "data"
    data.mkdir()
    np.save(data / "frames.npy", np.random.default_rng(0).integers(0, 256, (96, 64, 64), dtype=np.uint8))
    labels = [f"class{number % CLASSES}" for number in range(96)]
    manifest = {"row": range(96), "path": [f"a/{n}.png" for n in range(96)], "run": "a", "label": labels}
    pd.DataFrame({**manifest, "published_split": "", "sha256": ""}).to_csv(data / "manifest.csv", index=False)
    (data / "inventory.json").write_text(json.dumps({"classes": labels[:CLASSES]}))
    splits = ["train"] * 64 + ["valid"] * 32
    pd.DataFrame({"row": range(96), "split": splits}).to_csv(data / "split.csv", index=False)
    arguments = ["--params", ROOT / "params.yaml", "--dataset", "weldsim", "--model", "full_con6", "--seed", "0"]
    arguments += ["--data", data, "--split", data / "split.csv", "--output", folder / "trained"]
    seconds = []
    for _ in range(rounds + 1):
        started = time.time()
        command = [sys.executable, "-c", FIRST_STEP.replace("sys.argv[1]", repr(str(ROOT / "scripts" / "train.py")))]
        ended = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, check=True).stdout
        seconds.append(float(ended) - started)
    return Measured("start_up", seconds[1:], "s")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sample",
        type=Path,
        default=os.environ.get("WELDBENCH_SAMPLE"),
        help="folder of PNG frames of 1280 x 700, by default that of WELDBENCH_SAMPLE; without it frames of noise",
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of torch, on both sides")
    return parser.parse_args()


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
