"""The network of an export in 8-bit integers: static, calibrated on frames of train, weights per channel."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

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
        )
        return onnx.load(result)


class _Calibration(CalibrationDataReader):  # type: ignore[misc]  # it has no types
    """The frames as onnxruntime asks for them: batch after batch, then None."""

    def __init__(self, levels: NDArray[np.uint8]):
        self._batches: Iterator[NDArray[np.uint8]] = (
            levels[start : start + _BATCH_FRAMES] for start in range(0, len(levels), _BATCH_FRAMES)
        )

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        batch = next(self._batches, None)
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
