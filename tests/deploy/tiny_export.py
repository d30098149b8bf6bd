"""A real export whose network is one line: the mean gray level of a frame decides its class.

Dark frames are `burn_through`, bright ones `high_travel_speed`, and those in the middle `good_weld`.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from weldbench.deploy.bundle import FP32, HEAT, Bundle, save_bundle

CLASSES = ("good_weld", "burn_through", "high_travel_speed")
LEVELS = np.array([128.0, 30.0, 225.0], np.float32)  # that each class stands for
DARK, MIDDLE, BRIGHT = 30, 128, 225


def save_tiny_export(folder: Path, good_class: str | None = CLASSES[0], vote_frames: int = 3) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(_network(), folder / FP32)
    onnx.save(_heat(), folder / HEAT)
    save_bundle(
        Bundle(
            folder=folder,
            model="tiny",
            dataset="weldsim",
            classes=CLASSES,
            good_class=good_class,
            thresholds={0.01: 0.5, 0.05: 0.25} if good_class else {},
            vote_frames=vote_frames,
            frame_size_px=32,
            input_size_px=32,
            lineage={"seed": 0, "fold": 0},
            network_path=folder / FP32,
            heat_path=folder / HEAT,
        )
    )
    return folder


def png(path: Path, level: int, seed: int = 0, width: int = 64, height: int = 48) -> Path:
    """Write a frame of nearly one gray level; each seed gives other bytes."""
    noise = np.random.default_rng(seed).integers(-3, 4, size=(height, width))
    Image.fromarray(np.clip(level + noise, 0, 255).astype(np.uint8)).save(path)
    return path


def _network() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Cast", ["frames"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["levels", "axes"], ["means"], keepdims=0),
        helper.make_node("Unsqueeze", ["means", "one"], ["features"]),
        helper.make_node("Sub", ["features", "of_classes"], ["differences"]),
        helper.make_node("Abs", ["differences"], ["distances"]),
        helper.make_node("Mul", ["distances", "scale"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants = {
        "axes": np.array([1, 2], np.int64),
        "one": np.array([1], np.int64),
        "of_classes": LEVELS[None],
        "scale": np.array([-0.05], np.float32),
    }
    outputs = {"probabilities": ["n", len(CLASSES)], "features": ["n", 1]}
    return _model(nodes, constants, outputs)


def _heat() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Cast", ["frames"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["levels", "one"], ["channels"]),
        helper.make_node("Resize", ["channels", "", "", "sizes"], ["small"], mode="linear"),
        helper.make_node("Squeeze", ["small", "one"], ["heat"]),
    ]
    constants = {"one": np.array([1], np.int64), "sizes": np.array([1, 1, 6, 8], np.int64)}
    return _model(nodes, constants, {"heat": ["n", 6, 8]})


def _model(nodes: list, constants: dict[str, np.ndarray], outputs: dict[str, list]) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", "h", "w"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
