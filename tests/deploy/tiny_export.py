"""A real export whose network is one line: the mean gray level of a frame decides its class.

Dark frames are `burn_through`, bright ones `high_travel_speed`, and those in the middle `good_weld`. With novelty,
frames between these are unknown.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from weldbench.deploy.bundle import DRIFT, FP32, HEAT, NOVELTY, RESIZE, Bundle, save_bundle
from weldbench.deploy.drift_reference import DIRECTIONS, MEASURES, NUMBERS, Reference
from weldbench.deploy.novelty import Features, write_novelty
from weldbench.deploy.novelty_limit import Limit
from weldbench.deploy.promise import Promise

CLASSES = ("good_weld", "burn_through", "high_travel_speed")
LEVELS = np.array([128.0, 30.0, 225.0], np.float32)  # that each class stands for
DARK, MIDDLE, BRIGHT = 30, 128, 225
STRANGE = 100  # near enough to good_weld for its class


THRESHOLDS = {0.01: 0.5, 0.05: 0.25}
TEMPERATURE = 2.0
PROMISE = Promise(
    vote_frames=3,
    escape=0.22,
    wanted_escape=0.05,
    confidence=0.95,
    choices=1,
    threshold=0.125,
    defective=12,
    escaped=0,
    escapes_allowed=0,
    good=8,
    falsely_rejected=1,
    falsely_rejected_low=0.003,
    falsely_rejected_high=0.527,
    runs_needed=59,
    runtimes=("onnxruntime", "openvino"),
)


def save_tiny_export(
    folder: Path,
    good_class: str | None = CLASSES[0],
    thresholds: dict[float, float] = THRESHOLDS,
    promises: tuple[Promise, ...] = (),
    temperature: float | None = TEMPERATURE,
    novelty: bool = False,
    drift: bool = False,
    valid_doubts: tuple[str, ...] = (),
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if novelty:
        seen = np.repeat(LEVELS, 2)[:, None] + np.tile([[-2], [2]], (3, 1))
        fitted = Features.of(seen.astype(np.float32), np.repeat([0, 1, 2], 2))
        limit = Limit(threshold=5.0, runs=19, share=0.05, wanted=0.05, of_good=True)
        write_novelty(folder / NOVELTY, fitted, [limit])
    if drift:
        _reference().save(folder / DRIFT)
    onnx.save(_resize(), folder / RESIZE)
    onnx.save(_network(), folder / FP32)
    onnx.save(_heat(), folder / HEAT)
    save_bundle(
        Bundle(
            folder=folder,
            model="tiny",
            dataset="weldsim",
            classes=CLASSES,
            good_class=good_class,
            thresholds=thresholds,
            vote_frames=3,
            frame_size_px=32,
            input_size_px=1,
            lineage={"seed": 0, "fold": 0, "valid_doubts": list(valid_doubts)},
            resize_path=folder / RESIZE,
            network_path=folder / FP32,
            heat_path=folder / HEAT,
            novelty_path=folder / NOVELTY if novelty else None,
            drift_path=folder / DRIFT if drift else None,
            drift="drift check by brightness" if drift else "no drift check: there are 3 runs",
            temperature=temperature,
            promises=promises,
        ),
        made_from={},
    )
    return folder


def _reference() -> Reference:
    """Welds are as bright as `MIDDLE`; eight levels less are three standard deviations."""
    center = np.zeros(NUMBERS)
    center[0] = np.log(MIDDLE + 1)
    return Reference(
        measures=np.zeros((3, MEASURES)),
        features=LEVELS[:, None].astype(float),
        scale=np.ones(1),
        directions=np.zeros((DIRECTIONS, 1)),
        center=center,
        whitening={"brightness": np.diag([50.0, 0.0])},
        limits={"brightness": 22.0},
        shares=np.array([0.8, 0.1, 0.1]),
        share_limits=np.full(3, 9.0),
        first_defect=1,
        runs=30,
    )


def png(path: Path, level: int, seed: int = 0, width: int = 64, height: int = 48) -> Path:
    """Write a frame of nearly one gray level; each seed gives other bytes."""
    noise = np.random.default_rng(seed).integers(-3, 4, size=(height, width))
    Image.fromarray(np.clip(level + noise, 0, 255).astype(np.uint8)).save(path)
    return path


_MEAN = [
    helper.make_node("Cast", ["frames"], ["pixels"], to=TensorProto.FLOAT),
    helper.make_node("ReduceMean", ["pixels", "height_and_width"], ["means"], keepdims=1),
    helper.make_node("Cast", ["means"], ["levels"], to=TensorProto.UINT8),
]
_AXES = {"height_and_width": np.array([1, 2], np.int64)}


def _resize() -> onnx.ModelProto:
    return _model(_MEAN, _AXES, {"levels": (TensorProto.UINT8, ["n", 1, 1])})


def _network() -> onnx.ModelProto:
    nodes = [
        *_MEAN,
        helper.make_node("Cast", ["levels"], ["mean"], to=TensorProto.FLOAT),
        helper.make_node("Squeeze", ["mean", "width"], ["features"]),
        helper.make_node("Sub", ["features", "of_classes"], ["differences"]),
        helper.make_node("Abs", ["differences"], ["distances"]),
        helper.make_node("Mul", ["distances", "scale"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants = {
        **_AXES,
        "width": np.array([2], np.int64),
        "of_classes": LEVELS[None],
        "scale": np.array([-0.05], np.float32),
    }
    outputs = {
        "probabilities": (TensorProto.FLOAT, ["n", len(CLASSES)]),
        "features": (TensorProto.FLOAT, ["n", 1]),
        "levels": (TensorProto.UINT8, ["n", 1, 1]),
    }
    return _model(nodes, constants, outputs)


def _heat() -> onnx.ModelProto:
    nodes = [
        *_MEAN,
        helper.make_node("Cast", ["levels"], ["mean"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["mean", "slope"], ["heat"]),
    ]
    constants = {**_AXES, "slope": np.linspace(0, 1, 48, dtype=np.float32).reshape(1, 6, 8)}
    outputs = {"heat": (TensorProto.FLOAT, ["n", 6, 8]), "levels": (TensorProto.UINT8, ["n", 1, 1])}
    return _model(nodes, constants, outputs)


def _model(nodes: list, constants: dict[str, np.ndarray], outputs: dict[str, tuple[int, list]]) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("frames", TensorProto.UINT8, ["n", "h", "w"])],
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
