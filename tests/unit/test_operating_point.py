import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_predictions import predictions

from weldbench.evaluation.operating_point import operating_point, threshold_for
from weldbench.evaluation.predictions import concatenate, select_split

CLASSES = ["good", "hole", "crack"]


def frames(labels, defect_scores, split, fold=0):
    scores = np.asarray(defect_scores, dtype=float)
    probabilities = np.column_stack([1 - scores, scores / 2, scores / 2])
    return select_split(predictions(CLASSES, labels, probabilities, "run", split=split), split, fold)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200), st.sampled_from([0.001, 0.01, 0.05, 0.1, 0.5]))
def test_a_threshold_never_rejects_more_good_frames_than_accepted(scores, rate):
    scores = np.array(scores)
    assert (scores > threshold_for(scores, rate)).mean() <= rate


def test_a_threshold_uses_the_accepted_rate_up():
    scores = np.arange(100) / 100
    assert threshold_for(scores, 0.05) == 0.94
    assert (scores > 0.94).mean() == 0.05


def test_escape_rate_by_hand():
    valid = frames([0] * 20 + [1], [*np.arange(20) / 40, 0.9], "valid")
    # 5 % of 20 good frames is 1: the threshold is the second largest score, 18 / 40.
    test = frames([0, 0, 0, 0, 1, 1, 2, 2], [0.1, 0.2, 0.45, 0.5, 0.4, 0.8, 0.3, 0.44], "test")
    point = operating_point(valid, test, 0.05)
    assert point.threshold == pytest.approx(0.45)
    assert point.false_reject_rate == pytest.approx(0.25)
    assert point.escape_rate == pytest.approx(0.75)
    assert point.escape_rate_per_class[1:].tolist() == [0.5, 1.0]
    assert np.isnan(point.escape_rate_per_class[0])


def test_every_fold_has_its_own_threshold():
    valid = concatenate([frames([0] * 4, [0.1] * 4, "valid", 0), frames([0] * 4, [0.7] * 4, "valid", 1)])
    test = concatenate([frames([0, 1], [0.0, 0.5], "test", 0), frames([0, 1], [0.0, 0.5], "test", 1)])
    point = operating_point(valid, test, 0.01)
    assert point.threshold == pytest.approx(0.4)
    assert point.escape_rate == 0.5


@pytest.mark.parametrize(("valid_labels", "test_labels"), [([1, 2], [0, 1]), ([0, 1], [1, 2]), ([0, 1], [0, 0])])
def test_without_good_or_defective_frames_there_is_no_operating_point(valid_labels, test_labels):
    assert (
        operating_point(frames(valid_labels, [0.1, 0.2], "valid"), frames(test_labels, [0.1, 0.2], "test"), 0.1) is None
    )


def test_there_is_no_threshold_without_a_good_class():
    table = predictions(CLASSES, [0, 0, 1, 1], np.tile([0.5, 0.3, 0.2], (4, 1)), "run")
    valid, test = (select_split(table, "test", has_good=has_good) for has_good in (True, False))
    assert operating_point(valid, valid, 0.05) is not None
    assert operating_point(test, test, 0.05) is None
