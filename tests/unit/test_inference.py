"""The features that a frozen backbone gives."""

import numpy as np
import pytest
import torch
from torch import nn

from weldbench.config.models import Model
from weldbench.config.training import Hardware
from weldbench.data.dataset import SplitFrames
from weldbench.data.normalization import Normalization
from weldbench.models.architectures import build_network
from weldbench.models.inference import BATCH_FRAMES, features_of, logits_of
from weldbench.models.torchvision_models import head_name
from weldbench.runtime.hardware import prepare

NORMALIZATION = Normalization(0.4, 0.3)
FRAMES = np.random.default_rng(0).integers(0, 256, (BATCH_FRAMES + 3, 32, 32), dtype=np.uint8)


def network_of(architecture: str) -> nn.Module:
    torch.manual_seed(0)
    settings = {"architecture": architecture, "input_size_px": 32, "epochs": 1, "learning_rate": 0.1, "init": "scratch"}
    return build_network(Model.model_validate(settings), 3)


@pytest.mark.parametrize(
    ("architecture", "count"), [("resnet18", 512), ("efficientnet_lite0", 1280), ("mobilenet_v3_small", 576)]
)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.filterwarnings("error")
def test_the_head_makes_of_them_what_the_whole_network_says(tmp_path, architecture, count, precision):
    fabric, network = prepare(Hardware(device="cpu", precision=precision, threads=1)), network_of(architecture)
    np.save(tmp_path / "frames.npy", FRAMES)
    on_disk = np.load(tmp_path / "frames.npy", mmap_mode="r")
    features = features_of(fabric, network, on_disk, NORMALIZATION)
    assert (features.shape, features.dtype) == ((len(FRAMES), count), torch.float32)
    assert torch.equal(features_of(fabric, network, FRAMES, NORMALIZATION), features)
    lines = np.arange(len(FRAMES))
    split = SplitFrames(FRAMES, lines, lines, lines, np.ones(len(lines), np.float32))
    with torch.inference_mode(), fabric.autocast():
        logits = network.get_submodule(head_name(network)).eval()(features).float()
    torch.testing.assert_close(logits, logits_of(fabric, network, split, NORMALIZATION), rtol=1e-2, atol=1e-2)


def test_a_network_keeps_its_head_when_it_fails():
    network = network_of("resnet18")
    head = network.fc
    with pytest.raises(RuntimeError):
        features_of(prepare(Hardware(device="cpu", threads=1)), network, FRAMES[:, :, :0], NORMALIZATION)
    assert network.fc is head
