"""Promises about escapes: by hand, against the definition, and in thousands of draws."""

import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from weldbench.trust.evidence import fewest_runs, lowest_promise
from weldbench.trust.guarantees import best_promise, cross_checks, promise
from weldbench.trust.welds import Welds


def welds(defective: list[float], good: list[float] = (), names: list[str] | None = None) -> Welds:
    scores = [*defective, *good]
    shown = np.array([1] * len(defective) + [0] * len(good))
    return Welds(np.array(names or [f"r{number:04d}" for number in range(len(scores))]), shown, np.array(scores))


def test_with_59_welds_none_may_escape_and_with_93_one_may() -> None:
    scores = [0.5, 0.6, 0.7] + [0.99] * 90
    assert promise(welds(scores[:58]), 0.05, 0.95) is None
    found = promise(welds(scores[:59]), 0.05, 0.95)
    assert (found.threshold, found.escaped, found.defective) == (0.499999, 0, 59)
    assert promise(welds(scores[:92]), 0.05, 0.95).threshold == 0.499999
    found = promise(welds(scores), 0.05, 0.95)
    assert (found.threshold, found.escaped) == (0.599999, 1)


def test_welds_of_one_score_escape_together() -> None:
    # Of 93 one may escape; at any threshold above 0.5 two would.
    assert promise(welds([0.5, 0.5] + [0.9] * 91), 0.05, 0.95).threshold == 0.499999


def test_a_weld_that_looks_wholly_good_leaves_nothing_but_to_reject_everything() -> None:
    found = promise(welds([0.0] + [0.9] * 58, good=[0.0]), 0.05, 0.95)
    assert found.rejects_everything
    assert welds([0.0] * 3, good=[0.0]).falsely_rejected(found.threshold).sum() == 1
    assert not promise(welds([0.9] * 59), 0.05, 0.95).rejects_everything


def test_twelve_welds_promise_22_percent_and_none_promise_nothing() -> None:
    found = best_promise(welds([0.4] * 12), 0.05, 0.95)
    assert found.escape == pytest.approx(0.2209, abs=1e-4)
    assert (found.threshold, found.escaped) == (0.399999, 0)
    assert best_promise(welds([], good=[0.1]), 0.05, 0.95) is None
    assert promise(welds([], good=[0.1]), 0.05, 0.95) is None


SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=150)


@given(SCORES, st.floats(0.01, 0.5), st.sampled_from([0.8, 0.9, 0.95, 0.995]))
def test_a_promise_is_the_highest_threshold_whose_escapes_prove_it(
    scores: list[float], escape: float, confidence: float
) -> None:
    found = promise(welds(scores), escape, confidence)
    if len(scores) < fewest_runs(escape, confidence):
        assert found is None
        return
    assert binom.cdf(found.escaped, len(scores), escape) <= (1 - confidence) * (1 + 1e-9)
    assert found.escaped == sum(score <= found.threshold for score in scores)
    # Two millionths higher, the next weld would escape, and it would be one too many.
    more = sum(score <= found.threshold + 2e-6 for score in scores)
    assert more > found.escaped
    assert binom.cdf(more, len(scores), escape) > 1 - confidence


@given(SCORES)
def test_a_threshold_stays_below_the_weld_when_it_is_printed(scores: list[float]) -> None:
    threshold = best_promise(welds(scores), 0.05, 0.95).threshold
    assert float(f"{threshold:.6f}") < min(score for score in scores if score > threshold)
    assert float(f"{threshold:.6f}") == threshold


def test_good_welds_set_no_threshold() -> None:
    defective = list(np.linspace(0.3, 1, 59))
    assert promise(welds(defective, good=[0.9] * 40), 0.05, 0.95) == promise(welds(defective), 0.05, 0.95)


def test_each_half_is_checked_by_the_other_in_the_order_of_names() -> None:
    # Of the earlier half the worst has 0.6, of the later one 0.2; each lets escape what lies below.
    defective = [0.6, 0.9, 0.9, 0.2, 0.5, 0.9]
    names = ["01", "02", "03", "04", "05", "06", "11", "12", "13", "14"]
    later, earlier = cross_checks(welds(defective, [0.7, 0.1, 0.55, 0.65], names), 0.05, 0.95)
    assert later.promise.threshold == 0.599999
    assert (later.escaped, later.defective, later.falsely_rejected, later.good) == (2, 3, 1, 2)
    assert earlier.promise.threshold == 0.199999
    assert (earlier.escaped, earlier.defective, earlier.falsely_rejected, earlier.good) == (0, 3, 1, 2)
    # Both hold together with 95 %, so each is made at 97.5 %, from 3 runs.
    assert later.promise.escape == earlier.promise.escape == pytest.approx(1 - 0.025 ** (1 / 3))
    assert cross_checks(welds([0.5], [0.1]), 0.05, 0.95) == ()


def test_welds_that_have_changed_contradict_the_promise_of_the_earlier_ones() -> None:
    later, earlier = cross_checks(welds([0.9] * 40 + [0.1] * 40), 0.05, 0.95)
    assert (later.escaped, later.contradicts(0.95)) == (40, True)
    assert (earlier.escaped, earlier.contradicts(0.95)) == (0, False)
    # At the promise of 8.8 % of 40 runs, 4 of 40 are no surprise.
    later, _ = cross_checks(welds([0.9] * 40 + [0.1] * 4 + [0.95] * 36), 0.05, 0.95)
    assert (later.escaped, later.contradicts(0.95)) == (4, False)


@given(st.integers(2, 40), st.integers(0, 2**16))
def test_halves_hold_every_run_once(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    found = Welds(np.arange(count).astype(str), random.integers(0, 4, count), random.random(count))
    checks = cross_checks(found, 0.05, 0.95)
    if checks:
        assert sum(check.defective for check in checks) == found.defective.sum()
        assert sum(check.promise.defective for check in checks) == found.defective.sum()
        assert sum(check.good for check in checks) == (~found.defective).sum()
        assert abs(checks[0].defective - checks[1].defective) <= 1  # however many classes have an odd number


@pytest.mark.parametrize(("runs", "allowed"), [(59, 0), (93, 1), (124, 2), (75, 0), (30, 0)])
def test_in_2000_draws_the_promise_is_broken_as_often_as_the_binomial_says(runs: int, allowed: int) -> None:
    # Scores are uniform, so that the share that escapes at a threshold is the threshold.
    draws, escape = 2000, max(0.05, lowest_promise(runs, 0.95))
    scores = np.random.default_rng(0).random((draws, runs))
    broken = np.mean([best_promise(welds(list(drawn)), 0.05, 0.95).threshold > escape for drawn in scores])
    expected = float(binom.cdf(allowed, runs, escape))
    assert expected <= 0.05 + 1e-9
    assert abs(broken - expected) < 4 * (expected * (1 - expected) / draws) ** 0.5


@pytest.mark.slow
def test_in_2000_draws_through_the_whole_chain_the_promise_is_broken_in_at_most_5_percent() -> None:
    command = [sys.executable, "benchmarks/promise.py", "--draws", "2000"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=800).stdout
    named, corrected, uncorrected = (
        [float(number) for number in re.findall(r"\d+\.\d+", line)] for line in printed.splitlines()[1:]
    )
    error = 100 * (0.05 * 0.95 / 2000) ** 0.5
    broken, no_promise, escapes, false_rejects, oracle_false_rejects, threshold, oracle_threshold = named
    assert 3 < broken < 5 + 3 * error
    assert no_promise == 0
    assert escapes < 5
    assert oracle_false_rejects < false_rejects < 20
    assert threshold < oracle_threshold
    assert corrected[0] < 5 + 3 * error
    assert uncorrected[0] > 5 + 3 * error  # what the correction is for
