"""Temperature scaling by hand, and the measures against those of the other tables and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_predictions import World, conclude, predictions
from sklearn.metrics import log_loss

from weldbench.config.evidence import Compare
from weldbench.evaluation.comparison import Comparison
from weldbench.evaluation.metrics import scalar_metrics
from weldbench.evaluation.predictions import Predictions, concatenate, select_split
from weldbench.reporting.tables.calibration import calibration
from weldbench.trust.calibration import CalibrationIntervals, scale_by_valid
from weldbench.trust.temperature import HIGHEST, LOWEST, fit_temperature, scaled

AB = ("a", "b")


def frames(labels: list[int], of_a: list[float], runs: list[str] | str = "run", fold: int = 0) -> Predictions:
    probabilities = np.stack([np.array(of_a), 1 - np.array(of_a)], axis=1)
    return select_split(predictions(AB, labels, probabilities, runs), "test", fold)


def test_a_network_that_is_too_sure_gets_the_temperature_that_makes_it_right() -> None:
    # It says 0.9 and is right in 3 of 4: 9 to 1 becomes 3 to 1, its square root.
    valid = frames([0, 0, 0, 1], [0.9] * 4)
    assert fit_temperature(valid) == pytest.approx(2.0, rel=1e-3)
    assert scaled(valid, 2.0).probabilities[:, 0] == pytest.approx([0.75] * 4)
    # Not sure enough: 3 to 1 becomes 9 to 1.
    assert fit_temperature(frames([0] * 9 + [1], [0.75] * 10)) == pytest.approx(0.5, rel=1e-3)


def test_a_temperature_stays_within_its_bounds() -> None:
    assert fit_temperature(frames([0, 0], [0.9, 0.8])) == pytest.approx(LOWEST, rel=0.01)
    assert fit_temperature(frames([1, 1], [0.9, 0.8])) == pytest.approx(HIGHEST, rel=0.01)
    with pytest.raises(ValueError, match="no frame"):
        fit_temperature(frames([], []))


@given(st.integers(0, 2**16), st.floats(LOWEST, HIGHEST))
def test_no_temperature_changes_a_class(seed: int, temperature: float) -> None:
    random = np.random.default_rng(seed)
    said = random.dirichlet(np.full(6, 0.2), 30).round(8)
    said /= said.sum(axis=1, keepdims=True)
    table = predictions(list("abcdef"), random.integers(0, 6, 30), said, "run")
    before = select_split(table, "test")
    after = scaled(before, temperature)
    assert after.predicted.tolist() == before.predicted.tolist()
    assert after.probabilities.sum(axis=1) == pytest.approx(np.ones(30))


def test_each_fold_has_its_own_temperature() -> None:
    valid = concatenate([frames([0, 0, 0, 1], [0.9] * 4), frames([0] * 9 + [1], [0.75] * 10, fold=1)])
    test = concatenate([frames([0], [0.9]), frames([0], [0.75], fold=1)])
    found, temperature = scale_by_valid(test, valid)
    assert found.probabilities[:, 0] == pytest.approx([0.75, 0.9], rel=1e-3)
    assert temperature == pytest.approx(1.25, rel=1e-3)
    assert scale_by_valid(test, frames([0], [0.9])) is None


def test_the_measures_are_those_of_the_other_tables_and_of_scikit_learn(tmp_path) -> None:
    findings = conclude(World(skills={"conv6": 0.8}), tmp_path)
    test, intervals = (
        findings.scored.comparison.test["conv6"],
        CalibrationIntervals(findings.scored.comparison.frames, findings.settings),
    )
    known = [scalar_metrics(one) for one in test]
    for measure in ("expected_calibration_error", "brier_score"):
        told = intervals.compare(measure, test, test)
        assert told.before.estimate == pytest.approx(np.mean([metrics[measure] for metrics in known]), abs=1e-6)
        assert told.before.low < told.before.estimate < told.before.high
        assert told.change.estimate == 0
    theirs = [log_loss(one.labels, one.probabilities / one.probabilities.sum(axis=1, keepdims=True)) for one in test]
    assert intervals.compare("log_loss", test, test).after.estimate == pytest.approx(np.mean(theirs), abs=1e-4)


def test_the_table_says_what_scaling_changes_by_hand() -> None:
    # Too sure in valid and in test alike: says 0.9, right in 3 of 4 frames of every run.
    labels, runs = [0, 0, 0, 1] * 4, np.repeat(list("wxyz"), 4).tolist()
    test = valid = frames(labels, [0.9] * 16, runs)
    comparison = Comparison(AB, ("one",), (0,), {"one": (test,)}, {"one": (valid,)})
    table = calibration(comparison, Compare(models=["one"], bootstrap_draws=100)).data.set_index("measure")
    assert table["temperature"].tolist() == pytest.approx([2.0] * 3, rel=1e-3)
    assert table.loc["expected_calibration_error", ["before", "after"]].tolist() == pytest.approx([0.15, 0], abs=1e-3)
    # Brier: 3/4 of 2 * 0.1^2, 1/4 of 2 * 0.9^2; then 3/4 of 2 * 0.25^2, 1/4 of 2 * 0.75^2.
    assert table.loc["brier_score", ["before", "after"]].tolist() == pytest.approx([0.42, 0.375], abs=1e-3)
    expected = [-(0.75 * np.log(p) + 0.25 * np.log(1 - p)) for p in (0.9, 0.75)]
    assert table.loc["log_loss", ["before", "after"]].tolist() == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("doubted", [True, False])
def test_what_cannot_be_scaled_or_is_scaled_by_too_little_is_told(tmp_path, doubted: bool) -> None:
    test = frames([0, 1, 0, 1], [0.9, 0.2, 0.8, 0.4], list("wxyz"))
    nothing = test.take(np.array([], int))
    comparison = Comparison(
        AB, ("one", "two"), (0,), {"one": (test,), "two": (test,)}, {"one": (nothing,), "two": (test,)}
    )
    table = calibration(comparison, Compare(models=["one"], bootstrap_draws=100), ["two"] if doubted else [])
    table.write(tmp_path)
    text = (tmp_path / "calibration.md").read_text(encoding="utf-8")
    assert "valid has no frame" in text
    assert ("(valid holds too little)" in text) == doubted
    assert "nan" not in text
