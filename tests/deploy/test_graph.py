"""An exported graph scales and classifies as the pipeline does, whatever the size of the frame."""

import io
import warnings
from collections.abc import Iterator

import numpy as np
import onnxruntime
import openvino
import pytest
import torch
from captum.attr import LayerGradCam
from hypothesis import example, given, settings
from hypothesis import strategies as st

from weldbench.config.models import ARCHITECTURES
from weldbench.data.normalization import Normalization, normalize
from weldbench.data.resize import area_mean
from weldbench.deploy.graph import AreaMean, export_graphs, joined
from weldbench.models.architectures import build_network
from weldbench.models.files import TrainedInfo
from weldbench.models.saliency import last_feature_map

SIZES = [1, 7, 64, 96, 224]
# The own networks, and a small and another one of each kind of layers; the rest differ in depth and width.
FAST = ["full_con6", "conv6", "resnet18", "mobilenet_v3_small"]
OF_OTHER_LAYERS = ["resnet50", "densenet169", "efficientnet_b0", "efficientnet_lite0", "convnext_tiny", "vit_b_16"]


def onnx_of(size_px: int) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        torch.onnx.export(
            AreaMean(size_px),
            (torch.zeros(1, 5, 9, dtype=torch.uint8),),
            file,
            input_names=["frames"],
            output_names=["levels"],
            dynamic_axes={"frames": {0: "N", 1: "H", 2: "W"}},
            opset_version=18,
            dynamo=False,
        )
    return file.getvalue()


@pytest.fixture(scope="module")
def scalers() -> dict[str, dict[int, object]]:
    graphs = {size: onnx_of(size) for size in SIZES}
    core, hint = openvino.Core(), {"INFERENCE_PRECISION_HINT": "f32"}
    return {
        "onnxruntime": {size: onnxruntime.InferenceSession(graph) for size, graph in graphs.items()},
        "openvino": {size: core.compile_model(core.read_model(graph), "CPU", hint) for size, graph in graphs.items()},
    }


def scaled(scalers: dict, runtime: str, frames: np.ndarray, size: int) -> np.ndarray:
    run = scalers[runtime][size]
    return run.run(None, {"frames": frames})[0] if runtime == "onnxruntime" else run({"frames": frames})[0]


@st.composite
def pictures(draw: st.DrawFn) -> np.ndarray:
    """Frames of any shape; few levels bring most sums to the border of rounding."""
    height, width = draw(st.integers(1, 400)), draw(st.integers(1, 400))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lowest = draw(st.integers(0, 255))
    levels = draw(st.integers(1, 256 - lowest))
    return (lowest + random.integers(0, levels, (height, width))).astype(np.uint8)


@settings(deadline=None, max_examples=60)
@given(gray=pictures(), size=st.sampled_from(SIZES))
@example(gray=np.full((700, 1280), 255, np.uint8), size=224)
@example(gray=np.arange(256, dtype=np.uint8).repeat(4)[None].repeat(2, 0), size=1)
def test_the_graph_scales_to_the_same_bytes_as_ingest(scalers: dict, gray: np.ndarray, size: int) -> None:
    expected = area_mean(gray, size)
    for runtime in scalers:
        np.testing.assert_array_equal(scaled(scalers, runtime, gray[None], size)[0], expected)


@pytest.mark.parametrize("shape", [(4096, 4096), (4095, 4093), (4096, 4095), (1, 4096), (4093, 2)])
@pytest.mark.parametrize("levels", [(0, 256), (254, 256), (127, 129)])
def test_scaling_is_exact_up_to_the_largest_frames(scalers: dict, shape: tuple[int, int], levels: tuple) -> None:
    gray = np.random.default_rng(1).integers(*levels, shape).astype(np.uint8)
    for runtime in scalers:
        np.testing.assert_array_equal(scaled(scalers, runtime, gray[None], 224)[0], area_mean(gray, 224))


def test_halves_are_rounded_up(scalers: dict) -> None:
    # 0.5, 1.5, 2.5 and 253.5: rounding half to even would give 0, 2, 2 and 254.
    for low in (0, 1, 2, 253):
        gray = np.array([[low, low + 1]], np.uint8)
        for runtime in scalers:
            assert scaled(scalers, runtime, gray[None], 1)[0, 0, 0] == low + 1


def cases() -> Iterator[object]:
    """Yield architecture and size of the stored frames, that of the input or above it."""
    for name in ARCHITECTURES:
        for frame_size_px in (64, 80):
            slow = pytest.mark.slow if name in OF_OTHER_LAYERS and frame_size_px == 80 else pytest.mark.long
            yield pytest.param(name, frame_size_px, marks=[] if name in FAST else slow)


@pytest.mark.parametrize(("name", "frame_size_px"), cases())
def test_every_architecture_exports_and_says_what_torch_says(name: str, frame_size_px: int) -> None:
    settings = ARCHITECTURES[name](architecture=name, input_size_px=64, epochs=1, learning_rate=0.1)
    torch.manual_seed(0)
    network = build_network(settings, 6)
    noise = torch.randint(0, 256, (16, 64, 64), dtype=torch.uint8)
    info = TrainedInfo(settings, list("abcdef"), Normalization(0.5, 0.3), "mine", fold=0, seed=0)
    with torch.no_grad():
        network(normalize(noise, info.normalization))  # norms see some frames, or deep networks give all but zero
    network.eval()
    graphs = export_graphs(network, info, frame_size_px)
    session = onnxruntime.InferenceSession(joined(graphs.resize, graphs.network).SerializeToString())
    frames = np.random.default_rng(0).integers(0, 256, (3, 70, 128)).astype(np.uint8)
    said = dict(
        zip([output.name for output in session.get_outputs()], session.run(None, {"frames": frames}), strict=True)
    )
    levels = np.stack([area_mean(area_mean(frame, frame_size_px), 64) for frame in frames])
    batch = normalize(torch.from_numpy(levels), info.normalization)
    with torch.no_grad():
        logits = network(batch)
    np.testing.assert_array_equal(said["levels"], levels)
    np.testing.assert_allclose(said["probabilities"], torch.softmax(logits, dim=1), atol=1e-4)
    assert said["features"].shape[0] == 3
    alone = session.run(["probabilities"], {"frames": frames[1:2, :33, :41]})[0]
    assert alone.shape == (1, 6)

    layer = last_feature_map(network, batch[:1])
    assert graphs.has_heat == (layer is not None and name != "vit_b_16")
    if graphs.has_heat:
        if graphs.heat:
            apart = onnxruntime.InferenceSession(graphs.heat.SerializeToString())
            said["heat"] = apart.run(["heat"], {"frames": frames})[0]
        true = LayerGradCam(network, layer).attribute(batch, target=logits.argmax(dim=1), relu_attributions=True)
        true = true.detach().numpy()[:, 0]
        if name != "densenet169":  # whose heat is that of the map's positive part
            np.testing.assert_allclose(said["heat"], true, rtol=1e-2, atol=2e-3 * true.max())
        assert said["heat"].shape == true.shape
        assert said["heat"].min() >= 0
