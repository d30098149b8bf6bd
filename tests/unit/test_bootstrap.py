import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_predictions import certain

from weldbench.evaluation.bootstrap import Resamples, Runs, resample_weights
from weldbench.evaluation.confusion import f1, macro
from weldbench.evaluation.intervals import StandardError, share_interval
from weldbench.evaluation.predictions import select_split

ABCD = ["a", "b", "c", "d"]


def resampled(labels, predicted, runs, draws=2000, classes=ABCD):
    frames = select_split(certain(classes, labels, predicted, runs), "test")
    resamples = Resamples(frames, draws, 0.95, seed=0)
    return resamples, resamples.draw([frames])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(0, 100))
def test_weights_keep_the_size_of_every_stratum(strata, seed):
    strata = np.array(strata)
    weights = resample_weights(strata, 50, np.random.default_rng(seed))
    for stratum in np.unique(strata):
        members = strata == stratum
        assert weights[:, members].sum(axis=1) == pytest.approx(members.sum())
        if members.sum() == 1:
            assert (weights[:, members] == 1).all()


def test_weights_make_the_variance_of_a_mean_unbiased():
    values = np.array([1.0, 4.0, 7.0])
    weights = resample_weights(np.zeros(3, dtype=int), 200_000, np.random.default_rng(0))
    assert (weights @ values / 3).var() == pytest.approx(values.var(ddof=1) / 3, rel=0.02)


def test_draws_agree_with_a_loop_over_resampled_frames():
    random = np.random.default_rng(1)
    labels = np.repeat([0, 1], 40)
    runs = np.array([f"run{number}" for number in np.repeat(range(8), 10)])
    predicted = np.where(random.random(80) < 0.7, labels, 1 - labels)
    resamples, drawn = resampled(labels, predicted, runs, draws=20, classes=["a", "b"])
    weights = resamples._weights
    for draw in range(20):
        per_frame = weights[draw][resamples.runs.of_frame]
        confusion = np.zeros((2, 2))
        np.add.at(confusion, (labels, predicted), per_frame)
        assert drawn.resampled[draw] == pytest.approx(f1(confusion))


def test_a_class_with_one_run_has_no_interval_and_the_reason_says_so():
    labels = [0] * 20 + [1] * 20
    runs = ["x"] * 10 + ["y"] * 10 + ["z"] * 20
    predicted = [0] * 15 + [1] * 25
    resamples, drawn = resampled(labels, predicted, runs)
    assert resamples.class_interval(drawn, 0).reason == ""
    assert resamples.class_interval(drawn, 1).note == "one test run: no interval"
    assert resamples.class_interval(drawn, 2).reason == "no test frames"
    assert np.isnan(resamples.class_interval(drawn, 1).low)


def test_one_run_per_class_gives_no_interval_at_all():
    resamples, drawn = resampled([0, 0, 1, 1], [0, 1, 1, 1], ["x", "x", "y", "y"])
    assert resamples.macro_interval(drawn).note == "one test run per class: no interval"


def test_a_flawless_model_gets_a_reason_instead_of_an_interval_of_no_width():
    resamples, drawn = resampled([0, 0, 1, 1], [0, 0, 1, 1], ["w", "x", "y", "z"])
    assert resamples.macro_interval(drawn).note == "the same in every run: no interval"
    # That the third class stands in one run is not why.
    resamples, drawn = resampled([0, 0, 1, 1, 2], [0, 0, 1, 1, 2], ["v", "w", "x", "y", "z"])
    assert resamples.macro_interval(drawn).note == "the same in every run: no interval"


def compared(labels, runs, one, other):
    """Two models on the same frames: their resamples, and what each did in them."""
    first, second = (select_split(certain(ABCD, labels, predicted, runs), "test") for predicted in (one, other))
    resamples = Resamples(first, 2000, 0.95, seed=0)
    return resamples, resamples.draw([first]), resamples.draw([second])


def test_what_rests_on_a_run_that_stands_alone_has_a_narrow_interval_and_no_p():
    labels = [0] * 40 + [1] * 40 + [2] * 10
    runs = np.repeat(list("rstuvwxyz"), 10)
    one = np.where(np.arange(90) % 10 < np.repeat([9, 7, 8, 9, 6, 8, 9, 7, 8], 10), labels, 0)
    resamples, better, worse = compared(labels, runs, one, np.where(np.arange(90) % 10 < 5, one, 1))
    lone = "only one test run shows c"
    assert resamples.runs.singleton_strata.tolist() == [2]
    interval, p = resamples.difference(better, worse)
    assert -1 < interval.low < interval.estimate < interval.high < 1
    assert (interval.reason, interval.too_narrow, np.isnan(p)) == ("", lone, True)
    assert resamples.macro_interval(better).note == f"too narrow, for {lone}"
    # No frame of b stands in that run.
    interval, p = resamples.difference(better, worse, 1)
    assert (interval.too_narrow, 0 < p < 1) == ("", True)


def test_several_runs_that_stand_alone_are_listed():
    labels = np.repeat([0, 0, 1, 2], 10)
    resamples, *_ = compared(labels, np.repeat(list("wxyz"), 10), labels, labels)
    assert resamples.runs.about_singletons() == "only one test run each shows b and c"


def test_a_class_of_two_runs_may_rest_on_one_that_stands_alone():
    # The defects b and c of run x make it the only one of b; y and z are of c.
    labels = [0, 0, 0, 0, 1, 1, 2, 2, 1, 2, 2, 2, 2, 2]
    resamples, one, other = compared(
        labels,
        list("vvwwxxxyyyyzzz"),
        [0, 1, 0, 0, 1, 0, 2, 2, 1, 2, 0, 2, 2, 0],
        [0, 1, 1, 0, 0, 0, 2, 2, 1, 2, 2, 2, 0, 0],
    )
    assert resamples.runs.per_class.tolist() == [2, 2, 3, 0]
    assert resamples.runs.singleton_strata.tolist() == [1]
    for number, lone in ((None, True), (0, False), (1, True), (2, True)):
        interval, p = resamples.difference(one, other, number)
        assert (interval.too_narrow == "only one test run shows mainly b") == lone
        assert np.isnan(p) == lone


def test_a_difference_within_the_run_that_stands_alone_is_not_called_the_same_in_every_run():
    resamples, one, other = compared([0, 0, 1, 1, 2, 2], list("vwxyzz"), [0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 3])
    assert resamples.difference(one, other)[0].note == "only one test run shows c: no interval"
    assert resamples.macro_interval(other).note == "only one test run shows c: no interval"


def test_runs_without_a_say_in_a_share_of_frames_do_not_narrow_its_interval():
    labels = np.repeat([0, 1, 1, 2, 2], 10)
    for runs, note in (("vwxyz", ""), ("vwxyy", "too narrow, for only one test run shows c")):
        frames = select_split(certain(ABCD, labels, labels, np.repeat(list(runs), 10)), "test")
        passed = np.arange(50) % 10 < np.repeat([9, 2, 5, 4, 7], 10)
        assert Resamples(frames, 500, 0.95, seed=0).frames_interval(passed[None], labels > 0).note == note


def test_the_interval_of_a_share_of_frames_agrees_with_textbook_survey_sampling():
    # One class, five runs of ten frames: the standard error of the mean of five run shares.
    hits = np.array([2, 5, 4, 7, 6])
    frames = select_split(certain(["a", "b"], [0] * 50, [0] * 50, np.repeat(list("vwxyz"), 10)), "test")
    chosen = np.concatenate([np.arange(10) < count for count in hits])
    interval = Resamples(frames, 40_000, 0.95, seed=0).frames_interval(chosen[None], np.ones(50, dtype=bool))
    assert interval.estimate == pytest.approx(0.48)
    error = (hits / 10).std(ddof=1) / np.sqrt(5)
    margin = 2.776 * error / (0.48 * 0.52)
    expected = [1 / (1 + np.exp(-(np.log(0.48 / 0.52) + sign * margin))) for sign in (-1, 1)]
    assert [interval.low, interval.high] == pytest.approx(expected, abs=0.01)


def test_a_difference_does_not_depend_on_which_seeds_bear_the_same_number():
    random = np.random.default_rng(0)
    labels = np.repeat(np.repeat([0, 1], 4), 25)
    runs = [f"run{number}" for number in np.repeat(range(8), 25)]

    def trained(skills):
        predicted = (np.where(random.random(200) < skill, labels, 1 - labels) for skill in skills)
        return [select_split(certain(["a", "b"], labels, each, runs), "test") for each in predicted]

    one, other = trained([0.7, 0.8, 0.9]), trained([0.6, 0.7, 0.8])
    resamples = Resamples(one[0], 500, 0.95, 0)
    (interval, p), (renumbered, again) = (
        resamples.difference(resamples.draw(one), resamples.draw(seeds)) for seeds in (other, other[::-1])
    )
    assert (renumbered.low, renumbered.high, again) == pytest.approx((interval.low, interval.high, p))
    assert p > 2 * resamples.difference(resamples.draw(one[1:2]), resamples.draw(other[1:2]))[1]


def test_without_a_good_class_a_run_belongs_to_the_class_of_most_of_its_frames():
    labels = [0, 0, 0, 1, 1, 1, 0, 0, 2, 2, 1]
    found = Runs.of(select_split(certain(ABCD, labels, labels, list("wwwwxxyyzzz")), "test", has_good=False))
    assert found.strata.tolist() == [0, 1, 0, 2]


def test_a_run_belongs_to_the_defect_that_it_shows():
    labels = [0, 0, 0, 1, 1, 1, 0, 0, 2, 2, 1]
    runs = list("wwwwxxyyzzz")
    found = Runs.of(select_split(certain(ABCD, labels, labels, runs), "test"))
    assert found.strata.tolist() == [1, 1, 0, 2]
    assert found.per_class.tolist() == [2, 3, 1, 0]
    assert found.degrees_of_freedom() == 1
    # Good frames stand in w and y: the strata of the first defect (two runs) and of good (one run).
    assert found.degrees_of_freedom(found.frames[:, 0] > 0) == 1
    assert found.degrees_of_freedom(found.frames[:, 2] > 0) == 0


def _world(random, runs_per_class, skill, frames_per_run=50, classes=6):
    """Runs differ in how hard they are: share right ~ Beta, errors spread over the other classes."""
    stratum = np.repeat(np.arange(classes), runs_per_class)
    right = random.beta(4 * skill, 4 * (1 - skill), len(stratum))
    shares = np.repeat(((1 - right) / (classes - 1))[:, None], classes, axis=1)
    shares[np.arange(len(stratum)), stratum] = right
    confusions = np.zeros((len(stratum), classes, classes))
    confusions[np.arange(len(stratum)), stratum] = random.multinomial(frames_per_run, shares)
    return stratum, confusions


def _true_macro(random, skill):
    _, confusions = _world(random, 3000, skill)
    return float(macro(f1(confusions.sum(axis=0))))


@pytest.mark.parametrize(("runs_per_class", "skill"), [(2, 0.85), (4, 0.85), (8, 0.85), (8, 0.95)])
def test_the_interval_covers_the_truth_as_often_as_it_says(runs_per_class, skill):
    random = np.random.default_rng(7)
    truth, trials, covered, covered_by_frames = _true_macro(random, skill), 300, 0, 0
    for _ in range(trials):
        strata, confusions = _world(random, runs_per_class, skill)
        estimate = float(macro(f1(confusions.sum(axis=0))))
        weights = resample_weights(strata, 400, random)
        draws = macro(f1((weights @ confusions.reshape(len(strata), -1)).reshape(-1, 6, 6)))
        interval = share_interval(estimate, StandardError.of(len(strata) - 6, draws), 0.95)
        covered += interval.low <= truth <= interval.high
        total = confusions.sum(axis=0)
        by_frames = random.multinomial(int(total.sum()), total.ravel() / total.sum(), size=400).reshape(-1, 6, 6)
        low, high = np.quantile(macro(f1(by_frames)), [0.025, 0.975])
        covered_by_frames += low <= truth <= high
    # With 300 trials, 3 standard errors of a coverage of 0.95 are 0.04; few runs cost a little more.
    assert 0.90 <= covered / trials <= 0.99
    # Frames of a run are alike; who resamples frames is far too sure.
    assert covered_by_frames / trials < 0.7
