"""Confident learning: by hand, and against what the package of its authors computed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weldbench.trust.confident_learning import confident_learning

# Forty made-up examples as `given label:probabilities`. cleanlab 2.9.0 said of them, by compute_confident_joint without
# calibration, get_confident_thresholds, estimate_joint and find_label_issues(filter_by="confident_learning"):
EXAMPLES = """
    2:0.096,0.395,0.509 2:0.077,0.062,0.861 0:0.707,0.118,0.175 2:0.057,0.021,0.922 1:0.098,0.802,0.100
    1:0.323,0.631,0.046 1:0.027,0.944,0.029 0:0.490,0.438,0.072 2:0.112,0.154,0.734 0:0.103,0.416,0.481
    0:0.683,0.052,0.265 1:0.064,0.879,0.057 1:0.129,0.747,0.124 1:0.160,0.689,0.151 0:0.965,0.031,0.004
    0:0.959,0.032,0.009 0:0.922,0.051,0.027 0:0.735,0.069,0.196 0:0.298,0.546,0.156 2:0.398,0.018,0.584
    0:0.886,0.056,0.058 1:0.076,0.879,0.045 2:0.081,0.158,0.761 0:0.846,0.076,0.078 0:0.939,0.038,0.023
    1:0.357,0.518,0.125 0:0.713,0.082,0.205 2:0.019,0.004,0.977 0:0.091,0.011,0.898 2:0.171,0.027,0.802
    2:0.453,0.501,0.046 2:0.118,0.115,0.767 0:0.415,0.174,0.411 1:0.366,0.572,0.062 1:0.213,0.687,0.100
    1:0.003,0.951,0.046 1:0.017,0.813,0.170 2:0.016,0.102,0.882 1:0.207,0.707,0.086 0:0.316,0.290,0.394
"""
JOINT = [[10, 0, 1], [0, 6, 0], [0, 0, 8]]
THRESHOLDS = [0.62925, 0.7553076923, 0.7131818182]
CALIBRATED = [[0.375, 0.0, 0.025], [0.0, 0.325, 0.0], [0.0, 0.0, 0.275]]
ISSUES = [28]


def test_the_joint_and_the_issues_are_those_of_cleanlab() -> None:
    pairs = [example.split(":") for example in EXAMPLES.split()]
    given_labels = np.array([int(label) for label, _ in pairs])
    probabilities = np.array([[float(value) for value in told.split(",")] for _, told in pairs])
    found = confident_learning(probabilities, given_labels)
    assert found.joint.tolist() == JOINT
    np.testing.assert_allclose(found.thresholds, THRESHOLDS)
    # cleanlab rounds to whole examples.
    np.testing.assert_allclose(found.calibrated_joint, CALIBRATED, atol=0.5 / len(pairs))
    assert np.flatnonzero((found.labels >= 0) & (found.labels != given_labels)).tolist() == ISSUES


def test_thresholds_joint_and_share_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.4, 0.6], [0.8, 0.2]])
    found = confident_learning(probabilities, np.array([0, 0, 1, 1, 1]))
    # Means of the own class: (0.9 + 0.7) / 2 and (0.8 + 0.6 + 0.2) / 3.
    np.testing.assert_allclose(found.thresholds, [0.8, 1.6 / 3])
    assert found.labels.tolist() == [0, -1, 1, 1, 0]
    assert found.joint.tolist() == [[1, 0], [1, 2]]
    # One of three labeled 1 is confidently a 0; 3 of 5 are labeled 1.
    assert found.wrong_share == pytest.approx(1 / 3 * 3 / 5)


def test_a_class_that_no_label_names_has_no_threshold_and_takes_nothing() -> None:
    found = confident_learning(np.array([[0.6, 0.1, 0.3], [0.1, 0.6, 0.3]]), np.array([0, 1]))
    assert np.isnan(found.thresholds[2])
    assert found.labels.tolist() == [0, 1]
    assert found.wrong_share == 0


@given(st.integers(2, 5), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_labels_that_the_probabilities_are_sure_of_are_never_wrong(classes: int, count: int, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, classes, count)
    found = confident_learning(np.eye(classes)[labels], labels)
    assert (found.labels == labels).all()
    assert found.wrong_share == pytest.approx(0)
    assert found.joint.sum() == count
    assert found.calibrated_joint.sum() == pytest.approx(1)
