"""Both runtimes say the same, frame by frame and in batches."""

import numpy as np
import pytest
from numpy.typing import NDArray

from weldbench.deploy.bundle import Bundle
from weldbench.deploy.runtimes import open_session
from weldbench.errors import InputError


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_batch_says_what_single_frames_say(bundle: Bundle, frames: NDArray[np.uint8], runtime: str) -> None:
    session = open_session(bundle, runtime)
    together = session.run(frames)
    assert together.probabilities.shape == (7, 3)
    assert together.features.shape == (7, 8)
    assert together.probabilities.dtype == together.features.dtype == np.float32
    np.testing.assert_allclose(together.probabilities.sum(axis=1), 1, atol=1e-6)
    before = together.probabilities.copy()
    for number, frame in enumerate(frames):
        alone = session.run(frame[None])
        np.testing.assert_allclose(alone.probabilities[0], before[number], atol=1e-5)
    np.testing.assert_array_equal(together.probabilities, before)  # later runs write over nothing


def test_the_runtimes_agree_also_on_heat(bundle: Bundle, frames: NDArray[np.uint8]) -> None:
    first, second = (open_session(bundle, runtime) for runtime in ("onnxruntime", "openvino"))
    np.testing.assert_allclose(first.run(frames).probabilities, second.run(frames).probabilities, atol=1e-5)
    for frame in frames:
        heats = first.heat(frame), second.heat(frame)
        np.testing.assert_allclose(*heats, atol=1e-4)
        assert heats[0].shape == (4, 4)
        assert 0 <= heats[0].min() <= heats[0].max() <= 1


def test_what_is_not_there_is_refused(bundle: Bundle) -> None:
    with pytest.raises(InputError, match="no 8-bit graph"):
        open_session(bundle, int8=True)
    with pytest.raises(InputError, match="there is no runtime tensorrt; choose one of auto, onnxruntime, openvino"):
        open_session(bundle, "tensorrt")


def test_a_runtime_that_is_not_installed_is_named(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "openvino" else object())
    assert open_session(bundle, "auto").runtime == "onnxruntime"
    with pytest.raises(InputError, match="openvino is not installed; run `pip install openvino`"):
        open_session(bundle, "openvino")
