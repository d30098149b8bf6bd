"""Which stretches of film are listed for a person, in which order, and what cannot be judged."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weldbench.config.evidence import Compare
from weldbench.data.dataset import Dataset
from weldbench.errors import InputError
from weldbench.reporting.figures.label_review import gallery
from weldbench.reporting.tables.label_review import label_table, write_review
from weldbench.trust.label_review import COLUMNS, judged
from weldbench.trust.out_of_folds import FOLDS, folds_by_run, out_of_folds
from weldbench.trust.stretches import most_probable_film, stretches_of

CLASSES = ["good_weld", "burn_through", "contamination"]
COMPARE = Compare(models=["any"], bootstrap_draws=200)


@settings(deadline=None)
@given(st.data(), st.integers(0, 2**32 - 1))
def test_each_run_is_left_out_once_and_no_class_is_lost_that_another_run_shows(data: st.DataObject, seed: int) -> None:
    count = data.draw(st.integers(1, 14))
    shown = [data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=2)) for _ in range(count)]
    runs = np.array([run for run, labels in enumerate(shown) for _ in labels])
    labels = np.array([label for of_run in shown for label in of_run])
    folds = list(folds_by_run(labels, runs, seed, 0))
    assert (np.sum(folds, axis=0) == 1).all()
    for out in folds:
        assert not set(runs[out]) & set(runs[~out])
        lost = set(labels[out]) - set(labels[~out])
        # A class is lost only where its runs are a single one.
        assert all(len(set(runs[labels == label])) == 1 for label in lost)
    assert len(folds) <= max(FOLDS, count)


def films(runs_of_class: int = 6, frames: int = 8, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features that tell the class with some noise of the run: features, labels, runs."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(CLASSES)).repeat(runs_of_class), frames)
    runs = np.arange(len(labels)) // frames
    of_run = rng.normal(size=(runs.max() + 1, 12))
    features = 6 * np.eye(12)[labels] + 0.5 * of_run[runs] + 0.2 * rng.normal(size=(len(labels), 12))
    return features.astype(np.float32), labels, runs


def test_probabilities_know_nothing_of_the_labels_of_their_own_run() -> None:
    features, labels, runs = films()
    changed = labels.copy()
    changed[runs == 0] = 2
    before, _ = out_of_folds(features, labels, runs, 3, seed=0)
    after, _ = out_of_folds(features, changed, runs, 3, seed=0)
    # Whatever its label says, the run looks like good welds to the fits of all others.
    assert (before[runs == 0].argmax(axis=1) == 0).all()
    assert (after[runs == 0].argmax(axis=1) == 0).all()
    np.testing.assert_allclose(before.sum(axis=1), 1)
    assert np.array_equal(before, out_of_folds(features, labels, runs, 3, seed=0)[0])


def test_a_film_changes_its_class_only_for_more_than_a_few_odd_frames() -> None:
    sure = np.log(np.array([[0.98, 0.01, 0.01], [0.01, 0.98, 0.01]]))
    odd = sure[[0, 0, 0, 0, 1, 0, 0, 0]]
    assert most_probable_film(odd).tolist() == [0] * 8
    lasting = sure[[0] * 5 + [1] * 7]
    assert most_probable_film(lasting).tolist() == [0] * 5 + [1] * 7


@given(st.integers(1, 30), st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_the_most_probable_film_is_at_least_as_good_as_every_constant_one(length: int, classes: int, seed: int) -> None:
    logs = np.log(np.random.default_rng(seed).dirichlet(np.ones(classes), length))
    film = most_probable_film(logs)
    value = logs[np.arange(length), film].sum() - 10 * (film[1:] != film[:-1]).sum()
    assert value >= logs.sum(axis=0).max() - 1e-9


def test_a_stretch_never_reaches_over_a_run_a_label_or_a_change() -> None:
    probabilities = np.repeat(np.array([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1]]), [6, 6, 4], axis=0)
    labels = np.repeat([0, 1, 0], [6, 6, 4])
    labels[8:12] = 0  # the second half of the burn-through is labeled good
    found = stretches_of(probabilities, labels, np.repeat([0, 1], [12, 4]))
    assert found.frames.tolist() == [6, 2, 4, 4]
    assert found.suggested.tolist() == [0, 1, 1, 0]
    assert found.probably_wrong.tolist() == [False, False, True, False]
    assert found.worst_first.tolist() == [2]
    assert found.scores[2] == pytest.approx(0.8)


def review_of(labels: np.ndarray, features: np.ndarray, runs: np.ndarray, folder: Path = Path("data/mine")):
    frames = pd.DataFrame({"run": [f"run {run:02d}" for run in runs]})
    number = frames.groupby("run").cumcount()
    frames["row"] = np.arange(len(frames))
    frames["path"] = frames["run"] + "/image-" + number.map("{:04d}".format) + ".png"
    frames["published_split"] = ""
    frames["split"] = "train"
    frames["label"] = frames["given"] = [CLASSES[label] for label in labels]
    stored = np.zeros((len(frames), 8, 8), np.uint8)
    dataset = Dataset(stored, frames, CLASSES, folder, "good_weld")
    return judged("backbone", dataset, frames, features, labels, seed=0, threads=1)


def test_flipped_stretches_are_listed_first_frame_by_frame(tmp_path: Path) -> None:
    features, labels, runs = films()
    wrong = labels.copy()
    wrong[runs == 3], wrong[runs == 14] = 1, 0
    review = review_of(wrong, features, runs)
    listed = review.listed()
    assert list(listed) == COLUMNS
    first = listed[listed["probably_wrong"] == "yes"]
    assert set(first["run"]) == {"run 03", "run 14"}
    assert len(first) == 16
    assert first.groupby("run")["suggested"].unique().str[0].to_dict() == {
        "run 03": "good_weld",
        "run 14": "contamination",
    }
    one = first[first["run"] == "run 03"]
    assert one["path"].tolist() == [f"run 03/image-{number:04d}.png" for number in range(8)]
    assert set(one["first_frame"]) == {"image-0000.png"}
    assert set(one["last_frame"]) == {"image-0007.png"}
    assert review.stretches.wrong_share == pytest.approx(16 / len(labels), abs=0.05)
    write_review(review, COMPARE, tmp_path / "review.csv", tmp_path / "trust")
    assert {path.name for path in (tmp_path / "trust").iterdir()} == {
        f"review.{end}" for end in ("csv", "md", "tex", "png")
    }
    told = (tmp_path / "trust/review.md").read_text()
    assert f"Of {len(labels)} frames, the labels of 16 are probably wrong" in told
    assert "with its interval over runs: train" in told


def test_right_labels_make_an_empty_list_that_says_so() -> None:
    features, labels, runs = films()
    review = review_of(labels, features, runs)
    assert review.listed().empty
    assert label_table(review, COMPARE).notes[0] == "No label is in doubt."
    gallery(review)


def test_a_class_of_a_single_run_is_not_judged_and_the_table_says_so() -> None:
    features, labels, runs = films()
    kept = (labels != 2) | (runs == runs[labels == 2][0])
    review = review_of(labels[kept], features[kept], runs[kept])
    assert review.unjudged == {"contamination": 8}
    assert "contamination" not in set(review.frames["label"])
    assert any("8 frames of contamination cannot be judged" in note for note in label_table(review, COMPARE).notes)


def test_runs_of_one_each_class_cannot_be_reviewed() -> None:
    features, labels, runs = films(runs_of_class=1)
    with pytest.raises(InputError, match="no class stands in two runs"):
        review_of(labels, features, runs)


@pytest.mark.parametrize(("other", "wrong"), [(0.80, True), (0.70, False)])
def test_a_clear_lead_is_probably_wrong_even_below_the_threshold(other: float, wrong: bool) -> None:
    # The threshold of class 1 is 0.98.
    right = np.repeat(np.array([[0.99, 0.01], [0.02, 0.98]]), [40, 40], axis=0)
    doubted = np.repeat(np.array([[1 - other, other]]), 4, axis=0)
    probabilities = np.concatenate([right, doubted])
    labels = np.repeat([0, 1, 0], [40, 40, 4])
    found = stretches_of(probabilities, labels, np.repeat([0, 1, 2], [40, 40, 4]))
    assert found.suggested[-1] == 1
    assert not found.confident[-1]
    assert found.probably_wrong[-1] == wrong
    assert found.worst_first.tolist() == [2]
