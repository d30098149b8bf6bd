import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_predictions import certain
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from weldbench.evaluation.bootstrap import Resamples
from weldbench.evaluation.comparison import Comparison
from weldbench.evaluation.predictions import select_split
from weldbench.evaluation.significance import compare_pairs, holm, leaders


def compare(skills, runs_per_class=4, frames=40, same_errors=False, spread=0.04):
    """Models that are right in a given share of each run's first frames; all see the same runs."""
    labels = np.repeat([0, 1], runs_per_class * frames)
    runs = np.repeat([f"run{number}" for number in range(2 * runs_per_class)], frames)
    random = np.random.default_rng(3)
    luck = np.tile(random.normal(0, spread, 2 * runs_per_class).repeat(frames), 1)
    order = np.tile(np.arange(frames) / frames, 2 * runs_per_class)
    test = {}
    for model, skill in skills.items():
        own = luck if same_errors else random.normal(0, spread, 2 * runs_per_class).repeat(frames)
        predicted = np.where(order < skill + own, labels, 1 - labels)
        test[model] = (select_split(certain(["a", "b"], labels, predicted, runs), "test"),)
    comparison = Comparison(("a", "b"), tuple(skills), (0,), test, {})
    resamples = Resamples(comparison.frames, 3000, 0.95, seed=0)
    return comparison, {model: resamples.draw(trained) for model, trained in test.items()}, resamples


def test_a_clear_difference_is_found_and_has_the_right_sign():
    (pair,) = compare_pairs(*compare({"weak": 0.6, "strong": 0.9}))
    assert pair.difference.estimate == pytest.approx(-0.3, abs=0.06)
    assert pair.difference.high < 0
    assert pair.p_runs < 0.01


def test_a_model_compared_with_itself():
    comparison, draws, resamples = compare({"one": 0.8, "twin": 0.8}, same_errors=True)
    (pair,) = compare_pairs(comparison, draws, resamples)
    assert pair.difference.estimate == 0
    assert pair.p_runs is None
    assert pair.p_frames == 1
    assert leaders(comparison.models, draws, resamples).tied == ("twin",)


def test_p_below_5_percent_if_and_only_if_the_interval_excludes_zero():
    for skill in np.linspace(0.75, 0.9, 7):
        (pair,) = compare_pairs(*compare({"one": 0.8, "other": skill}))
        excludes = not pair.difference.low <= 0 <= pair.difference.high
        assert excludes == (pair.p_runs < 0.05)


def test_mcnemar_counts_the_frames_that_one_model_alone_has_right():
    comparison, draws, resamples = compare({"one": 0.6, "other": 0.7})
    (pair,) = compare_pairs(comparison, draws, resamples)
    one, other = (comparison.test[model][0].correct for model in comparison.models)
    counts = [[(one & other).sum(), (one & ~other).sum()], [(~one & other).sum(), (~one & ~other).sum()]]
    assert (pair.only_first_right, pair.only_second_right) == (counts[0][1], counts[1][0])
    assert pair.p_frames == pytest.approx(mcnemar(counts, exact=True).pvalue)


def test_one_run_per_class_allows_no_test():
    comparison, draws, resamples = compare({"one": 0.6, "other": 0.9}, runs_per_class=1)
    (pair,) = compare_pairs(comparison, draws, resamples)
    assert pair.p_runs is None
    assert pair.difference.reason == "one test run per class"
    assert leaders(comparison.models, draws, resamples).untested == "one test run per class"


def test_models_that_do_the_same_in_every_run_are_not_said_to_have_too_few():
    for skill, f1 in ((-1.0, 0.0), (0.3, 0.3)):
        comparison, draws, resamples = compare({"flawless": 2.0, "poor": skill}, spread=0)
        (pair,) = compare_pairs(comparison, draws, resamples)
        assert pair.difference.estimate == pytest.approx(1 - f1)
        assert pair.p_runs is None
        assert leaders(comparison.models, draws, resamples).untested == "the same in every run"


def test_holm_by_hand_and_without_those_that_could_not_be_tested():
    assert holm(np.array([0.01, np.nan, 0.04, 0.03])) == pytest.approx([0.03, np.nan, 0.06, 0.06], nan_ok=True)
    assert np.isnan(holm(np.array([np.nan]))).all()


@pytest.mark.slow
@settings(max_examples=20)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_agrees_with_statsmodels(p):
    assert holm(np.array(p)) == pytest.approx(multipletests(p, method="holm")[1])


def test_leaders_name_the_best_and_its_equals():
    comparison, draws, resamples = compare({"weak": 0.5, "good": 0.88, "best": 0.9})
    leading = leaders(comparison.models, draws, resamples)
    assert leading.untested == ""
    assert leading.best in {"good", "best"}
    assert "weak" not in leading.tied
    assert len(leading.tied) == 1


def test_a_leader_is_one_that_every_pair_with_it_confirms():
    seen = set()
    for skill in np.linspace(0.86, 0.93, 8):
        comparison, draws, resamples = compare({"weak": 0.5, "good": 0.86, "best": skill})
        leading = leaders(comparison.models, draws, resamples)
        p = {frozenset((pair.first, pair.second)): pair.p_runs for pair in compare_pairs(comparison, draws, resamples)}
        for other in set(comparison.models) - {leading.best}:
            assert (other in leading.tied) == (p[frozenset((leading.best, other))] >= 0.05)
        seen.add(len(leading.tied))
    assert seen == {0, 1}
