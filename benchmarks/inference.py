"""How fast exported models judge frames of 1280x700, against torch as it is usually run, in ratios of one run.

    WELDBENCH_SAMPLE=folder python benchmarks/inference.py [--rounds N] [--camera MODEL]

The weights are random: they decide no time. Frames are real ones of 1280x700 from the folder of the environment
variable WELDBENCH_SAMPLE. Everything runs in one thread and is measured in seconds of a core, which hardly depend on
what else the machine does. Of `weldbench predict`, its start included, there are two ratios: predict_efficiency in
seconds of a clock, in which it reads ahead on a second core, and predict_efficiency_of_a_core.
"""

import argparse
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from results import Measured, machine, print_lines, write_section
from torch import nn

from weldbench.config import load_params
from weldbench.config.models import ARCHITECTURES
from weldbench.config.training import Hardware
from weldbench.data.normalization import Normalization, normalize
from weldbench.data.resize import area_mean
from weldbench.deploy.bundle import FP32, HEAT, INT8, RESIZE, Bundle, load_bundle, save_bundle
from weldbench.deploy.decision import Rule
from weldbench.deploy.graph import export_graphs, joined
from weldbench.deploy.quantize import quantized
from weldbench.deploy.runtimes import Session, open_session
from weldbench.ingest.decode import decode
from weldbench.models.architectures import build_network
from weldbench.models.files import TrainedInfo
from weldbench.runtime.hardware import prepare

SIZE_PX, FRAMES, BATCH_FRAMES = 224, 1000, 32
CLASSES = [f"class{number}" for number in range(6)]
RUNTIMES = ("onnxruntime", "openvino")
NORMALIZATION = Normalization(0.4, 0.2)


def main() -> None:
    """Measure, print the lines, and write the section of RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--camera", default="efficientnet_lite0", help="model of the camera's lines")
    arguments = parser.parse_args()
    fabric = prepare(hardware := Hardware(device="cpu", threads=1))
    frames = sorted(Path(os.environ["WELDBENCH_SAMPLE"]).rglob("*.png"))
    with tempfile.TemporaryDirectory() as folder:
        measured = [
            *against_eager(Path(folder), frames, arguments.rounds),
            *all_models(Path(folder), frames[0], arguments.rounds),
            *camera(Path(folder), arguments.camera, frames, arguments.rounds),
            *predict_efficiency(Path(folder), arguments.camera, frames, min(arguments.rounds, 3)),
        ]
    print_lines(measured)
    about = (
        f"From frames of 1280 x 700 pixels to decisions, networks at {SIZE_PX} pixels; camera lines with "
        f"{arguments.camera} on one core, from the bytes of PNG files. {machine(hardware, fabric)}"
    )
    write_section("Inference", about, measured)


def against_eager(folder: Path, frames: list[Path], rounds: int) -> list[Measured]:
    """Compare ResNet-18 in 8 bits with eager torch in float32, channels last, from levels at 224 pixels."""
    network, bundle = exported(folder, "resnet18")
    levels = np.stack(
        [
            area_mean(decode(path.read_bytes()).gray, SIZE_PX)
            for path in itertools.islice(itertools.cycle(frames), BATCH_FRAMES)
        ]
    )
    found = {name: [] for name in ("int8_vs_eager_resnet18", "int8_vs_eager_resnet18_batch32")}
    sessions = [open_session(bundle, runtime, 1, int8=True) for runtime in RUNTIMES]
    for _ in range(rounds):
        for values, count in zip(found.values(), (1, BATCH_FRAMES), strict=True):
            batch = levels[:count]
            usual = seconds(eager, network, batch)
            values.append(usual / min(seconds(session.run, batch) for session in sessions))
    return [Measured(name, values, "x") for name, values in found.items()]


def all_models(folder: Path, frame: Path, rounds: int) -> list[Measured]:
    """Time every network of the default comparison in both runtimes, from the pixels of one frame of 1280x700."""
    pixels = decode(frame.read_bytes()).gray[None]
    found = []
    params = load_params()
    for name in dict.fromkeys(params.models[model].architecture for model in params.compare.models):
        _, bundle = exported(folder, name)
        for runtime, int8 in itertools.product(RUNTIMES, (False, True)):
            session = open_session(bundle, runtime, 1, int8)
            values = [1000 * seconds(session.run, pixels) for _ in range(rounds)]
            found.append(Measured(f"{name}_{runtime}_{'int8' if int8 else 'fp32'}", values, "ms per frame"))
    return found


def camera(folder: Path, model: str, frames: list[Path], rounds: int) -> list[Measured]:
    """Count frames per second on one core, from the bytes of a PNG to the decision, for each graph and runtime."""
    _, bundle = exported(folder, model)
    rule, contents = Rule(bundle), [path.read_bytes() for path in frames[:20]]
    graphs = {
        f"{runtime}_{'int8' if int8 else 'fp32'}": open_session(bundle, runtime, 1, int8)
        for runtime, int8 in itertools.product(RUNTIMES, (False, True))
    }
    found: dict[str, list[float]] = {name: [] for name in graphs}
    for _ in range(rounds):
        for name, session in graphs.items():
            found[name].append(len(contents) / seconds(judge_all, session, rule, contents, repeats=1))
    lines = [Measured(f"camera_fps_one_core_{name}", values, "frames/s") for name, values in found.items()]
    best = max(lines, key=lambda line: line.median)
    return [Measured("camera_fps_one_core", best.values, "frames/s"), *lines]


def predict_efficiency(folder: Path, model: str, frames: list[Path], rounds: int) -> list[Measured]:
    """Compare `weldbench predict` over 1,000 files, its start included, with decoding and the model measured apart."""
    _, bundle = exported(folder, model)
    session, rule = open_session(bundle), Rule(bundle)
    pictures = folder / "pictures"
    pictures.mkdir()
    for number, path in zip(range(FRAMES), itertools.cycle(frames), strict=False):
        shutil.copy(path, pictures / f"{number}.png")
    command = [
        Path(sys.executable).with_name("weldbench"),
        "predict",
        bundle.folder,
        pictures,
        "--output",
        folder / "rows.csv",
    ]
    of_the_clock, of_a_core = [], []
    contents = [path.read_bytes() for path in frames[:50]]
    judge_all(session, rule, contents)
    for _ in range(rounds):
        before = os.times()
        judge_all(session, rule, contents)
        between = os.times()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        after = os.times()
        repeats = FRAMES / len(contents)
        apart = between.user + between.system - before.user - before.system
        used = after.children_user + after.children_system - between.children_user - between.children_system
        of_a_core.append(repeats * apart / used)
        of_the_clock.append(repeats * (between.elapsed - before.elapsed) / (after.elapsed - between.elapsed))
    return [
        Measured("predict_efficiency", of_the_clock, "x"),
        Measured("predict_efficiency_of_a_core", of_a_core, "x"),
    ]


def judge_all(session: Session, rule: Rule, contents: list[bytes]) -> list[bool]:
    """Judge frames from their bytes, as a loop of one's own would."""
    return [bool(rule.decide(session.run(decode(data).gray[None]).probabilities)[0]) for data in contents]


@torch.inference_mode()
def eager(network: nn.Module, levels: np.ndarray) -> np.ndarray:
    """Compute probabilities with torch as it is, in float32, channels last."""
    batch = normalize(torch.from_numpy(levels), NORMALIZATION).contiguous(memory_format=torch.channels_last)
    return torch.softmax(network(batch), dim=1).numpy()


def seconds(work: Callable[..., object], *arguments: object, repeats: int = 5) -> float:
    """Time a call in seconds of a core: the median of a few repeats, after one that does not count."""
    work(*arguments)
    taken = []
    for _ in range(repeats):
        started = time.process_time()
        work(*arguments)
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def exported(folder: Path, model: str) -> tuple[nn.Module, Bundle]:
    """Export a model with random weights, once."""
    torch.manual_seed(0)
    settings = ARCHITECTURES[model](architecture=model, input_size_px=SIZE_PX, epochs=1, learning_rate=0.1)
    network = build_network(settings, len(CLASSES)).eval()
    target = folder / model
    if not target.exists():
        target.mkdir()
        graphs = export_graphs(network, TrainedInfo(settings, CLASSES, NORMALIZATION, "none", 0, 0), SIZE_PX)
        noise = np.random.default_rng(0).integers(0, 256, (16, SIZE_PX, SIZE_PX)).astype(np.uint8)
        models = {RESIZE: graphs.resize, FP32: joined(graphs.resize, graphs.network), HEAT: graphs.heat}
        models[INT8] = joined(graphs.resize, quantized(graphs.network, noise))
        for name, graph in models.items():
            if graph:
                onnx.save(graph, target / name)
        thresholds, counts = {0.01: 0.5}, (15, SIZE_PX, SIZE_PX)
        paths = target / RESIZE, target / FP32
        save_bundle(Bundle(target, model, "none", tuple(CLASSES), CLASSES[0], thresholds, *counts, {}, *paths), {})
    return network, load_bundle(target)


if __name__ == "__main__":
    main()
