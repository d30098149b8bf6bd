"""Decisions are those of the report: the threshold, and the majority vote over past frames."""

from dataclasses import replace

import numpy as np
import pytest
from deploy.tiny_export import PROMISE
from hypothesis import given
from hypothesis import strategies as st

from weldbench.deploy.bundle import Bundle
from weldbench.deploy.decision import Decision, Rule, Vote
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
    said = [vote.add(Decision.of(is_defect, False)).rejects for is_defect in decisions]
    if decisions:
        expected = majority_vote(predictions([0] * len(said), np.eye(2)[np.array(decisions, int)]), window)
        assert said == [bool(winner) for winner in expected]


def test_a_vote_knows_no_future() -> None:
    past = [True, False, False, True]
    said: list[list[bool]] = [[], []]
    for number, future in enumerate(([True] * 5, [False] * 5)):
        vote = Vote(3)
        whole = [vote.add(Decision.of(is_defect, False)).rejects for is_defect in past + future]
        said[number] = whole[: len(past)]
    assert said[0] == said[1] == [True, False, False, False]


DECISIONS = st.sampled_from(list(Decision))


@given(st.lists(DECISIONS, min_size=1, max_size=40), st.sampled_from([1, 3, 4, 15]), st.data())
def test_an_unknown_frame_never_helps_a_weld_to_pass(
    decisions: list[Decision], window: int, data: st.DataObject
) -> None:
    """So a promise about escapes holds whatever is unknown: each vote that rejected without it still does."""
    at = data.draw(st.integers(0, len(decisions) - 1))
    with_unknown = [*decisions[:at], Decision.UNKNOWN, *decisions[at + 1 :]]
    votes = [Vote(window), Vote(window)]
    said = [
        [vote.add(decision) for decision in film] for vote, film in zip(votes, (decisions, with_unknown), strict=True)
    ]
    for before, after in zip(*said, strict=True):
        assert after.rejects >= before.rejects


def test_a_vote_is_unknown_where_more_of_what_is_not_good_is_unknown() -> None:
    vote, (good, defect, unknown) = Vote(5), Decision
    film = (unknown, unknown, good, good, good, defect, unknown, defect)
    assert [vote.add(decision) for decision in film] == [unknown, unknown, unknown, good, good, good, good, defect]


@pytest.fixture
def promising(bundle: Bundle) -> Bundle:
    promises = (replace(PROMISE, vote_frames=1, falsely_rejected=3), PROMISE)
    return replace(bundle, promises=promises)


def test_a_promise_decides_by_its_threshold_and_its_vote(promising: Bundle) -> None:
    rule = Rule(promising, keep_promise=True)
    assert (rule.promise, rule.threshold, rule.vote_frames, rule.false_rejects) == (PROMISE, 0.125, 3, None)
    assert Rule(promising, vote_frames=1, keep_promise=True).vote_frames == 1
    assert Rule(promising).promise is None


def test_a_promise_that_is_not_there_is_refused(promising: Bundle) -> None:
    with pytest.raises(InputError, match="no promise for a vote over 5 frames; choose --vote 1 or 3"):
        Rule(promising, vote_frames=5, keep_promise=True)
    with pytest.raises(InputError, match="its test split held no defective weld"):
        Rule(replace(promising, promises=()), keep_promise=True)
    with pytest.raises(InputError, match="knows no good class"):
        Rule(replace(promising, promises=(), good_class=None), keep_promise=True)
    with pytest.raises(InputError, match="leave out --false-rejects"):
        Rule(promising, 0.01, keep_promise=True)


@pytest.mark.parametrize("useless", [{"threshold": None}, {"falsely_rejected": 8}])
def test_a_promise_that_rejects_every_good_weld_is_none(promising: Bundle, useless: dict) -> None:
    none = replace(PROMISE, **useless)
    with pytest.raises(InputError, match="by rejecting every good weld too"):
        Rule(replace(promising, promises=(none,)), keep_promise=True)
    other = replace(PROMISE, vote_frames=1, falsely_rejected=7)
    assert Rule(replace(promising, promises=(none, other)), keep_promise=True).promise == other


def test_a_promise_without_a_good_weld_in_test_is_one() -> None:
    unknown_cost = replace(PROMISE, good=0, falsely_rejected=0, falsely_rejected_low=None, falsely_rejected_high=None)
    assert unknown_cost.is_useful
    assert "nobody knows how many of them it rejects" in unknown_cost.told


def test_a_promise_is_said_with_what_it_rests_on_and_its_conditions() -> None:
    for said in (
        "With 95 % confidence at most 22 % of defective welds escape",
        "as soon as the vote over 3 frames says so",
        "Test had 12 defective welds; 0 of them escaped, and at most 0 may.",
        "It rejected 1 of 8 good welds (0.3 % to 52.7 % of all good welds, 95 % interval).",
        "Wanted was at most 5 %: that takes 59 defective welds in test, none of which escapes.",
        "the same camera",
    ):
        assert said in PROMISE.told
    assert "Wanted" not in replace(PROMISE, escape=0.05).told


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
