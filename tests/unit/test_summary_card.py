"""The card on top of the report says what its numbers are worth."""

import numpy as np
import pandas as pd
import pytest

from weldbench.reporting.summary_card import Fact, summary_card


def card(
    note: float | str = np.nan, calibrated: bool = True, promised: float = 0.2, p_runs: float = 1.0
) -> dict[str, Fact]:
    summary = pd.DataFrame(
        {
            "test_set": "all 90 test frames",
            "model": ["small", "large"],
            "macro_f1": [0.8, 0.9],
            "macro_f1_low": [0.7, 0.6],
            "macro_f1_high": [0.9, 1.0],
            "test_runs": 7,
            "confidence": 0.95,
            "note": note,
        }
    )
    pairs = pd.DataFrame({"first": ["small"], "second": ["large"], "p_runs": [p_runs]})
    per_class = pd.DataFrame(
        {"model": "large", "class": ["good", "hole"], "frames": [60, 30], "recall": [0.99, 0.5], "note": ""}
    )
    operating_points = pd.DataFrame(
        {
            "model": ["large"],
            "accepted_false_rejects": [0.01],
            "test_false_rejects": [0.6],
            "escape_rate": [0.1],
            "escape_rate_low": [0.05],
            "escape_rate_high": [0.2],
            "calibrated": [calibrated],
        }
    )
    promises = pd.DataFrame(
        {
            "model": ["large"],
            "wanted_escape": [0.05],
            "promised_escape": [promised],
            "confidence": [0.95],
            "runs_needed": [104],
            "defective": [23],
            "good": [8],
            "falsely_rejected": [0],
        }
    )
    cost = pd.DataFrame(
        {
            "model": ["large"],
            "inference_ms_alone": [11.4],
            "inference_ms_per_frame": [1.66],
            "training_seconds": [37.0],
            "device": ["a processor"],
        }
    )
    facts = summary_card(summary, pairs, per_class, operating_points, promises, cost)
    return {fact.question: fact for fact in facts}


def test_a_class_that_is_taken_for_another_is_not_said_to_be_missed() -> None:
    fact = card()["Which class does it recognize least?"]
    assert fact.answer == "hole"
    assert fact.explanation.startswith("It recognizes 50 % of the 30 test frames of this class. A defect that it takes")


@pytest.mark.parametrize(
    ("p_runs", "said"),
    [(1.0, "may be chance (p 1.000, Holm's correction)"), (0.01, "is hardly chance (p 0.01, Holm's correction)")],
)
def test_a_difference_is_chance_or_hardly(p_runs: float, said: str) -> None:
    assert card(p_runs=p_runs)["Which model?"].explanation == f"Next comes small with 0.800: the difference {said}."


def test_an_interval_that_is_too_narrow_claims_no_confidence() -> None:
    assert "With 95 % confidence it lies between 0.600 and 1.000, from 7 test welds" in (
        card()["How good, and how sure?"].explanation
    )
    doubted = card(note="too narrow, for only one test run shows hole")["How good, and how sure?"].explanation
    assert "95 %" not in doubted
    assert doubted.endswith(
        "0.600 to 1.000, from 7 test welds, and even that is too narrow, for only one test run shows hole."
    )


def test_escapes_at_an_uncalibrated_threshold_say_so() -> None:
    assert card()["How many defects escape?"].explanation.endswith("in test, 60 % of the good frames were.")
    assert "uncalibrated" in card(calibrated=False)["How many defects escape?"].explanation


def test_a_promise_that_is_weaker_than_wanted_says_what_that_takes() -> None:
    assert card()["What can be promised?"].explanation.endswith(
        "rejects 0 of 8 good welds. For 5 % test needs 104 defective welds."
    )
    assert card(promised=0.05)["What can be promised?"].explanation.endswith("rejects 0 of 8 good welds.")


def test_the_speed_is_that_of_a_camera() -> None:
    assert card()["How fast is it?"].answer == "11.4 ms for a frame of a camera"
