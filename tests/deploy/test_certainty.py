"""What an export promises is what the report's table promises, and the rule that runs in a factory keeps it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weldbench.config.evidence import Compare
from weldbench.deploy.certainty import calibration_of, promises_of, temperature_of
from weldbench.deploy.decision import Decision, Vote
from weldbench.deploy.promise import Promise
from weldbench.evaluation.predictions import Predictions
from weldbench.trust.evidence import for_one_of
from weldbench.trust.guarantees import best_promise
from weldbench.trust.welds import Welds

EVIDENCE = Compare(models=["a"], bootstrap_draws=200)
FRAMES = 6  # of each weld; the last three of a defective one show its defect


def drawn(seed: int, defective: int, good: int, skill: float = 2.0) -> Predictions:
    """Make welds of six frames, as a network of some skill sees them."""
    random = np.random.default_rng(seed)
    labels = np.zeros((defective + good, FRAMES), np.int64)
    labels[:defective, 3:] = 1
    logit = skill * (2 * labels - 1) + random.normal(size=labels.shape) + random.normal(size=(len(labels), 1))
    defect = np.float32(1 / (1 + np.exp(-logit))).astype(np.float64).ravel()
    runs = np.repeat([f"w{number:03}" for number in range(len(labels))], FRAMES)
    rows = np.arange(labels.size)
    return Predictions(("good", "bad"), labels.ravel(), np.stack([1 - defect, defect], 1), runs, 0 * rows, rows)


def none_unknown(said: Predictions) -> np.ndarray:
    return np.zeros(len(said.labels), bool)


def test_the_promise_is_that_of_the_table_of_promises() -> None:
    said = drawn(0, defective=40, good=20)
    found = promises_of({"onnxruntime": said}, none_unknown(said), (1, 3), models=5, settings=EVIDENCE)
    assert [promise.vote_frames for promise in found] == [1, 3]
    for promise in found:
        theirs = best_promise(Welds.of(said, promise.vote_frames), 0.05, for_one_of(0.95, 10))
        assert (promise.escape, promise.threshold, promise.escaped) == (
            theirs.escape,
            theirs.threshold,
            theirs.escaped,
        )
        assert (promise.choices, promise.defective, promise.good, promise.wanted_escape) == (10, 40, 20, 0.05)
        assert promise.escape == pytest.approx(1 - 0.005 ** (1 / 40))
        assert (promise.escapes_allowed, promise.runs_needed) == (0, 104)
        assert Promise.of(promise.described()) == promise


def test_how_many_may_escape() -> None:
    said = drawn(0, defective=124, good=5)
    (promise,) = promises_of({"onnxruntime": said}, none_unknown(said), (1,), models=1, settings=EVIDENCE)
    assert (promise.escape, promise.escapes_allowed) == (0.05, 2)  # as `weldbench plan-evidence` says
    assert promise.escaped <= 2


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 4]), st.floats(0, 0.3))
def test_the_rule_that_runs_rejects_what_the_promise_counts(seed: int, window: int, unknown_share: float) -> None:
    """Film by film with `Vote`: escapes are at most those counted, false rejects exactly those."""
    said = drawn(seed, defective=15, good=9)
    unknown = np.random.default_rng(seed).random(len(said.labels)) < unknown_share
    (promise,) = promises_of({"onnxruntime": said}, unknown, (window,), models=1, settings=EVIDENCE)
    threshold = -1.0 if promise.threshold is None else promise.threshold
    escaped = rejected = 0
    for run in np.unique(said.runs):
        of_run, vote = said.runs == run, Vote(window)
        decisions = [
            Decision.of(1 - good > threshold, strange)
            for good, strange in zip(said.probabilities[of_run, 0], unknown[of_run], strict=True)
        ]
        rejects = np.array([vote.add(decision).rejects for decision in decisions])
        shows = said.labels[of_run] != 0
        escaped += bool(shows.any() and not rejects[shows].any())
        rejected += bool(not shows.any() and rejects.any())
    assert escaped <= promise.escaped
    assert rejected == promise.falsely_rejected


def test_a_weld_that_escapes_in_one_runtime_escapes() -> None:
    said = drawn(1, defective=30, good=10)
    lower = said.probabilities.copy()
    lower[:, 0] = np.minimum(lower[:, 0] + 1e-3, 1.0)
    other = replace(said, probabilities=lower)
    both = promises_of({"onnxruntime": said, "openvino": other}, none_unknown(said), (1,), 1, EVIDENCE)[0]
    (weaker,) = promises_of({"openvino": other}, none_unknown(said), (1,), 1, EVIDENCE)
    assert both.threshold == weaker.threshold
    assert both.runtimes == ("onnxruntime", "openvino")
    assert both.falsely_rejected == Welds.of(said, 1).falsely_rejected(both.threshold).sum()


def test_a_weld_that_looks_wholly_good_leaves_no_threshold() -> None:
    said = drawn(2, defective=12, good=6)
    probabilities = said.probabilities.copy()
    probabilities[said.runs == "w003"] = [1.0, 0.0]
    said = replace(said, probabilities=probabilities)
    (promise,) = promises_of({"onnxruntime": said}, none_unknown(said), (1,), 1, EVIDENCE)
    assert promise.threshold is None
    assert not promise.is_useful
    assert promise.falsely_rejected == promise.good == 6


def test_without_a_good_class_or_a_defective_weld_nothing_is_promised() -> None:
    said = drawn(3, defective=0, good=6)
    assert promises_of({"onnxruntime": said}, none_unknown(said), (1, 3), 1, EVIDENCE) == ()
    said = replace(drawn(3, defective=6, good=6), has_good=False)
    assert promises_of({"onnxruntime": said}, none_unknown(said), (1, 3), 1, EVIDENCE) == ()


def too_sure(said: Predictions) -> Predictions:
    """Make a network five times as sure: its logits times 5."""
    powers = said.probabilities**5
    return replace(said, probabilities=powers / powers.sum(axis=1, keepdims=True))


def test_calibration_is_measured_on_test_with_the_temperature_of_valid() -> None:
    valid, test = drawn(4, 100, 100), too_sure(drawn(5, 100, 100))
    temperature = temperature_of(too_sure(valid))
    assert temperature == pytest.approx(5 * temperature_of(valid), rel=1e-2)
    told = calibration_of(test, temperature, EVIDENCE)
    assert [found["measure"] for found in told["test"]] == ["expected_calibration_error", "brier_score", "log_loss"]
    for found in told["test"]:
        assert found["before"]["low"] < found["before"]["estimate"] < found["before"]["high"]
        change = found["after"]["estimate"] - found["before"]["estimate"]
        assert found["change"]["estimate"] == pytest.approx(change)
    assert told["test"][2]["change"]["estimate"] < 0  # of the log loss
    assert temperature_of(valid.take(np.zeros(len(valid.labels), bool))) is None
    assert calibration_of(test, None, EVIDENCE)["test"] == []
