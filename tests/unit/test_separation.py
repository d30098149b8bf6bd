"""The area under the ROC curve and its interval over runs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from weldbench.config.evidence import Compare
from weldbench.evaluation.predictions import Predictions
from weldbench.trust.separation import auroc, auroc_interval

SETTINGS = Compare(models=["m"], bootstrap_draws=500)


def frames_of(labels: np.ndarray, runs: np.ndarray) -> Predictions:
    classes = tuple(f"class{number}" for number in range(labels.max() + 1))
    probabilities, zeros = np.ones((len(labels), len(classes))), np.zeros(len(labels), np.int64)
    return Predictions(classes, labels, probabilities, runs.astype(str), zeros, np.arange(len(labels)))


@given(seed=st.integers(0, 1000), levels=st.integers(1, 6))
def test_the_area_is_that_of_scikit_learn_also_with_ties_and_however_frames_are_grouped(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    scores, strange = rng.integers(0, levels, 30).astype(np.float64), np.arange(30) % 3 == 0
    reference = roc_auc_score(strange, scores)
    assert auroc(scores, strange) == pytest.approx(reference)
    frames = frames_of(strange.astype(np.int64), rng.integers(0, 8, 30))
    assert auroc_interval(frames, scores, strange, SETTINGS).estimate == pytest.approx(reference)


def test_the_interval_holds_the_estimate_and_widens_with_how_much_runs_differ() -> None:
    rng = np.random.default_rng(0)
    runs = np.repeat(np.arange(20), 10)
    labels = (runs >= 10).astype(np.int64)
    noise = rng.standard_normal(200)
    widths = []
    for between in (0.0, 1.0):
        scores = labels + noise + between * rng.standard_normal(20)[runs]
        found = auroc_interval(frames_of(labels, runs), scores, labels == 1, SETTINGS)
        assert 0 < found.low < found.estimate < found.high < 1
        widths.append(found.high - found.low)
    assert widths[1] > 2 * widths[0]


def test_strange_frames_of_one_run_have_no_interval_that_could_be_trusted() -> None:
    rng = np.random.default_rng(0)
    runs = np.repeat(np.arange(6), 10)
    labels = (runs == 5).astype(np.int64)
    scores = labels + rng.standard_normal(60)
    assert auroc_interval(frames_of(labels, runs), scores, labels == 1, SETTINGS).reason


def test_perfect_separation_has_no_interval() -> None:
    runs = np.repeat(np.arange(6), 10)
    labels = (runs >= 3).astype(np.int64)
    found = auroc_interval(frames_of(labels, runs), labels.astype(np.float64), labels == 1, SETTINGS)
    assert (found.estimate, found.reason) == (1.0, "the same in every run")
