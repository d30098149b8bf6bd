"""The reference of the drift check, from the exported graph's own words on runs of train and valid."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from weldbench.deploy.drift import FEWEST_FRAMES, SMOOTHING, capped, share_step, statistic
from weldbench.deploy.drift_reference import CHARTS, CLIP, DIRECTIONS, NUMBERS, Floats, FrameView, Reference
from weldbench.deploy.runtimes import Outputs
from weldbench.runtime.seeding import Stream, generator

WELDS_PER_FALSE_ALARM = 2000  # all charts together, as simulated
FEWEST_RUNS = 20  # of which a chart knows mean and covariance
_FROM_VALID = ("scores", "features")  # on train a network is surer than it will ever be again
_PRIOR_RUNS = 3  # so many runs of the mean over classes are mixed into that of a class
_WATCHED, _SAMPLES = 250, 4000  # welds of a simulated watch, and how many are simulated


def fit_reference(
    said: Outputs, runs: NDArray[np.str_], of_train: NDArray[np.bool_], class_count: int, has_good: bool
) -> tuple[Reference | None, str]:
    """Fit the charts.

    Train says what each class looks like; both say how much the pictures of a run differ from that, valid alone how
    much its scores and features do.

    Args:
        said: By the exported graph of frames of train and valid, as `spread_frames` chooses them.
        runs: Of each frame, shape (N,).
        of_train: Whether each is of train, shape (N,).
        class_count: K.
        has_good: Whether the first class is that of good welds.

    Returns:
        None where the runs are too few for every chart; and a sentence on what holds.
    """
    view = FrameView.of(said)
    names, of_run = np.unique(runs, return_inverse=True)
    run_of_train = np.array([of_train[of_run == number].all() for number in range(len(names))])
    classes = _class_means(view.measures, view.predicted, of_run, class_count)
    learned = FrameView(view.measures[of_train], view.features[of_train], view.predicted[of_train])
    features = _class_means(learned.features, learned.predicted, of_run[of_train], class_count)
    scale = (learned.features - features[learned.predicted]).std(axis=0)
    scale = np.maximum(scale, 0.3 * np.median(scale) + 1e-9)  # a feature that hardly moved in train means little
    blank = Reference(
        classes, features, scale, np.zeros((DIRECTIONS, len(scale))), np.zeros(NUMBERS), {}, {}, np.zeros(class_count),
        np.zeros(class_count), int(has_good), len(names),
    )  # fmt: skip
    away = np.clip((learned.features - features[learned.predicted]) / scale, -CLIP, CLIP)
    directions = np.linalg.svd(_run_means(away, of_run[of_train]), full_matrices=False)[2][:DIRECTIONS]
    reference = Reference(**{**vars(blank), "directions": directions})
    vectors = _run_means(reference.traits(said), of_run)
    shares = _class_shares(view.predicted, of_run, class_count)

    center, whitening, limits = np.zeros(NUMBERS), {}, {}
    rate = 1 / WELDS_PER_FALSE_ALARM / (len(CHARTS) + 1)
    for chart, places in CHARTS.items():
        chosen = vectors[~run_of_train if chart in _FROM_VALID else slice(None)][:, places]
        if len(chosen) < FEWEST_RUNS:
            continue
        center[places] = chosen.mean(axis=0)
        fixed = class_count if chart not in _FROM_VALID else 1  # means that the runs themselves gave
        whitening[chart] = _whitening(chosen - center[places], len(chosen) - fixed)
        limits[chart] = chart_limit(chosen.shape[1], len(chosen), rate)
    if not limits:
        return None, f"no drift check: it takes {FEWEST_RUNS} runs of train and valid, and there are {len(names)}"
    share_limits = np.array([share_limit(share, rate / class_count) for share in shares])
    found = Reference(
        **{
            **vars(reference),
            "center": center,
            "whitening": whitening,
            "limits": limits,
            "shares": shares,
            "share_limits": share_limits,
        }
    )
    return found, _told(found, int((~run_of_train).sum()))


def spread_frames(runs: NDArray[np.str_]) -> NDArray[np.int64]:
    """Choose 5 frames of each run, spread over it, or all of a shorter one; positions, sorted.

    A mean of more frames varies less. So the limits hold for welds of few frames, and are on the safe side for others.

    Example:
        >>> spread_frames(np.array(["a"] * 9 + ["b"] * 2)).tolist()
        [0, 2, 4, 6, 8, 9, 10]
    """
    chosen = []
    for name in np.unique(runs):
        places = np.flatnonzero(runs == name)
        count = min(len(places), FEWEST_FRAMES)
        chosen.append(places[np.linspace(0, len(places) - 1, count).round().astype(np.int64)])
    return np.sort(np.concatenate(chosen))


@cache
def chart_limit(numbers: int, runs: int, rate: float) -> float:
    """Simulate the limit of a chart of `numbers` numbers, whose mean and covariance are estimated from `runs` runs.

    Args:
        numbers: d.
        runs: Of the reference.
        rate: False alarms per weld, over the first 250 welds and over all references that could have been.

    Example:
        >>> chart_limit(2, 30, 1e-3) > chart_limit(2, 300, 1e-3)
        True
    """
    random = generator(Stream.DRIFT_LIMITS, numbers, runs, 1)
    reference = random.standard_normal((_SAMPLES, runs, numbers))
    mean = reference.mean(axis=1, keepdims=True)
    away = reference - mean
    covariance = np.einsum("sri,srj->sij", away, away) / (runs - 1)
    whitening = np.linalg.inv(np.linalg.cholesky(covariance))
    average, highest = np.zeros((_SAMPLES, numbers)), np.zeros(_SAMPLES)
    for _ in range(_WATCHED):
        weld = random.standard_normal((_SAMPLES, numbers)) - mean[:, 0]
        average = (1 - SMOOTHING) * average + SMOOTHING * capped(np.einsum("sij,sj->si", whitening, weld))
        highest = np.maximum(highest, statistic(average))
    return float(np.quantile(highest, 1 - rate * _WATCHED))


def share_limit(share: float, rate: float) -> float:
    """Simulate the limit of the CUSUM of a class that every weld shows with the probability `share`."""
    random = generator(Stream.DRIFT_LIMITS, round(1e6 * share), 2)
    total, highest = np.zeros(10 * _SAMPLES), np.zeros(10 * _SAMPLES)
    up, down = (float(share_step(np.array(shown), np.array(share))) for shown in (1.0, 0.0))
    for _ in range(_WATCHED):
        total = np.maximum(total + np.where(random.random(len(total)) < share, up, down), 0)
        highest = np.maximum(highest, total)
    return float(np.quantile(highest, 1 - rate * _WATCHED))


def _class_means(values: Floats, predicted: NDArray[np.int64], of_run: NDArray[np.int64], class_count: int) -> Floats:
    """Return the mean over runs of what frames of each predicted class show, (K, D), drawn to the mean of all."""
    runs = np.unique(of_run)
    everyone = np.mean([values[of_run == run].mean(axis=0) for run in runs], axis=0)
    means = np.empty((class_count, values.shape[1]))
    for number in range(class_count):
        chosen = predicted == number
        of_class = [values[chosen & (of_run == run)].mean(axis=0) for run in np.unique(of_run[chosen])]
        means[number] = (np.sum(of_class, axis=0) + _PRIOR_RUNS * everyone) / (len(of_class) + _PRIOR_RUNS)
    return means


def _class_shares(predicted: NDArray[np.int64], of_run: NDArray[np.int64], class_count: int) -> Floats:
    """Return how often a weld shows each class, (K,), every run counting the same; add one of each class (Laplace)."""
    frames = np.array([np.bincount(predicted[of_run == run], minlength=class_count) for run in np.unique(of_run)])
    shares = (frames / frames.sum(axis=1, keepdims=True)).sum(axis=0) + 1
    return np.asarray(shares / shares.sum())


def _run_means(values: Floats, of_run: NDArray[np.int64]) -> Floats:
    """Return the mean of the frames of each run that has any, shape (R, D), in the order of their numbers."""
    return np.array([values[of_run == run].mean(axis=0) for run in np.unique(of_run)])


def _whitening(away: Floats, freedom: int) -> Floats:
    covariance = away.T @ away / freedom
    covariance += 1e-9 * np.eye(len(covariance)) * np.trace(covariance)
    return np.asarray(np.linalg.inv(np.linalg.cholesky(covariance)))


def _told(reference: Reference, valid_runs: int) -> str:
    charts = ", ".join(reference.limits)
    said = (
        f"drift check by {charts} and the shares of defects, from {reference.runs} runs of train and valid, for at "
        f"most one false alarm in {WELDS_PER_FALSE_ALARM:,} welds by simulation"
    )
    if absent := [chart for chart in CHARTS if chart not in reference.limits]:
        said += f"; not by {' and '.join(absent)}, as valid has {valid_runs} runs and {FEWEST_RUNS} are needed"
    return said
