import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_predictions import certain, predictions
from sklearn.metrics import balanced_accuracy_score, precision_recall_fscore_support

from weldbench.evaluation.confusion import confusion_matrix, f1, macro, precision, recall, weighted
from weldbench.evaluation.metrics import (
    average_precision,
    calibration_bins,
    expected_calibration_error,
    metrics_on_test,
)
from weldbench.evaluation.predictions import select_split

ABC = ["a", "b", "c"]


def test_by_hand():
    # true a: a a b; true b: b b; true c: a
    confusion = confusion_matrix(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0]), 3)
    assert confusion.tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert precision(confusion)[:2] == pytest.approx([2 / 3, 2 / 3])
    assert np.isnan(precision(confusion)[2])
    assert recall(confusion) == pytest.approx([2 / 3, 1, 0])
    assert f1(confusion) == pytest.approx([2 / 3, 4 / 5, 0])
    assert macro(f1(confusion)) == pytest.approx((2 / 3 + 4 / 5) / 3)
    assert weighted(f1(confusion), confusion.sum(axis=1)) == pytest.approx((3 * 2 / 3 + 2 * 4 / 5) / 6)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_agrees_with_scikit_learn_where_every_class_has_frames(pairs):
    labels, predicted = np.array([*pairs, *((k, k) for k in range(4))]).T
    confusion = confusion_matrix(labels, predicted, 4)
    expected = precision_recall_fscore_support(labels, predicted, labels=range(4), zero_division=0)
    for ours, theirs in zip((precision, recall, f1), expected, strict=False):
        assert np.nan_to_num(ours(confusion)) == pytest.approx(theirs)
    assert macro(recall(confusion)) == pytest.approx(balanced_accuracy_score(labels, predicted))


@given(st.integers(0, 10), st.integers(0, 10))
def test_a_stack_of_matrices_is_scored_matrix_by_matrix(first, second):
    one, other = np.array([[first, 1], [2, 3]]), np.array([[0, 0], [second, 1]])
    stacked = f1(np.stack([one, other]))
    np.testing.assert_array_equal(stacked, np.stack([f1(one), f1(other)]))
    np.testing.assert_array_equal(macro(stacked), [macro(f1(one)), macro(f1(other))])


def test_a_class_without_frames_is_left_out_of_the_macro_average_even_when_it_is_predicted():
    metrics = metrics_on_test(certain(ABC, [0, 0, 1, 1], [0, 2, 1, 1], "run"))
    assert "f1_c" not in metrics
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert metrics["balanced_accuracy"] == pytest.approx(0.75)
    assert np.isnan(precision(confusion_matrix(np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1]), 3))[2])


def test_a_class_that_is_never_predicted_has_f1_zero():
    metrics = metrics_on_test(certain(ABC, [0, 1, 2], [0, 1, 0], "run"))
    assert metrics["f1_c"] == 0
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_perfect_and_certain_predictions():
    metrics = metrics_on_test(certain(ABC, [0, 1, 2, 2], [0, 1, 2, 2], "run"))
    ones = ["macro_f1", "weighted_f1", "accuracy", "balanced_accuracy", "cohen_kappa", "matthews_correlation"]
    assert [metrics[name] for name in [*ones, "defect_roc_auc"]] == [1] * 7
    assert metrics["expected_calibration_error"] == metrics["brier_score"] == 0


@pytest.mark.parametrize("labels", [[0, 0], [1, 1]])
def test_no_number_is_nan_when_only_one_class_has_frames(labels):
    metrics = metrics_on_test(certain(ABC, labels, labels, "run"))
    assert all(math.isfinite(value) for value in metrics.values())
    json.dumps(metrics, allow_nan=False)
    assert "defect_roc_auc" not in metrics


def test_only_the_part_test_counts():
    table = certain(ABC, [0, 1], [0, 1], "run")
    wrong = certain(ABC, [0, 1], [1, 0], "run", split="valid")
    assert metrics_on_test(pd.concat([table, wrong]))["accuracy"] == 1


def test_calibration_error_by_hand():
    # Bin (0.8, 0.867] holds one right and one wrong frame, bin (0.6, 0.667] one right frame.
    table = predictions(["a", "b"], [0, 1, 0], [[0.85, 0.15], [0.85, 0.15], [0.65, 0.35]], "run")
    bins = calibration_bins(select_split(table, "test"))
    assert bins["frames"].tolist() == [1, 2]
    assert bins["accuracy"].tolist() == [1, 0.5]
    assert expected_calibration_error(select_split(table, "test")) == pytest.approx((2 * 0.35 + 1 * 0.35) / 3)


def test_brier_score_by_hand():
    table = predictions(ABC, [0, 2], [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], "run")
    expected = ((0.25 + 0.09 + 0.04) + (0.01 + 0.01 + 0.04)) / 2
    assert metrics_on_test(table)["brier_score"] == pytest.approx(expected)


def test_average_precision_by_hand():
    # Ranked by P(a): a, b, a. Precision at the two a: 1 and 2/3.
    table = predictions(["a", "b"], [0, 1, 0], [[0.9, 0.1], [0.6, 0.4], [0.5, 0.5]], "run")
    assert average_precision(select_split(table, "test"))[0] == pytest.approx((1 + 2 / 3) / 2)


def test_rounded_probabilities_are_no_problem():
    table = predictions(ABC, [0, 1], [[0.333, 0.333, 0.333], [0.2, 0.5, 0.299]], "run")
    assert 0 < metrics_on_test(table)["brier_score"] < 2


def test_data_without_a_good_class_has_no_area_of_defects():
    table = certain(ABC, [0, 1, 2, 2], [0, 1, 2, 2], "run")
    with_good, without = metrics_on_test(table), metrics_on_test(table, has_good=False)
    assert with_good.pop("defect_roc_auc") == 1
    assert with_good == without
