import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weldbench.evaluation.intervals import StandardError, share_interval


def test_variances_of_runs_and_of_the_seeds_of_each_model_add_up():
    # Runs: variance 4, 6 degrees of freedom. Seeds: variances 3 and 12, each over 3 seeds with 2 degrees of freedom.
    resampled = np.array([8.0, 12.0])
    error = StandardError.of(6, resampled, np.sqrt(3) * np.array([1, 2, 3]), np.sqrt(12) * np.array([0, 1, -1]))
    assert error.value == pytest.approx(np.sqrt(4 + 1 + 4))
    assert error.freedom == pytest.approx(9**2 / (4**2 / 6 + 1**2 / 2 + 4**2 / 2))


def test_one_seed_leaves_the_variance_of_the_runs():
    assert StandardError.of(6, np.array([8.0, 12.0]), np.array([10.0])) == StandardError(2.0, 6.0)


def test_p_and_margin_agree_with_a_table_of_student_s_t():
    error = StandardError(2.0, 10)
    assert error.margin(0.95) == pytest.approx(2 * 2.228, abs=1e-3)
    assert error.p(2 * 2.228) == error.p(-2 * 2.228) == pytest.approx(0.05, abs=1e-4)


@given(st.floats(0.001, 0.999), st.floats(0.0001, 0.3), st.integers(1, 40))
def test_intervals_stay_between_0_and_1_around_the_estimate(estimate, error, freedom):
    interval = share_interval(estimate, StandardError(error, freedom), 0.95)
    assert 0 <= interval.low < estimate < interval.high <= 1


def test_more_confidence_and_fewer_runs_widen_the_interval():
    intervals = [
        share_interval(0.8, StandardError(0.05, freedom), confidence)
        for freedom, confidence in [(30, 0.9), (30, 0.95), (3, 0.95), (1, 0.95)]
    ]
    widths = [interval.high - interval.low for interval in intervals]
    assert widths == sorted(widths)


def test_two_equal_models_of_three_seeds_are_seldom_told_apart():
    random, trials, told_apart = np.random.default_rng(3), 4000, 0
    for _ in range(trials):
        # Runs that both models are tested on move both alike; what they move one model alone is as large as the seeds.
        one, other = random.normal(0, 1, 3), random.normal(0, 1, 3)
        of_runs = random.normal(0, 1 / np.sqrt(3)) * np.sqrt(2)
        resampled = np.sqrt(2 / 3 * random.chisquare(10) / 10) * np.array([-1, 1])
        error = StandardError.of(10, resampled, one, other)
        told_apart += error.p(one.mean() - other.mean() + of_runs) < 0.05
    # 3 standard errors of a share of 0.05 in 4000 trials are 0.01.
    assert 0.03 < told_apart / trials < 0.06
