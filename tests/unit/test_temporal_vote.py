import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from made_up_predictions import certain

from weldbench.evaluation.predictions import select_split
from weldbench.evaluation.temporal_vote import delay_frames, majority_vote, measured_delays

ABC = ["a", "b", "c"]


def film(predicted, labels=None, runs="run"):
    return select_split(certain(ABC, predicted if labels is None else labels, predicted, runs), "test")


def test_by_hand():
    assert majority_vote(film([0, 1, 0, 1, 1, 2, 1]), 3).tolist() == [0, 1, 0, 1, 1, 1, 1]


@given(st.lists(st.integers(0, 2), min_size=1, max_size=40), st.sampled_from([1, 3, 5, 9]))
def test_agrees_with_a_plain_count(predicted, length):
    for position, winner in enumerate(majority_vote(film(predicted), length)):
        counts = np.bincount(predicted[max(0, position - length + 1) : position + 1], minlength=3)
        assert counts[winner] == counts.max()
        if counts[predicted[position]] == counts.max():
            assert winner == predicted[position]


@given(st.lists(st.integers(0, 2), min_size=1, max_size=30))
def test_a_window_of_one_frame_changes_nothing(predicted):
    assert majority_vote(film(predicted), 1).tolist() == predicted


def test_runs_do_not_vote_for_each_other_even_when_their_frames_are_mixed():
    table = certain(ABC, [0, 1] * 4, [0, 1] * 4, ["x", "y"] * 4)
    assert majority_vote(select_split(table, "test"), 5).tolist() == [0, 1] * 4


def test_flawless_predictions_answer_half_a_window_late():
    labels = [0] * 20 + [1] * 20 + [2] * 20
    for length in (1, 3, 7, 15):
        voted = majority_vote(film(labels), length)
        assert measured_delays(film(labels), voted).tolist() == [delay_frames(length)] * 2


def test_a_change_that_is_never_seen_has_an_infinite_delay():
    frames = film([0] * 12, labels=[0] * 6 + [1] * 6)
    assert measured_delays(frames, majority_vote(frames, 3)).tolist() == [np.inf]
