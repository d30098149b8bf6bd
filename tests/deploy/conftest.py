"""A small exported model, with random weights, and frames to judge."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from weldbench.config.models import Conv6
from weldbench.data.normalization import Normalization
from weldbench.deploy.bundle import FP32, HEAT, RESIZE, Bundle, load_bundle, save_bundle
from weldbench.deploy.graph import export_graphs, joined
from weldbench.models.architectures import build_network
from weldbench.models.files import TrainedInfo

CLASSES = ["good_weld", "burn_through", "contamination"]
SETTINGS = Conv6(architecture="conv6", input_size_px=16, channels=[4, 8], hidden=8, epochs=1, learning_rate=0.01)


def made_bundle(folder: Path, good_class: str | None = "good_weld", threshold: float = 0.66) -> Bundle:
    """Export a network with random weights whose probabilities of one frame differ from those of another."""
    torch.manual_seed(3)
    network = build_network(SETTINGS, len(CLASSES)).eval()
    info = TrainedInfo(SETTINGS, CLASSES, Normalization(0.4, 0.1), "mine", fold=0, seed=0)
    graphs = export_graphs(network, info, frame_size_px=24)
    folder.mkdir(parents=True, exist_ok=True)
    for name, graph in {RESIZE: graphs.resize, FP32: joined(graphs.resize, graphs.network), HEAT: graphs.heat}.items():
        onnx.save(graph, folder / name)
    bundle = Bundle(
        folder=folder,
        model="conv6",
        dataset="mine",
        classes=tuple(CLASSES),
        good_class=good_class,
        thresholds={0.01: threshold, 0.05: 0.5} if good_class else {},
        vote_frames=3,
        frame_size_px=24,
        input_size_px=16,
        lineage={"fold": 0, "seed": 0, "valid_macro_f1": 0.5},
        resize_path=folder / RESIZE,
        network_path=folder / FP32,
        heat_path=folder / HEAT,
    )
    save_bundle(bundle, {})
    return load_bundle(folder)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return made_bundle(tmp_path_factory.mktemp("exports") / "conv6")


@pytest.fixture(scope="session")
def frames() -> NDArray[np.uint8]:
    """Seven frames of 40 x 30 pixels, bright and dark blobs on noise."""
    random = np.random.default_rng(0)
    frames = random.integers(40, 160, (7, 30, 40))
    for number, frame in enumerate(frames):
        frame[4 * number % 20 :][:8, 5 * number : 5 * number + 9] += 80 * (-1) ** number
    return frames.clip(0, 255).astype(np.uint8)
