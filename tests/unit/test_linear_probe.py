"""The fit of a last layer: its optimum, what it is chosen by, and what no choice may do."""

import tracemalloc
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_info, threadpool_limits
from torch.nn import functional

from weldbench.training import linear_probe
from weldbench.training.linear_probe import PENALTIES, Probe, fit_probe, held_out_runs
from weldbench.training.probe import _fit_with_threads
from weldbench.training.probe_data import ProbeData


def made_up(classes: int = 3, runs_per_class: int = 4, frames: int = 6, width: int = 5, views: int = 0, seed: int = 0):
    """Classes with middles of their own, blurred by the run and by each frame; no simulated frames."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(0, 1, (classes, width))
    labels = np.repeat(np.arange(classes), runs_per_class * frames)
    runs = np.repeat(np.arange(classes * runs_per_class), frames)
    of_runs = rng.normal(0, 0.7, (runs.max() + 1, width))
    features = middles[labels] + of_runs[runs] + rng.normal(0, 0.5, (len(labels), width))
    changed = features[:, None] + rng.normal(0, 0.1, (len(labels), views, width))
    return ProbeData(
        features=np.concatenate([features[:, None], changed], axis=1).astype(np.float32),
        labels=labels,
        weights=np.ones(len(labels), np.float32),
        runs=runs,
        simulated=np.empty((0, width), np.float32),
        simulated_labels=np.empty(0, np.int64),
    )


def with_simulated(data: ProbeData, labels_shift: int, seed: int = 1) -> ProbeData:
    """Add simulated frames around the middle of each class, under its name (0) or that of another one."""
    rng = np.random.default_rng(seed)
    plain, classes = data.features[:, 0], data.labels.max() + 1
    middles = np.stack([plain[data.labels == label].mean(0) for label in range(classes)])
    truth = np.repeat(np.arange(classes), 20)
    simulated = (middles[truth] + rng.normal(0, 0.5, (len(truth), plain.shape[1]))).astype(np.float32)
    return replace(data, simulated=simulated, simulated_labels=(truth + labels_shift) % classes)


def probabilities(probe: Probe, features: np.ndarray) -> np.ndarray:
    logits = torch.from_numpy(features).double() @ torch.from_numpy(probe.weight).double().T
    return torch.softmax(logits + torch.from_numpy(probe.bias).double(), 1).numpy()


def reference(data: ProbeData, share: float, penalty: float) -> np.ndarray:
    """Minimize the same objective in float64: probabilities of the real frames as they are."""
    views = data.features.shape[1]
    rows = torch.from_numpy(np.concatenate([*data.features, data.simulated])).double()
    labels = torch.from_numpy(np.concatenate([np.repeat(data.labels, views), data.simulated_labels]))
    real = np.repeat(data.weights / data.weights.sum() / views, views) * (1 - share)
    simulated = np.full(len(data.simulated), share / max(len(data.simulated), 1))
    weights = torch.from_numpy(np.concatenate([real, simulated])).double()
    mean = weights @ rows
    standard = (rows - mean) / torch.sqrt(weights @ (rows - mean) ** 2)
    weight = torch.zeros(int(labels.max()) + 1, rows.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(len(weight), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=2000, tolerance_grad=1e-10, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        losses = functional.cross_entropy(standard @ weight.T + bias, labels, reduction="none")
        loss = weights @ losses + penalty / 2 * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    with torch.no_grad():
        plain = standard[: len(data.labels) * views : views]
        return torch.softmax(plain @ weight.T + bias, 1).numpy()


@pytest.mark.parametrize("classes", [2, 3, 6])
@pytest.mark.parametrize("views", [0, 2])
@pytest.mark.parametrize("penalty", [PENALTIES[0], 0.1, PENALTIES[-1]])
def test_the_fit_is_the_optimum_of_its_objective(monkeypatch, classes, views, penalty):
    monkeypatch.setattr(linear_probe, "PENALTIES", (penalty,))
    data = made_up(classes, views=views)
    probe = fit_probe(data, 0.5, seed=0)
    assert (probe.penalty, probe.simulated_share) == (penalty, 0)
    assert (probe.weight.shape, probe.bias.shape) == ((classes, 5), (classes,))
    assert (probe.weight.dtype, probe.bias.dtype) == (np.float32, np.float32)
    expected = reference(data, 0, penalty)
    np.testing.assert_allclose(probabilities(probe, data.features[:, 0]), expected, atol=0.005)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_simulated_frames_have_their_share_of_the_loss(monkeypatch, share):
    monkeypatch.setattr(linear_probe, "held_out_runs", lambda *_: [])
    data = with_simulated(made_up(), 1)
    probe = fit_probe(data, share, seed=0)
    assert probe.simulated_share == share
    expected = reference(data, share, probe.penalty)
    np.testing.assert_allclose(probabilities(probe, data.features[:, 0]), expected, atol=0.005)


def test_more_numbers_than_frames_give_what_the_whole_space_gives(monkeypatch):
    data = made_up(frames=2, width=200)
    reduced = fit_probe(data, 0.5, seed=0)
    expected = reference(data, 0, reduced.penalty)
    np.testing.assert_allclose(probabilities(reduced, data.features[:, 0]), expected, atol=0.005)
    # Each frame 10 times, with a tenth of its weight, is more rows than numbers: the whole space.
    tenfold = replace(data, features=np.repeat(data.features, 10, axis=1))
    monkeypatch.setattr(linear_probe, "PENALTIES", (reduced.penalty,))
    whole = fit_probe(tenfold, 0.5, seed=0)
    others = made_up(frames=2, width=200, seed=5).features[:, 0]
    np.testing.assert_allclose(probabilities(whole, data.features[:, 0]), expected, atol=0.005)
    np.testing.assert_allclose(probabilities(reduced, others), probabilities(whole, others), atol=0.05)


def test_a_weight_of_two_is_as_a_frame_twice():
    data = made_up(runs_per_class=1)  # nothing can be left out, so the penalty is the same
    heavy = replace(data, weights=np.where(np.arange(len(data.labels)) % 3 == 0, 2, 1).astype(np.float32))
    lines = np.sort(np.concatenate([np.arange(len(data.labels)), np.arange(0, len(data.labels), 3)]))
    twice = replace(
        data,
        features=data.features[lines],
        labels=data.labels[lines],
        weights=data.weights[lines],
        runs=data.runs[lines],
    )
    both = [probabilities(fit_probe(one, 0, seed=0), data.features[:, 0]) for one in (heavy, twice)]
    np.testing.assert_allclose(*both, atol=0.005)


def test_views_that_change_nothing_change_nothing():
    data = made_up()
    viewed = replace(data, features=np.repeat(data.features, 4, axis=1))
    both = [probabilities(fit_probe(one, 0, seed=0), data.features[:, 0]) for one in (data, viewed)]
    np.testing.assert_allclose(*both, atol=0.005)


def test_the_same_data_and_seed_give_the_same_bytes():
    data = with_simulated(made_up(views=1), 0)
    first, second = (fit_probe(data, 0.5, seed=3) for _ in range(2))
    assert first.weight.tobytes() == second.weight.tobytes()
    assert first.bias.tobytes() == second.bias.tobytes()
    assert (first.penalty, first.simulated_share, first.loss) == (second.penalty, second.simulated_share, second.loss)


@pytest.mark.parametrize("value", [0.0, 5.0, -1e4])
def test_a_number_that_never_changes_decides_nothing_on_other_frames(value):
    data = made_up()
    constant = np.full((*data.features.shape[:2], 3), value, np.float32)
    widened = np.concatenate([data.features, constant], axis=2)
    probe = fit_probe(replace(data, features=widened, simulated=np.empty((0, 8), np.float32)), 0, seed=0)
    without = fit_probe(data, 0, seed=0)
    plain = data.features[:, 0]
    others = np.concatenate([plain, np.full((len(plain), 3), value + 1, np.float32)], axis=1)
    np.testing.assert_allclose(probabilities(probe, others), probabilities(without, plain), atol=0.005)


FRAMES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=60)


@settings(max_examples=200, deadline=None)
@given(frames=FRAMES, seed=st.integers(0, 3))
def test_whole_runs_are_left_out_once_at_most_and_no_class_with_them(frames, seed):
    labels = np.unique([label for label, _ in frames], return_inverse=True)[1]
    runs = np.array([run for _, run in frames])
    folds = list(held_out_runs(labels, runs, seed))
    for out in folds:
        assert out.any()
        assert not set(runs[out]) & set(runs[~out])
        assert set(labels[~out]) == set(labels)
    assert np.sum([np.zeros(len(runs)), *folds], axis=0).max() <= 1


def test_every_run_is_left_out_where_each_class_has_enough():
    data = made_up(classes=3, runs_per_class=4)
    folds = list(held_out_runs(data.labels, data.runs, seed=0))
    assert np.sum(folds, axis=0).tolist() == [1] * len(data.labels)
    # Each fold leaves out one run of every class.
    assert [sorted({*data.labels[out]}) for out in folds] == [[0, 1, 2]] * 4
    assert [len({*data.runs[out]}) for out in folds] == [3] * 4


@pytest.mark.parametrize("share", [0, 0.5])
def test_what_is_chosen_along_few_directions_is_fitted_to_all_features(monkeypatch, share):
    """Most of the variance is along few directions: they choose as all would, and the fit leaves none out."""
    data = with_simulated(made_up(width=30, views=1), 0)
    strength = np.geomspace(1, 1e-3, 30).astype(np.float32)
    mixed = np.linalg.qr(np.random.default_rng(0).normal(size=(30, 30)))[0].astype(np.float32)
    data = replace(data, features=data.features * strength @ mixed, simulated=data.simulated * strength @ mixed)
    whole = fit_probe(data, share, seed=0)
    monkeypatch.setattr(linear_probe, "_DIRECTIONS_TO_CHOOSE_BY", 20)
    few = fit_probe(data, share, seed=0)
    assert (few.penalty, few.simulated_share) == (whole.penalty, whole.simulated_share)
    expected = reference(data, few.simulated_share, few.penalty)
    np.testing.assert_allclose(probabilities(few, data.features[:, 0]), expected, atol=0.005)


@pytest.mark.parametrize("share", [0, 0.5])
def test_a_fit_makes_one_copy_of_the_features(monkeypatch, share):
    monkeypatch.setattr(linear_probe, "PENALTIES", (1.0,))  # the fastest
    data = with_simulated(made_up(frames=40, width=300, views=30), 0)
    fit_probe(made_up(views=1), share, seed=0)  # what is loaded once does not count
    tracemalloc.start()
    try:
        fit_probe(data, share, seed=0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert data.features.nbytes < peak < 1.5 * data.features.nbytes


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_penalty_is_that_of_the_least_loss_on_runs_left_out(seed):
    data = made_up(runs_per_class=3, width=12, seed=seed)
    plain = data.features[:, 0].astype(np.float64)
    standard = (plain - plain.mean(0)) / plain.std(0)
    held, losses = [], {penalty: [] for penalty in PENALTIES}
    for out in held_out_runs(data.labels, data.runs, seed):
        held.append(data.labels[out])
        for penalty, found in losses.items():
            model = LogisticRegression(C=1 / penalty / (~out).sum(), max_iter=5000, tol=1e-8)
            model.fit(standard[~out], data.labels[~out])
            found.append(-model.predict_log_proba(standard[out])[np.arange(out.sum()), data.labels[out]])
    labels = np.concatenate(held)
    of_classes = {
        penalty: np.mean([np.concatenate(found)[labels == label].mean() for label in range(3)])
        for penalty, found in losses.items()
    }
    probe = fit_probe(data, 0.5, seed)
    assert probe.penalty == min(of_classes, key=of_classes.get)
    assert f"penalty {probe.penalty:g} chosen by cross-validation over the runs of train" in probe.chosen_by
    assert probe.cross_validated


def test_simulated_frames_that_help_stay_and_those_that_mislead_are_left_out():
    few = made_up(classes=4, runs_per_class=2, frames=2, width=30)
    many = made_up(classes=4, runs_per_class=40, frames=2, width=30)  # more runs of the same classes
    rich = replace(few, simulated=many.features[:, 0], simulated_labels=many.labels)
    helped = fit_probe(rich, 0.5, seed=0)
    assert helped.simulated_share == 0.5
    assert helped.chosen_by.endswith(", with simulated frames")
    wrong = replace(rich, simulated_labels=(many.labels + 1) % 4)
    misled = fit_probe(wrong, 0.5, seed=0)
    assert misled.simulated_share == 0
    assert misled.chosen_by.endswith(", without simulated frames")
    assert misled.weight.tobytes() == fit_probe(few, 0.5, seed=0).weight.tobytes()


def test_too_few_runs_to_leave_any_out_take_the_default_and_say_so():
    probe = fit_probe(made_up(runs_per_class=1), 0.5, seed=0)
    assert (probe.penalty, probe.simulated_share) == (0.1, 0)
    assert probe.chosen_by == "penalty 0.1 by default, as in train no class has a run that can be left out"
    assert not probe.cross_validated


@pytest.mark.parametrize(("single", "chooses"), [(1, True), (2, False), (3, False)])
def test_runs_choose_only_where_those_left_out_show_most_classes(single, chooses):
    data = with_simulated(made_up(classes=4, runs_per_class=3), labels_shift=1)  # simulated frames that mislead
    kept = np.ones(len(data.labels), bool)
    for label in range(single):  # of these classes one run is left
        own = np.unique(data.runs[data.labels == label])
        kept &= ~np.isin(data.runs, own[1:])
    probe = fit_probe(data.only(kept), 0.5, seed=0)
    said = f"in train only {4 - single} of the 4 classes have a run that can be left out"
    assert (said in probe.chosen_by, probe.simulated_share) == ((False, 0) if chooses else (True, 0.5))


def test_nothing_is_warned_about():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_probe(with_simulated(made_up(2), 0), 0.5, seed=0)


def test_the_bytes_are_those_of_the_threads_asked_for_however_many_numpy_has():
    """Snakemake gives a job the threads that it asks for; under DVC numpy takes all cores."""
    data = with_simulated(made_up(classes=6, frames=5, width=2560, views=1), 0)
    made = set()
    for cores in (1, 2):
        with threadpool_limits(limits=cores):
            made.add(_fit_with_threads(1, data, 0.5, seed=0).weight.tobytes())
            assert {pool["num_threads"] for pool in threadpool_info()} == {cores}
    assert len(made) == 1
