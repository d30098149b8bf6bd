"""Decisions are those of the report: the threshold, and the majority vote over past frames."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weldbench.deploy.bundle import Bundle
from weldbench.deploy.decision import Rule, Vote
from weldbench.errors import InputError
from weldbench.evaluation.operating_point import operating_point
from weldbench.evaluation.predictions import Predictions
from weldbench.evaluation.temporal_vote import majority_vote


def predictions(labels: list[int], probabilities: np.ndarray, runs: list[str] | None = None) -> Predictions:
    count = len(labels)
    return Predictions(
        ("good", "bad"),
        np.array(labels),
        probabilities.astype(np.float64),
        np.array(runs or ["run"] * count),
        np.zeros(count, np.int64),
        np.arange(count),
    )


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.01, 0.25, 0.9]))
def test_the_rule_rejects_what_the_report_rejects(bundle: Bundle, seed: int, rate: float) -> None:
    random = np.random.default_rng(seed)
    good = random.choice([0.0, 0.25, 0.5, 0.75, 1.0, random.random()], 40).astype(np.float32)
    probabilities = np.stack([good, 1 - good], axis=1)
    frames = predictions([0, 1] * 20, probabilities)
    point = operating_point(frames, frames, rate)
    rule = Rule(replace(bundle, thresholds={rate: point.threshold}), rate)
    np.testing.assert_array_equal(rule.decide(probabilities), ~point.passed)


@given(st.lists(st.booleans(), max_size=40), st.sampled_from([1, 3, 4, 15]))
def test_the_vote_is_that_of_the_report(decisions: list[bool], window: int) -> None:
    vote = Vote(window)
    said = [vote.add(is_defect) for is_defect in decisions]
    if decisions:
        expected = majority_vote(predictions([0] * len(said), np.eye(2)[np.array(decisions, int)]), window)
        assert said == [bool(winner) for winner in expected]


def test_a_vote_knows_no_future() -> None:
    past = [True, False, False, True]
    said = [[Vote(3).add(x) for x in ()] for _ in range(2)]
    for number, future in enumerate(([True] * 5, [False] * 5)):
        vote = Vote(3)
        said[number] = [vote.add(is_defect) for is_defect in past + future][: len(past)]
    assert said[0] == said[1] == [True, False, False, False]


def test_the_default_is_one_percent_and_the_window_of_the_export(bundle: Bundle) -> None:
    rule = Rule(bundle)
    assert (rule.false_rejects, rule.threshold, rule.vote_frames) == (0.01, 0.66, 3)
    assert Rule(bundle, 0.05, 7).threshold == 0.5


def test_an_unknown_share_names_those_that_are_known(bundle: Bundle) -> None:
    with pytest.raises(InputError, match=r"no threshold for 0\.02 of false rejects; choose one of 0\.01, 0\.05"):
        Rule(bundle, 0.02)
    with pytest.raises(InputError, match="window of the vote is 0 frames"):
        Rule(bundle, vote_frames=0)


def test_without_a_threshold_the_most_probable_class_decides(bundle: Bundle) -> None:
    probabilities = np.array([[0.4, 0.3, 0.3], [0.3, 0.4, 0.3]], np.float32)
    assert Rule(replace(bundle, thresholds={})).decide(probabilities).tolist() == [False, True]
    no_good = replace(bundle, thresholds={}, good_class=None)
    assert Rule(no_good).decide(probabilities).tolist() == [True, True]
    with pytest.raises(InputError, match="no threshold, as it knows no good frames"):
        Rule(no_good, 0.01)
