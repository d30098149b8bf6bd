"""Running an exported model: ONNX Runtime, or OpenVINO where it is installed; torch is not needed."""

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from weldbench.deploy.bundle import Bundle
from weldbench.errors import InputError

if TYPE_CHECKING:
    import onnxruntime
    import openvino

RuntimeName = Literal["auto", "onnxruntime", "openvino"]
RUNTIMES: tuple[RuntimeName, ...] = get_args(RuntimeName)

# A graph: frames, uint8 (N, H, W), and the names of the outputs that are wanted -> those outputs.
Graph = Callable[[NDArray[np.uint8], Sequence[str]], list[NDArray[Any]]]


class Outputs(NamedTuple):
    """What a model says about N frames.

    Attributes:
        probabilities: Of each class, float32, shape (N, K).
        features: What the last layer decides by, float32, shape (N, F).
        levels: The frames as the network sees them, uint8, shape (N, S, S).
    """

    probabilities: NDArray[np.float32]
    features: NDArray[np.float32]
    levels: NDArray[np.uint8]


class Session:
    """An exported model, ready to run.

    Attributes:
        bundle: The export.
        runtime: `onnxruntime` or `openvino`.
        is_int8: Whether the graph in 8-bit integers runs.
    """

    def __init__(self, bundle: Bundle, runtime: str, threads: int, is_int8: bool):
        self.bundle, self.runtime, self.is_int8 = bundle, runtime, is_int8
        self._open = _OPEN[runtime]
        self._threads = threads
        path = bundle.int8_path if is_int8 and bundle.int8_path else bundle.network_path
        self._graph, self._outputs = self._open(bundle, path, threads)
        self._heat: Graph | None = None

    @property
    def has_heat(self) -> bool:
        """Whether there is a heat map."""
        return "heat" in self._outputs or self.bundle.heat_path is not None

    def run(self, frames: NDArray[np.uint8]) -> Outputs:
        """Compute probabilities and features of frames as a camera gives them.

        Args:
            frames: uint8, shape (N, H, W), of any height and width up to 4096 pixels.
        """
        probabilities, features, levels = self._graph(frames, ("probabilities", "features", "levels"))
        return Outputs(probabilities, features, levels.astype(np.uint8, copy=False))

    def heat(self, frame: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """Compute what drove the predicted class of one frame (Grad-CAM), 0 to 1 of the largest value.

        Args:
            frame: uint8, shape (H, W).

        Returns:
            float32, shape (h, w), much coarser than the frame; None where the network has no map of features.
        """
        if self._heat is None:
            if "heat" in self._outputs:
                self._heat = self._graph
            elif self.bundle.heat_path:
                self._heat, _ = self._open(self.bundle, self.bundle.heat_path, self._threads)
            else:
                return None
        heat: NDArray[np.float32] = self._heat(frame[None], ("heat",))[0][0]
        heat /= max(heat.max(), np.finfo(np.float32).tiny)
        return heat


def open_session(bundle: Bundle, runtime: RuntimeName = "auto", threads: int = 1, int8: bool | None = None) -> Session:
    """Load the graph of an export into a runtime.

    Args:
        bundle: The export.
        runtime: `auto` takes OpenVINO where it is installed, as it is faster on most processors.
        threads: That one run may use.
        int8: Whether to run in 8-bit integers; None does so where the export has such a graph.

    Raises:
        InputError: The runtime is not installed, the export has no such graph, or the runtime cannot load it.
    """
    if int8 and bundle.int8_path is None:
        raise InputError(f"{bundle.folder}: this export has no 8-bit graph; parity.json says why; leave out int8")
    is_int8 = bundle.int8_path is not None if int8 is None else int8
    return Session(bundle, _installed(runtime), threads, is_int8)


def installed_runtimes() -> list[RuntimeName]:
    """List the runtimes that are installed here."""
    return [name for name in RUNTIMES if name != "auto" and importlib.util.find_spec(name)]


def _installed(runtime: str) -> str:
    if runtime not in RUNTIMES:
        raise InputError(f"there is no runtime {runtime}; choose one of {', '.join(RUNTIMES)}")
    if runtime == "auto":
        return "openvino" if importlib.util.find_spec("openvino") else "onnxruntime"
    if importlib.util.find_spec(runtime) is None:
        raise InputError(f"{runtime} is not installed; run `pip install {runtime}`, or choose another --runtime")
    return runtime


def _open_onnxruntime(bundle: Bundle, path: Path, threads: int) -> tuple[Graph, frozenset[str]]:
    session = _onnxruntime_session(path, threads)

    def run(frames: NDArray[np.uint8], wanted: Sequence[str]) -> list[NDArray[Any]]:
        return list(session.run(list(wanted), {"frames": frames}))

    return run, frozenset(output.name for output in session.get_outputs())


def _onnxruntime_session(path: Path, threads: int) -> "onnxruntime.InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common class but this
        raise _not_loaded(path, "onnxruntime", error) from None


def _open_openvino(bundle: Bundle, path: Path, threads: int) -> tuple[Graph, frozenset[str]]:
    """Open a graph with OpenVINO, but for scaling: a cumulative sum takes 20 ms there, and 1 ms in ONNX Runtime."""
    import openvino

    settings = {
        # Its default on some processors is bfloat16, whose probabilities are not those of the evaluation.
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    resize = _onnxruntime_session(bundle.resize_path, threads)
    try:
        core = openvino.Core()
        compiled = core.compile_model(_behind_levels(core.read_model(path)), "CPU", settings)
    except RuntimeError as error:
        raise _not_loaded(path, "openvino", error) from None
    request = compiled.create_infer_request()

    def run(frames: NDArray[np.uint8], wanted: Sequence[str]) -> list[NDArray[Any]]:
        (levels,) = resize.run(["levels"], {"frames": frames})
        request.infer({"levels": levels}, share_inputs=True)
        # The next run writes over the tensors.
        return [levels if name == "levels" else request.get_tensor(name).data.copy() for name in wanted]

    return run, frozenset(name for output in compiled.outputs for name in output.names)


def _behind_levels(model: "openvino.Model") -> "openvino.Model":
    """Return the part of a graph behind `levels`, which becomes its input."""
    import openvino

    source = model.output("levels").node.input_value(0)
    levels = openvino.opset8.parameter(source.get_partial_shape(), source.get_element_type(), name="levels")
    levels.output(0).set_names({"levels"})
    for user in source.get_target_inputs():
        user.replace_source_output(levels.output(0))
    results = [result for result in model.get_results() if "levels" not in result.output(0).get_names()]
    return openvino.Model(results, [levels])


def _not_loaded(path: Path, runtime: str, error: Exception) -> InputError:
    return InputError(f"{path}: {runtime} cannot load this graph: {error}; update {runtime}, or choose another runtime")


_OPEN = {"onnxruntime": _open_onnxruntime, "openvino": _open_openvino}
