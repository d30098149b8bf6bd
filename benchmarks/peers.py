"""How one usually trains on a folder of PNG files: what the benchmarks compare with.

`Peer` runs it in a process of its own, which has its memory and its threads as torch and the system give them.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from weldbench.config.models import Model
from weldbench.models.architectures import build_network
from weldbench.models.efficientnet_lite import efficientnet_lite0
from weldbench.models.torchvision_models import torchvision_network

FRAMES = 60
WIDTH_PX, HEIGHT_PX = 1280, 700
RATE = 1e-4  # of both sides; what is learned does not count


class Peer:
    """Trains one network in the usual way, beside our process; each measurement begins with a step that is not counted.

    Args:
        settings: Network, input size, batch size.
        class_count: Of the network.
        pngs: Frames, for the script that loads them.
        threads: Of torch.
    """

    def __init__(self, settings: Model, class_count: int, pngs: list[Path], threads: int):
        spawn = multiprocessing.get_context("spawn")
        self._process = ProcessPoolExecutor(1, spawn, _begin, (settings, class_count, pngs, threads))

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_) -> None:
        self._process.shutdown()

    def seconds_per_step(self, steps: int) -> float:
        """Time steps on one resident batch."""
        return self._process.submit(_seconds_per_step, steps).result()

    def seconds_per_step_from_files(self, steps: int) -> float:
        """Time steps on batches from the files; the start of the DataLoader's workers is not counted."""
        return self._process.submit(_seconds_per_step_from_files, steps).result()


_learn: Callable[[torch.Tensor, torch.Tensor], None]  # the step of a peer's process
_batch: tuple[torch.Tensor, torch.Tensor]  # its resident batch
_batches: Callable[[], Iterator[list[torch.Tensor]]]  # from the files


def _begin(settings: Model, class_count: int, pngs: list[Path], threads: int) -> None:
    global _learn, _batch, _batches
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    side, count = settings.input_size_px, settings.batch_size
    _learn = plain_step(settings, class_count)
    _batch = torch.randn(count, 3, side, side), torch.arange(count) % class_count
    _batches = partial(png_batches, pngs, side, count)


def _seconds_per_step(steps: int) -> float:
    _learn(*_batch)
    started = time.perf_counter()
    for _ in range(steps):
        _learn(*_batch)
    return (time.perf_counter() - started) / steps


def _seconds_per_step_from_files(steps: int) -> float:
    batches = _batches()
    _learn(*next(batches))
    started = time.perf_counter()
    for images, labels in islice(batches, steps):
        _learn(images, labels)
    return (time.perf_counter() - started) / steps


class PngFrames(Dataset):
    """PNG files with invented labels; as many items as wanted, going round the files."""

    def __init__(self, paths: list[Path], count: int, transform: Callable):
        self.paths, self.count, self.transform = paths, count, transform

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image = Image.open(self.paths[index % len(self.paths)]).convert("RGB")
        return self.transform(image), index % 6


def png_batches(paths: list[Path], size_px: int, batch_size: int) -> Iterator[list[torch.Tensor]]:
    """Yield batches without end as a usual script loads them, with two workers."""
    transform = transforms.Compose(
        [
            transforms.Resize((size_px, size_px)),
            transforms.RandomHorizontalFlip(),
            transforms.RandomAffine(5, translate=(0.06, 0.06), scale=(0.9, 1.1)),
            transforms.ColorJitter(brightness=0.2),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    dataset = PngFrames(paths, 1_000 * batch_size, transform)
    return iter(DataLoader(dataset, batch_size=batch_size, shuffle=True, num_workers=2))


def plain_step(settings: Model, class_count: int) -> Callable[[torch.Tensor, torch.Tensor], None]:
    """Return a step of the plain recipe: float32, contiguous, three channels, the same optimizer as torch makes it.

    Conv6 pools behind ReLU there, as it is usually written.
    """
    if settings.architecture == "resnet18":
        network = torchvision_network(settings, class_count)
    elif settings.architecture == "efficientnet_lite0":
        network = efficientnet_lite0(class_count)
    else:
        network = _with_three_channels(build_network(settings, class_count))
    network = network.to(memory_format=torch.contiguous_format).train()
    if settings.optimizer == "adamw":
        optimizer = torch.optim.AdamW(network.parameters(), lr=RATE)
    else:
        optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=0.9, nesterov=True, weight_decay=5e-4)
    loss = nn.CrossEntropyLoss()

    def step(images: torch.Tensor, labels: torch.Tensor) -> None:
        optimizer.zero_grad()
        loss(network(images), labels).backward()
        optimizer.step()

    return step


def write_pngs(sample: Path | None, folder: Path) -> list[Path]:
    """Return the PNG files of a folder, or write frames of smooth noise of the published size."""
    if sample:
        return sorted(sample.rglob("*.png"))
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    across, down = np.arange(WIDTH_PX) / WIDTH_PX, np.arange(HEIGHT_PX) / HEIGHT_PX
    for number in range(FRAMES):
        light = np.exp(-((across[None, :] - rng.random()) ** 2 + (down[:, None] - rng.random()) ** 2) / 0.05)
        frame = 40 + 180 * light + rng.normal(0, 3, light.shape)
        Image.fromarray(np.clip(frame, 0, 255).astype(np.uint8)).save(folder / f"image-{number:04d}.png")
    return sorted(folder.iterdir())


def _with_three_channels(network: nn.Sequential) -> nn.Sequential:
    for position, layer in list(enumerate(network)):
        if isinstance(layer, nn.MaxPool2d):
            network[position], network[position + 1] = nn.ReLU(), layer
    for position, layer in enumerate(network):
        if isinstance(layer, nn.Conv2d):
            network[position] = nn.Conv2d(3, layer.out_channels, layer.kernel_size, padding=layer.padding)
            return network
        if isinstance(layer, nn.Linear):
            network[position] = nn.Linear(3 * layer.in_features, layer.out_features)
            return network
    raise ValueError("the network has no layer with weights")
