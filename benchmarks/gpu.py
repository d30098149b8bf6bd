"""Speed of ResNet-18 on 24,204 frames of 224 pixels, the published training, on one CUDA GPU, mode by mode.

    python benchmarks/gpu.py [--batch-sizes 32 256] [--epochs 2] [--device cuda]

Content is noise: it costs as much as frames of welds. A few epochs are run and 30 computed from them, as all epochs do
the same. It needs torch, torchvision, numpy, pandas, pydantic, safetensors, lightning and PyYAML (with `--device cpu`
numba, too), and no installation of this project: it runs from a checkout.

Modes: `recorded` is what a training does: deterministic, its step replayed as a CUDA graph. Each other mode changes one
thing: `stepwise` launches every kernel by itself, `free` lets cuDNN choose its kernels by their times, `compiled` has
inductor fuse them, `fp32` computes in float32.

Lines, for each batch size B and mode:
- rate_B_MODE: frames/s of whole epochs, augmentation on the GPU included.
- resident_B_MODE: frames/s on one batch that is ready on the GPU: the limit.
- minutes_B_MODE: 30 epochs of 24,204 frames, without the first epoch's warm-up, which warmup_B_MODE tells in seconds.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from weldbench.config import load_params  # noqa: E402
from weldbench.config.models import Model  # noqa: E402
from weldbench.config.training import Augment, Hardware  # noqa: E402
from weldbench.data.normalization import Normalization  # noqa: E402
from weldbench.data.split import SplitFrames  # noqa: E402
from weldbench.models.architectures import build_network  # noqa: E402
from weldbench.runtime.hardware import Fabric, device_name, peak_memory_bytes, prepare  # noqa: E402
from weldbench.training.batches import Batch, BatchSampler, cpu_batches, device_batches  # noqa: E402
from weldbench.training.cuda_graph import GraphedStep  # noqa: E402
from weldbench.training.loop import build_optimizer, train_step  # noqa: E402

PUBLISHED_FRAMES, PUBLISHED_EPOCHS, CLASSES = 24_204, 30, 6
NORMALIZATION = Normalization(0.3, 0.2)
MODES = ("recorded", "stepwise", "free", "compiled", "fp32")


def main() -> None:
    """Measure every batch size in every mode and print the lines."""
    arguments = parse_arguments()
    params = load_params(ROOT / "params.yaml")
    hardware = params.hardware.model_copy(update={"device": arguments.device, "devices": 1})
    fabric = prepare(hardware)
    facts = {"device": device_name(fabric.device), "torch": torch.__version__, "frames": arguments.frames}
    print(json.dumps(facts), file=sys.stderr)
    for batch_size in arguments.batch_sizes:
        changes = {"input_size_px": arguments.size, "batch_size": batch_size, "min_steps": 0}
        settings = params.models["resnet18"].model_copy(update=changes)
        split = invented_frames(arguments.frames, arguments.size)
        for mode in arguments.modes:
            measure(
                prepared(hardware, mode),
                settings,
                split,
                params.train.augment,
                arguments.epochs,
                mode,
                arguments.profile,
            )
    print(f"peak_memory\t{peak_memory_bytes(fabric.device) / 2**30:.2f}\tGiB")


def measure(
    fabric: Fabric, settings: Model, split: SplitFrames, augment: Augment, epochs: int, mode: str, profile: bool
) -> None:
    """Train a fresh network for one epoch to warm up and for `epochs` more; print its lines."""
    torch.manual_seed(0)
    network = build_network(settings, CLASSES)
    optimizer = build_optimizer(network.to(fabric.device), settings, fabric.device)
    learning = torch.compile(network) if mode == "compiled" else network
    model, stepper = fabric.setup(learning, optimizer)
    step: Callable[[Batch], torch.Tensor] = partial(train_step, fabric, model, stepper, settings)
    if mode != "stepwise" and fabric.device.type == "cuda":
        step = GraphedStep(step)
    sampler = BatchSampler(settings, split.labels, split.weights, seed=0)
    if fabric.device.type == "cpu":
        epoch_batches = cpu_batches(split, sampler, augment, NORMALIZATION)
    else:
        epoch_batches = device_batches(split, sampler, augment, NORMALIZATION, fabric.device)

    def seconds(batches: Iterator[Batch]) -> float:
        wait(fabric.device)
        started = time.perf_counter()
        for batch in batches:
            step(batch)
        wait(fabric.device)
        return time.perf_counter() - started

    frames = sampler.steps * sampler.batch_size
    warmup = seconds(epoch_batches(0))
    whole = sorted(seconds(epoch_batches(epoch)) for epoch in range(1, epochs + 1))[epochs // 2]
    if profile and fabric.device.type == "cuda":
        print_kernels(lambda: seconds(repeat(next(iter(epoch_batches(0))), 10)))
    resident = seconds(repeat(next(iter(epoch_batches(0))), sampler.steps))
    name = f"{settings.batch_size}_{mode}"
    print(f"rate_{name}\t{frames / whole:.0f}\tframes/s")
    print(f"resident_{name}\t{frames / resident:.0f}\tframes/s")
    print(f"minutes_{name}\t{PUBLISHED_EPOCHS * PUBLISHED_FRAMES * whole / frames / 60:.2f}\tmin")
    print(f"warmup_{name}\t{warmup:.1f}\ts", flush=True)


def print_kernels(work: Callable[[], object]) -> None:
    """Print where the time of a GPU goes, to stderr."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profiler:
        work()
    print(
        profiler.key_averages().table(sort_by="self_device_time_total", row_limit=25, max_name_column_width=90),
        file=sys.stderr,
    )


def prepared(hardware: Hardware, mode: str) -> Fabric:
    """Set up the device for a mode."""
    fabric = prepare(hardware.model_copy(update={"precision": "fp32"} if mode == "fp32" else {}))
    if mode == "free":
        torch.use_deterministic_algorithms(False)
        torch.backends.cudnn.benchmark = True
    return fabric


def wait(device: torch.device) -> None:
    """Wait until the GPU has done all that it was told to."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def invented_frames(count: int, size: int) -> SplitFrames:
    """Return frames of noise with invented labels."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (count, size, size), dtype=np.uint8)
    lines = np.arange(count)
    return SplitFrames(frames, lines, lines, rng.integers(0, CLASSES, count), np.ones(count, np.float32))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["auto", "cuda", "cpu"], default="cuda")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[32, 256])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--frames", type=int, default=PUBLISHED_FRAMES)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="also print the kernels that take longest, to stderr")
    return parser.parse_args()


if __name__ == "__main__":
    main()
