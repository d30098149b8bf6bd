"""The network of an export in 8-bit integers: static, calibrated on frames of train, weights per channel; its cost."""

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from weldbench.deploy.bundle import Bundle
from weldbench.deploy.judged_splits import REFERENCE, Data, Judged, Said
from weldbench.deploy.parity import Cost, cost_of_int8

# Where the time goes. What stands before the first of these, scaling and normalizing, stays in float32.
_QUANTIZED = ["Conv", "Gemm", "MatMul", "Add", "Relu", "Clip", "MaxPool", "Concat"]
_BATCH_FRAMES = 16


def quantized(network: onnx.ModelProto, levels: NDArray[np.uint8]) -> onnx.ModelProto:
    """Return a network whose convolutions and matrix products compute in 8-bit integers.

    The first convolution, the last layer, the softmax and the heat map stay in float32. They cost little: the first
    sees one channel, and its rounding alone makes half of the error in the probabilities.

    Args:
        network: From `levels` to `probabilities`, `features` and maybe `heat`.
        levels: Frames that show what values occur, uint8, shape (N, S, S), all classes alike.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, prepared, result = (Path(folder) / f"{name}.onnx" for name in ("given", "prepared", "int8"))
        onnx.save(network, given)  # a model in memory would be changed
        quant_pre_process(given, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            result,
            _Calibration(levels),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_QUANTIZED,
            nodes_to_exclude=_exact(onnx.load(prepared)),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # One batch after another: the few numbers kept of a batch hold the memory of all that was computed for it.
            extra_options={"CalibStridedMinMax": 1},
        )
        return onnx.load(result)


class _Calibration(CalibrationDataReader):  # type: ignore[misc]  # it has no types
    """The frames as onnxruntime asks for them: for some of the batches, then batch after batch, then None."""

    def __init__(self, levels: NDArray[np.uint8]):
        self._batches = [levels[start : start + _BATCH_FRAMES] for start in range(0, len(levels), _BATCH_FRAMES)]
        self._asked = iter(self._batches)

    def __len__(self) -> int:
        return len(self._batches)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._asked = iter(self._batches[start_index:end_index])

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        batch = next(self._asked, None)
        return None if batch is None else {"levels": batch}


def _exact(model: onnx.ModelProto) -> list[str]:
    """Name the nodes that stay in float32."""
    first = [node.name for node in model.graph.node if node.op_type == "Conv"][:1]
    return first + _behind(model, "features")


def _behind(model: onnx.ModelProto, tensor: str) -> list[str]:
    """Name the nodes that compute with a tensor, directly or through each other; nodes stand in their order."""
    reached, names = {tensor}, []
    for node in model.graph.node:
        if reached.intersection(node.input):
            reached.update(node.output)
            names.append(node.name)
    return names


def weigh_int8(bundle: Bundle, data: Data, judged: Judged) -> tuple[Bundle, dict[str, Any]]:
    """Weigh what the 8-bit graph costs, and leave it out where it costs too much on valid; say so, as JSON."""

    def costs(labels: NDArray[np.int64], said: Said) -> dict[str, Cost]:
        names = [name for name in judged.sessions if name not in judged.in_fp32]
        found = said.probabilities
        return {name: cost_of_int8(labels, found[REFERENCE], found[name], bundle.thresholds) for name in names}

    on_valid, on_test = costs(data.valid.labels, judged.valid), costs(data.test.labels, judged.test)
    bundle, told = _without_bad_int8(bundle, on_valid, judged.broken)
    runtimes = {name: {"valid": cost.told(), "test": on_test[name].told()} for name, cost in on_valid.items()}
    return bundle, {"told": told, "runtimes": runtimes}


def _without_bad_int8(bundle: Bundle, costs: Mapping[str, Cost], broken: list[str]) -> tuple[Bundle, str]:
    """Leave the 8-bit graph out where a runtime cannot run it, or it loses too much on valid in any, and say so."""
    problems = [*broken, *(f"in {name}, {problem}" for name, cost in costs.items() for problem in cost.problems)]
    if not problems:
        return bundle, "Kept: on valid it loses no more than is allowed."
    told = f"Left out: {'; '.join(problems)}."
    print(f"export {bundle.model}: the 8-bit graph is left out: {'; '.join(problems)}", file=sys.stderr)
    if bundle.int8_path:
        bundle.int8_path.unlink()
    return replace(bundle, int8_path=None), told
