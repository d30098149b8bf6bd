"""The drift check: what alarms, what does not, and that it goes on where it stopped."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weldbench.deploy.drift import FEWEST_FRAMES, Drift, DriftState, capped
from weldbench.deploy.drift_fit import chart_limit, fit_reference, share_limit, spread_frames
from weldbench.deploy.drift_reference import CHARTS, NUMBERS, Reference
from weldbench.deploy.runtimes import Outputs
from weldbench.errors import InputError

CLASSES = ("good", "hole", "dirt")
SIDE, FEATURES = 12, 20


def frames(rng: np.random.Generator, count: int, runs: int, light: float = 1.0, blur: bool = False, shift: float = 0.0):
    """Frames of several runs; each run has its own brightness, and each class its own features."""
    labels = np.repeat(rng.integers(0, len(CLASSES), runs), count)
    run = np.repeat(np.arange(runs), count)
    of_run = rng.normal(0, 0.08, (runs, 1, 1))[run]
    levels = 90 * light * np.exp(of_run) + rng.normal(0, 12, (len(run), SIDE, SIDE))
    if blur:
        levels = (levels + np.roll(levels, 1, 1) + np.roll(levels, 1, 2) + np.roll(levels, (1, 1), (1, 2))) / 4
    probabilities = np.full((len(run), 3), 0.05) + rng.uniform(0, 0.02, (len(run), 3))
    probabilities[np.arange(len(run)), labels] = 0.9
    features = 3 * np.eye(3, FEATURES)[labels] + rng.normal(shift, 1, (runs, FEATURES))[run]
    features += rng.normal(0, 0.3, features.shape)
    said = Outputs(
        (probabilities / probabilities.sum(axis=1, keepdims=True)).astype(np.float32),
        features.astype(np.float32),
        np.clip(levels, 0, 255).astype(np.uint8),
    )
    return said, np.array([f"run{number:03d}" for number in run])


@pytest.fixture(scope="module")
def reference() -> Reference:
    said, runs = frames(np.random.default_rng(0), 5, 90)
    found, told = fit_reference(said, runs, runs < "run050", len(CLASSES), has_good=True)
    assert found is not None
    assert told.startswith("drift check by brightness, sharpness, position of the light, scores, features and the")
    return found


def told_by(reference: Reference, rng: np.random.Generator, welds: int, drift: Drift | None = None, **change):
    drift = drift or Drift(reference, CLASSES)
    said, _ = frames(rng, 5, welds, **change)
    traits, found = reference.traits(said), []
    for weld in range(welds):
        of_weld = slice(5 * weld, 5 * weld + 5)
        shares = np.bincount(said.probabilities[of_weld].argmax(axis=1), minlength=3) / 5
        if sentence := drift.weigh(traits[of_weld].mean(axis=0), shares):
            found.append((weld + 1, sentence))
    return found, drift


def test_unchanged_welds_alarm_rarely(reference: Reference) -> None:
    found, _ = told_by(reference, np.random.default_rng(1), 2000)
    assert len(found) <= 4  # one is expected


@pytest.mark.parametrize(
    ("change", "what"),
    [({"light": 0.6}, "brightness"), ({"blur": True}, "sharpness"), ({"shift": 2.0}, "features")],
)
def test_a_strong_change_is_found_within_a_few_welds_and_said_once(reference, change, what) -> None:
    _, drift = told_by(reference, np.random.default_rng(2), 60)
    found, drift = told_by(reference, np.random.default_rng(3), 30, drift, **change)
    assert found[0][0] <= 6
    assert any(what in sentence for _, sentence in found)
    since = int(found[0][1].split("since weld ")[1].split()[0])
    assert 57 <= since <= 63
    assert len(found) <= 3  # not at every weld
    assert drift.summary().startswith("drift check: 90 welds compared with training; the camera or the process")


def test_another_mix_of_defects_is_no_drift_but_the_same_defect_again_and_again_is(reference: Reference) -> None:
    vector = reference.center
    drift = Drift(reference, CLASSES)
    assert not any(drift.weigh(vector, np.array([1.0, 0, 0])) for _ in range(500))  # all welds are good
    told = [drift.weigh(vector, np.array([0, 1.0, 0])) for _ in range(20)]
    (sentence,) = [one for one in told if one]
    assert sentence.endswith("more is taken for hole than in training")
    assert "since weld 501" in sentence


def test_one_strange_weld_alarms_nothing(reference: Reference) -> None:
    drift = Drift(reference, CLASSES)
    for _ in range(30):
        assert drift.weigh(reference.center, np.array([1.0, 0, 0])) is None
    assert drift.weigh(reference.center + 1e6, np.array([0, 1.0, 0])) is None
    assert drift.weigh(reference.center, np.array([1.0, 0, 0])) is None


def test_a_check_goes_on_where_its_state_was_kept(reference: Reference) -> None:
    rng = np.random.default_rng(4)
    said, runs = frames(rng, 6, 40, light=0.75)
    traits, names = reference.traits(said).tolist(), np.array(CLASSES)[said.probabilities.argmax(axis=1)].tolist()

    def sentences(cut_every: int) -> list[str | None]:
        drift, found = Drift(reference, CLASSES), []
        for number, (run, one, name) in enumerate(zip(runs, traits, names, strict=True)):
            if number % cut_every == 0:
                drift = Drift(reference, CLASSES, DriftState(**json.loads(json.dumps(vars(drift.state)))))
            found.append(drift.take(run, one, name))
        return [*found, drift.finish()]

    assert any(sentences(10**6))
    assert sentences(7) == sentences(10**6)


def test_a_weld_of_few_frames_does_not_count(reference: Reference) -> None:
    drift = Drift(reference, CLASSES)
    for weld in range(30):
        for _ in range(FEWEST_FRAMES - 1):
            assert drift.take(f"weld{weld}", [9.0] * NUMBERS, "good") is None
    assert drift.finish() is None
    assert drift.state.welds == 0


def test_what_is_saved_is_read_and_a_damaged_file_is_named(reference: Reference, tmp_path: Path) -> None:
    reference.save(path := tmp_path / "drift.npz")
    read = Reference.load(path)
    said, _ = frames(np.random.default_rng(5), 5, 4)
    assert np.allclose(read.traits(said), reference.traits(said), atol=1e-3)
    assert read.limits == pytest.approx(reference.limits)
    assert set(read.whitening) == set(CHARTS)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match=r"drift.npz: this file is damaged .*export the model again"):
        Reference.load(path)


def test_too_few_runs_leave_charts_out_or_everything_and_say_so() -> None:
    said, runs = frames(np.random.default_rng(6), 5, 40)
    found, told = fit_reference(said, runs, runs < "run030", len(CLASSES), has_good=True)
    assert found is not None
    assert set(found.limits) == {"brightness", "sharpness", "position of the light"}
    assert "not by scores and features, as valid has 10 runs and 20 are needed" in told
    said, runs = frames(np.random.default_rng(6), 5, 12)
    found, told = fit_reference(said, runs, runs < "run008", len(CLASSES), has_good=True)
    assert found is None
    assert told == "no drift check: it takes 20 runs of train and valid, and there are 12"


def test_fewer_runs_make_wider_limits() -> None:
    limits = [chart_limit(2, runs, 1e-4) for runs in (20, 40, 200)]
    assert limits[0] > limits[1] > limits[2] > 9  # a chi-square of 2 has 9.2 at 0.01
    assert share_limit(0.1, 1e-4) > share_limit(0.1, 1e-3) > 0


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6))
@settings(max_examples=30)
def test_frames_are_spread_over_every_run(lengths: list[int]) -> None:
    runs = np.concatenate([[f"r{number}"] * length for number, length in enumerate(lengths)])
    chosen = spread_frames(runs)
    names, counts = np.unique(runs[chosen], return_counts=True)
    assert len(names) == len(lengths)
    assert counts.tolist() == [min(FEWEST_FRAMES, length) for length in lengths]


def test_a_long_vector_is_shortened_and_a_short_one_stays() -> None:
    assert np.linalg.norm(capped(np.array([300.0, 400.0]))) == pytest.approx(3.717, abs=0.01)
    assert capped(np.array([0.3, 0.4])).tolist() == [0.3, 0.4]


def test_without_a_good_class_every_class_is_a_defect(reference: Reference) -> None:
    drift = Drift(replace(reference, first_defect=0), CLASSES)
    assert any(drift.weigh(reference.center, np.array([1.0, 0, 0])) for _ in range(40))
