"""Whether an export tells what it has not learned: the score, its threshold, and the file that holds both."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weldbench.deploy.novelty import Features, read_novelty, write_novelty
from weldbench.deploy.novelty_limit import about_limit, limit_for
from weldbench.errors import InputError

WIDE, NARROW = 300, 5


def known(frames: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Make features of two classes, each of a normal distribution with one wide direction."""
    rng = np.random.default_rng(seed)
    labels = np.arange(frames) % 2
    features = rng.standard_normal((frames, width)) * np.where(np.arange(width) == 0, 10.0, 1.0)
    features[:, 1] += 20 * labels
    return features.astype(np.float32), labels


@pytest.mark.parametrize("width", [1, NARROW, WIDE])
def test_a_training_frame_is_one_away_on_average(width: int) -> None:
    features, labels = known(200, max(width, 2))
    features = features[:, -width:]
    scores = Features.of(features, labels).scores(features)
    assert 0.9 < np.square(scores).mean() < 1.01  # of a frame near another class, the nearer one counts


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_the_score_is_the_mahalanobis_distance_where_all_directions_are_kept_or_alike(width: int) -> None:
    """Against the plain formula, with the covariance written out."""
    features, labels = known(4000, width)
    fitted = Features.of(features, labels, by_length=False)
    means = np.stack([features[labels == label].mean(axis=0) for label in (0, 1)]).astype(np.float64)
    covariance = np.diag([fitted.rest] * width)
    covariance += fitted.directions.T @ np.diag(fitted.variances - fitted.rest) @ fitted.directions
    fresh, _ = known(50, width, seed=1)
    away = fresh[:, None] - means
    plain = np.einsum("ncf,fg,ncg->nc", away, np.linalg.inv(covariance), away).min(axis=1)
    assert fitted.scores(fresh) == pytest.approx(np.sqrt(plain / width), rel=1e-4)
    if width == NARROW:
        within = features - means[labels]
        assert covariance == pytest.approx(within.T @ within / len(within), abs=1e-3)


def test_a_step_along_a_wide_direction_is_less_strange_than_the_same_step_elsewhere() -> None:
    fitted = Features.of(*known(400, WIDE), by_length=False)
    steps = np.zeros((2, WIDE), np.float32)
    steps[[0, 1], [0, 7]] = 30
    along, beside = fitted.scores(steps)
    assert along < 0.3 < 1 < beside


def test_what_never_varied_in_training_does_not_make_a_frame_infinitely_strange() -> None:
    features, labels = known(100, NARROW)
    features[:, 3] = 0
    fitted = Features.of(features, labels)
    assert np.isfinite(fitted.scores(features + 1)).all()
    constant = Features.of(np.ones((10, 4), np.float32), np.zeros(10, np.int64))
    assert constant.scores(np.ones((1, 4), np.float32)) == [0]
    assert np.isfinite(constant.scores(np.full((1, 4), 2, np.float32))).all()


def test_only_the_direction_of_the_features_counts_unless_there_is_but_one() -> None:
    features, labels = known(100, WIDE)
    fitted = Features.of(features, labels)
    assert fitted.scores(7 * features) == pytest.approx(fitted.scores(features), rel=1e-5)
    assert np.isfinite(fitted.scores(0 * features)).all()
    single = Features.of(features[:, :1], labels)
    near, far = single.scores(np.float32([[1], [100]]))
    assert near < 0.5 < 5 < far


def test_one_frame_alone_scores_as_in_a_batch() -> None:
    features, labels = known(100, WIDE)
    fitted = Features.of(features, labels)
    alone = [fitted.scores(frame[None])[0] for frame in features]
    assert fitted.scores(features) == pytest.approx(alone, rel=1e-12)


def test_a_class_without_frames_is_left_out() -> None:
    features, labels = known(100, NARROW)
    assert len(Features.of(features, labels * 4).means) == 2


@given(runs=st.integers(1, 60), wanted=st.floats(0.01, 0.9), seed=st.integers(0, 99))
def test_at_most_the_stated_share_of_good_welds_has_an_unknown_frame(runs: int, wanted: float, seed: int) -> None:
    """Leaving out each run in turn: what the others say of it holds on average, whatever the scores."""
    of_runs = np.random.default_rng(seed).integers(0, 20, size=runs + 1).astype(np.float64)
    above, said = 0, 0.0
    for left_out in range(runs + 1):
        rest = np.delete(of_runs, left_out)
        limit = limit_for(rest, np.zeros(runs, np.int64), np.arange(runs), wanted, has_good=True)
        above, said = above + (of_runs[left_out] > limit.threshold), limit.share
    assert above <= said * (runs + 1) + 1e-9
    assert said == max(wanted, 1 / (runs + 1))


def test_only_whole_good_runs_set_the_threshold_and_each_by_its_strangest_frame() -> None:
    scores = np.array([1.0, 3.0, 9.0, 8.0, 2.0])
    labels, runs = np.array([0, 0, 0, 1, 0]), np.array(["a", "a", "b", "b", "c"])
    limit = limit_for(scores, labels, runs, 0.4, has_good=True)
    assert (limit.threshold, limit.runs, limit.share, limit.of_good) == (3.0, 2, 0.4, True)
    assert about_limit(limit) == (
        "of good welds like the 2 good runs of valid that set it, at most 40.0% have such a frame, on average"
    )


def test_too_few_runs_are_said_with_how_many_it_takes() -> None:
    limit = limit_for(np.arange(7.0), np.zeros(7, np.int64), np.arange(7), 0.05, has_good=True)
    assert (limit.threshold, limit.share) == (6.0, 0.125)
    told = "at most 12.5% have such a frame, on average; 5.0% were asked for, which takes 19 good runs"
    assert about_limit(limit).endswith(told)


@pytest.mark.parametrize(("has_good", "labels"), [(False, [0, 1, 2]), (True, [1, 1, 2])])
def test_without_good_runs_all_runs_set_it_and_that_is_said(has_good: bool, labels: list[int]) -> None:
    limit = limit_for(np.array([1.0, 5.0, 2.0]), np.array(labels), np.array([0, 1, 2]), 0.3, has_good)
    assert (limit.threshold, limit.runs, limit.of_good) == (5.0, 3, False)
    assert "welds of any kind, as valid has no good run, like the 3 runs of valid" in about_limit(limit)


def test_the_file_gives_back_the_same_scores_and_each_graph_its_threshold(tmp_path: Path) -> None:
    features, labels = known(100, WIDE)
    fitted = Features.of(features, labels)
    limits = [limit_for(np.arange(9.0) + add, np.zeros(9, np.int64), np.arange(9), 0.2, True) for add in (0, 4)]
    path = tmp_path / "novelty.npz"
    write_novelty(path, fitted, limits)
    for int8, limit in zip((False, True), limits, strict=True):
        novelty = read_novelty(path, int8)
        assert novelty.limit == limit
        assert np.array_equal(novelty.scores(features), fitted.scores(features))
    before = path.read_bytes()
    write_novelty(path, fitted, limits)
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["cut", "emptied", "other"])
def test_a_damaged_file_is_an_error_of_the_user(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "novelty.npz"
    fitted = Features.of(*known(20, NARROW))
    write_novelty(path, fitted, [limit_for(np.ones(3), np.zeros(3, np.int64), np.arange(3), 0.2, True)])
    whole = path.read_bytes()
    if damage == "other":
        np.savez(path, means=np.ones(3))
    else:
        path.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"")
    with pytest.raises(InputError, match=r"novelty\.npz: this file cannot be read"):
        read_novelty(path)
    path.write_bytes(whole)
    with pytest.raises(InputError, match="cannot be read"):
        read_novelty(path, int8=True)


def test_the_file_of_the_widest_features_stays_below_2_megabytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    features, labels = rng.standard_normal((200, 5376)).astype(np.float32), np.arange(200) % 6
    path = tmp_path / "novelty.npz"
    write_novelty(path, Features.of(features, labels), [limit_for(np.ones(3), labels[:3], labels[:3], 0.2, False)])
    assert path.stat().st_size < 2e6
