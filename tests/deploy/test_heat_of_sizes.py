"""The heat map of a network that sees a frame in several sizes and learns from several stages."""

from itertools import pairwise

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn
from torch.nn import functional

from weldbench.config.models import Model
from weldbench.data.normalization import Normalization, normalize
from weldbench.data.resize import area_mean
from weldbench.deploy.graph import Graphs, export_graphs, joined
from weldbench.models.architectures import build_network
from weldbench.models.efficientnet_lite import NORMALIZATION
from weldbench.models.files import TrainedInfo
from weldbench.models.multi_scale import MultiScale

NORMALIZED = Normalization(0.4, 0.2)
FRAMES = np.random.default_rng(0).integers(0, 256, (4, 70, 90), dtype=np.uint8)


def settings_of(size_px: int, others: list[int], stages: int) -> Model:
    raw = {"architecture": "efficientnet_lite0", "init": "scratch", "input_size_px": size_px}
    return Model.model_validate({**raw, "other_sizes_px": others, "feature_stages": stages})


class Backbone(nn.Module):
    """Convolutions whose stages have maps of different size: half, a quarter and an eighth of the input."""

    def __init__(self) -> None:
        super().__init__()
        widths = [1, 5, 7, 3]
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(*pair, 3, stride=2, padding=1), nn.Tanh()) for pair in pairwise(widths)
        )


def stages_of(count: int, backbone: nn.Module, frames: torch.Tensor) -> list[torch.Tensor]:
    maps = [frames]
    for stage in backbone.stages:
        maps.append(stage(maps[-1]))
    return maps[-count:]


def random_network(sizes: list[int], stages: int) -> MultiScale:
    torch.manual_seed(stages)
    network = MultiScale(Backbone(), lambda *given: stages_of(stages, *given), sizes, 4).eval()
    levels = torch.from_numpy(np.stack([area_mean(frame, sizes[0]) for frame in FRAMES]))
    with torch.no_grad():  # so that several classes are predicted
        network.classifier.bias -= network(normalize(levels, NORMALIZED)).mean(dim=0)
    return network


def graphs_of(network: MultiScale, settings: Model, normalization: Normalization) -> Graphs:
    classes = [f"class {number}" for number in range(network.classifier.out_features)]
    return export_graphs(network, TrainedInfo(settings, classes, normalization, "mine", 0, 0), settings.input_size_px)


def heat_by_autograd(network: MultiScale, frames: torch.Tensor) -> tuple[np.ndarray, torch.Tensor]:
    """Return Grad-CAM of each map per area of the frame, on the finest grid, added and rectified; and the logits.

    The last layer sees copies of the maps: the gradient of an early stage leaves out its way through later ones.
    """
    maps: list[torch.Tensor] = []
    original = network._stages

    def noted(*given: object) -> list[torch.Tensor]:
        copies = [one.clone() for one in original(*given)]
        maps.extend(copies)
        return copies

    network._stages = noted
    try:
        logits = network(frames)
    finally:
        network._stages = original
    gradients = torch.autograd.grad(logits.max(dim=1).values.sum(), maps)
    finest = max((one.shape[-2:] for one in maps), key=lambda shape: shape[0] * shape[1])
    heat = torch.zeros(len(frames), 1, *finest)
    for one, gradient in zip(maps, gradients, strict=True):
        share = one.shape[2] * one.shape[3] / (finest[0] * finest[1])
        drove = (gradient * one).sum(dim=1, keepdim=True) * share
        heat += functional.interpolate(drove, finest, mode="bilinear", align_corners=False)
    return heat.clamp(min=0)[:, 0].detach().numpy(), logits.detach()


@pytest.mark.parametrize("stages", [1, 2, 3])
@pytest.mark.parametrize(("sizes", "grid"), [([32], [16, 8, 4]), ([32, 21], [16, 8, 4]), ([40, 24, 9], [20, 10, 5])])
def test_heat_is_the_gradient_of_the_class_times_the_maps_of_every_size_and_stage(
    sizes: list[int], grid: list[int], stages: int
) -> None:
    network = random_network(sizes, stages)
    graphs = graphs_of(network, settings_of(sizes[0], sizes[1:], stages), NORMALIZED)
    assert graphs.has_heat
    assert graphs.heat is None
    session = onnxruntime.InferenceSession(joined(graphs.resize, graphs.network).SerializeToString())
    heat, probabilities = session.run(["heat", "probabilities"], {"frames": FRAMES})
    levels = np.stack([area_mean(frame, sizes[0]) for frame in FRAMES])
    expected, logits = heat_by_autograd(network, normalize(torch.from_numpy(levels), NORMALIZED))
    assert logits.argmax(dim=1).unique().numel() > 1
    assert heat.shape == (len(FRAMES), grid[3 - stages], grid[3 - stages])
    np.testing.assert_allclose(heat, expected, rtol=1e-4, atol=1e-5 * expected.max())
    np.testing.assert_allclose(probabilities, torch.softmax(logits, dim=1), atol=1e-5)


@pytest.mark.parametrize(("size_px", "others", "stages"), [(96, [64], 3), (64, [33], 2), (96, [], 2)])
def test_the_default_network_has_this_heat(size_px: int, others: list[int], stages: int) -> None:
    torch.manual_seed(1)
    settings = settings_of(size_px, others, stages)
    network = build_network(settings, 6)
    levels = np.stack([area_mean(frame, size_px) for frame in FRAMES])
    batch = normalize(torch.from_numpy(levels), NORMALIZATION)
    with torch.no_grad():
        network.train()(batch)  # norms see some frames, or the network gives all but zero
    network.eval()
    graphs = graphs_of(network, settings, NORMALIZATION)
    session = onnxruntime.InferenceSession(joined(graphs.resize, graphs.network).SerializeToString())
    (heat,) = session.run(["heat"], {"frames": FRAMES})
    expected, _ = heat_by_autograd(network, batch)
    assert heat.shape == expected.shape == (len(FRAMES), size_px // 32, size_px // 32)
    assert heat.max() > 0
    np.testing.assert_allclose(heat, expected, rtol=1e-3, atol=1e-3 * expected.max())


def test_heat_adds_up_to_what_the_maps_add_to_the_logit() -> None:
    """With weights and maps above zero nothing is cut off: the heat of all positions is the logit less its bias."""
    network = random_network([32], 1)
    with torch.no_grad():
        network.classifier.weight.abs_()
        network.backbone.stages[-1][1] = nn.Sigmoid()
    graphs = graphs_of(network, settings_of(32, [], 1), NORMALIZED)
    session = onnxruntime.InferenceSession(joined(graphs.resize, graphs.network).SerializeToString())
    (heat,) = session.run(["heat"], {"frames": FRAMES})
    levels = np.stack([area_mean(frame, 32) for frame in FRAMES])
    with torch.no_grad():
        logits = network(normalize(torch.from_numpy(levels), NORMALIZED))
    highest = logits.max(dim=1)
    without_bias = highest.values - network.classifier.bias[highest.indices]
    np.testing.assert_allclose(heat.sum(axis=(1, 2)), without_bias.detach(), rtol=1e-4)


def test_maps_of_one_position_have_no_heat() -> None:
    settings = settings_of(32, [16], 2)
    graphs = graphs_of(build_network(settings, 3).eval(), settings, NORMALIZATION)
    assert not graphs.has_heat
    assert "heat" not in [output.name for output in graphs.network.graph.output]
