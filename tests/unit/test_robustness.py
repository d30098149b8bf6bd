"""What a change of the camera costs: paired differences, and the words for them."""

import numpy as np
import pandas as pd
import pytest

from weldbench.deploy.changed_frames import spread_over_runs
from weldbench.evaluation.intervals import Interval
from weldbench.evaluation.predictions import Predictions
from weldbench.reporting.tables.robustness import verdict
from weldbench.trust.robustness import Effect, Effects, Judged

CLASSES = ("good", "bad")


def predictions(wrong: set[int]) -> Predictions:
    """Eight runs of two frames, four good and four bad; the frames of these numbers are taken for the other class."""
    labels = np.repeat([0, 0, 0, 0, 1, 1, 1, 1], 2)
    said = np.array([1 - label if number in wrong else label for number, label in enumerate(labels)])
    zeros, runs = np.zeros(16, np.int64), np.repeat([f"run{n}" for n in range(8)], 2)
    return Predictions(CLASSES, labels, 0.1 + 0.8 * np.eye(2)[said], runs, zeros, np.arange(16))


def effect(before: set[int], after: set[int]) -> Effect:
    judged = [Judged([predictions(wrong)], [0.5]) for wrong in (before, after)]
    return Effects(judged[0].trained[0], 2000, 0.95, 0).of(*judged)


def test_differences_are_those_of_the_same_frames() -> None:
    found = effect({0}, {0, 2, 8, 9, 10})
    assert found.macro_f1.estimate == pytest.approx(0.6863 - 0.9373, abs=1e-3)
    assert found.escapes is not None
    assert found.false_rejects is not None
    assert found.escaped_welds is not None
    assert found.escapes.estimate == 3 / 8
    assert found.false_rejects.estimate == 1 / 8
    assert found.escaped_welds.estimate == 1 / 4  # of the second bad run one frame is still rejected
    assert found.escapes.low < 3 / 8 < found.escapes.high


def test_what_changes_no_decision_is_survived() -> None:
    found = effect({0, 9}, {0, 9})
    assert found.macro_f1.estimate == 0
    assert verdict(found) == "survives"


@pytest.mark.parametrize(
    ("gain", "rise", "word"),
    [
        ((-0.01, -0.019, 0.0), (0.0, -0.01, 0.019), "survives"),
        ((-0.01, -0.03, 0.01), (0.0, -0.01, 0.01), "unclear"),
        ((0.0, -0.01, 0.01), (0.01, -0.01, 0.03), "unclear"),
        ((-0.1, -0.15, -0.03), (0.0, -0.01, 0.01), "does not survive"),
        ((0.0, -0.01, 0.01), (0.1, 0.03, 0.2), "does not survive"),
    ],
)
def test_words_follow_the_intervals(gain, rise, word) -> None:
    assert verdict(Effect(Interval(*gain), Interval(*rise), Interval(0.0, 0.0, 0.01), None)) == word
    assert verdict(Effect(Interval(*gain), Interval(0.0, 0.0, 0.01), Interval(*rise), None)) == word


def test_every_run_and_class_has_a_frame_and_no_run_more_than_it_may() -> None:
    labels = ["good"] * 20 + ["good"] * 5 + ["bad"] * 9 + ["bad"] * 2
    lines = pd.DataFrame({"run": ["a"] * 20 + ["b"] * 14 + ["c"] * 2, "label": labels})
    chosen = lines.iloc[spread_over_runs(lines, 4)]
    assert chosen.groupby(["run", "label"]).size().to_dict() == {
        ("a", "good"): 4,
        ("b", "bad"): 2,
        ("b", "good"): 2,
        ("c", "bad"): 2,
    }
