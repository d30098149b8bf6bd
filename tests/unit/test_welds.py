"""Welds that escape and welds that are falsely rejected, by hand and against the vote of an export."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_predictions import predictions

from weldbench.deploy.decision import Decision, Vote
from weldbench.evaluation.predictions import Predictions, concatenate, select_split
from weldbench.evaluation.temporal_vote import film_order, majority_vote, voted_scores
from weldbench.trust.welds import Welds, exported_training, first_fold

CLASSES = ("good", "hole", "dirt")


def film(scores: list[float], labels: list[int] | None = None, runs: str | list[str] = "run", fold: int = 0):
    """Frames with these values of 1 - P(good)."""
    scores = np.asarray(scores, float)
    probabilities = np.stack([1 - scores, scores, np.zeros(len(scores))], axis=1)
    return select_split(predictions(CLASSES, labels or [0] * len(scores), probabilities, runs), "test", fold)


SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=30)


@given(SCORES, st.sampled_from([1, 2, 3, 4, 7, 15, 1000]), st.sampled_from([-0.1, 0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]))
def test_a_voted_score_says_what_the_vote_of_an_export_says_at_every_threshold(
    scores: list[float], window: int, threshold: float
) -> None:
    frames = film(scores)
    vote = Vote(window)
    said = [vote.add(Decision.of(score > threshold, False)).rejects for score in scores]
    assert (voted_scores(frames, np.array(scores), window) > threshold).tolist() == said


@given(SCORES, st.sampled_from([1, 3, 4, 9]), st.floats(0, 1), st.integers(0, 2**16))
def test_a_voted_score_says_what_the_vote_of_the_report_says(
    scores: list[float], window: int, threshold: float, seed: int
) -> None:
    runs = np.random.default_rng(seed).choice(["x", "y", "z"], len(scores))
    rejected = (np.array(scores) > threshold).astype(int)
    two_classes = Predictions(
        ("good", "bad"), rejected, np.eye(2)[rejected], runs, np.zeros_like(rejected), np.arange(len(scores))
    )
    said = majority_vote(two_classes, window)
    voted = voted_scores(film(scores, runs=list(runs)), np.array(scores), window)
    assert (voted > threshold).tolist() == (said == 1).tolist()


def test_voted_scores_by_hand() -> None:
    # Windows: 0.1 | 0.1 0.9, own again | 0.1 0.9 0.3 | 0.9 0.3 0.8 | 0.3 0.8 0.2
    scores = np.array([0.1, 0.9, 0.3, 0.8, 0.2])
    assert voted_scores(film(list(scores)), scores, 3).tolist() == [0.1, 0.9, 0.3, 0.8, 0.3]


RUNS = ["caught"] * 4 + ["early"] * 4 + ["late"] * 4 + ["good"] * 4 + ["alarm"] * 4
LABELS = [0, 0, 1, 1] + [0, 0, 2, 2] + [0, 1, 0, 0] + [0] * 4 + [0] * 4
RISEN = [0.1, 0.1, 0.6, 0.9, 0.9, 0.9, 0.2, 0.3, 0.1, 0.2, 0.9, 0.9, 0.1, 0.2, 0.1, 0.4, 0.1, 0.1, 0.8, 0.1]


def test_a_defect_escapes_unless_the_weld_is_rejected_while_it_lasts() -> None:
    welds = Welds.of(film(RISEN, LABELS, RUNS), vote_frames=1)
    assert dict(zip(welds.names, welds.scores.round(6), strict=True)) == {
        "caught": 0.9,
        "early": 0.3,  # what is rejected before the defect begins does not count,
        "late": 0.2,  # nor what is rejected after it has ended
        "good": 0.4,
        "alarm": 0.8,
    }
    assert welds.names[welds.escaped(0.5)].tolist() == ["early", "late"]
    assert welds.names[welds.falsely_rejected(0.5)].tolist() == ["alarm"]
    assert {str(name): CLASSES[number] for name, number in zip(welds.names, welds.shown, strict=True)} == {
        "caught": "hole",
        "early": "dirt",
        "late": "hole",
        "good": "good",
        "alarm": "good",
    }


def test_a_vote_silences_an_alarm_of_one_frame_and_misses_a_short_defect() -> None:
    welds = Welds.of(film(RISEN, LABELS, RUNS), vote_frames=3)
    scores = dict(zip(welds.names, welds.scores.round(6), strict=True))
    assert scores["late"] == 0.2  # frames 0.1 0.2, and the own breaks the tie
    assert scores["caught"] == 0.6
    assert scores["early"] == 0.9  # the vote still speaks of the frames before: the weld is rejected in its defect
    assert scores["alarm"] == 0.1
    assert not welds.falsely_rejected(0.5).any()


@given(st.integers(0, 2**16), st.sampled_from([1, 3, 15]))
def test_losses_are_monotone_and_those_of_the_rule_frame_by_frame(seed: int, window: int) -> None:
    random = np.random.default_rng(seed)
    count = 60
    scores, labels = random.random(count).round(2), random.choice([0, 0, 0, 1, 2], count)
    runs = random.choice([f"r{number}" for number in range(8)], count)
    frames = film(list(scores), list(labels), list(runs))
    welds = Welds.of(frames, window)
    escapes = rejects = None
    for threshold in np.linspace(-0.1, 1.0, 23):
        escaped, rejected = welds.escaped(threshold), welds.falsely_rejected(threshold)
        if escapes is not None:
            assert (escaped >= escapes).all()
            assert (rejected <= rejects).all()
        escapes, rejects = escaped, rejected
        for number, positions in enumerate(film_order(frames)):
            vote = Vote(window)
            defects = 1 - frames.probabilities[positions, 0] > threshold
            said = np.array([vote.add(Decision.of(is_defect, False)).rejects for is_defect in defects])
            defect = frames.labels[positions] != 0
            assert escaped[number] == (defect.any() and not said[defect].any())
            assert rejected[number] == (not defect.any() and said.any())


def test_the_training_that_an_export_takes_is_the_best_on_valid_of_the_first_fold() -> None:
    right, wrong = film([0.1, 0.9], [0, 1]), film([0.9, 0.1], [0, 1])
    other_fold = film([0.1, 0.9], [0, 1], fold=1)
    half = film([0.9, 0.9], [0, 1])
    valid = [concatenate([wrong, other_fold]), concatenate([half, other_fold]), concatenate([half, other_fold])]
    assert exported_training([right] * 3, valid) == 1
    assert exported_training([right], [right.take(np.array([], int))]) == 0
    assert len(first_fold(valid[0]).labels) == 2


@pytest.mark.parametrize("window", [1, 15])
def test_frames_that_are_runs_of_their_own_are_welds_of_one_frame(window: int) -> None:
    welds = Welds.of(film([0.2, 0.7, 0.6], [0, 1, 0], ["a", "b", "c"]), window)
    assert welds.scores.round(6).tolist() == [0.2, 0.7, 0.6]
    assert welds.take(welds.defective).names.tolist() == ["b"]
