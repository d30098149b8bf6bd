import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifests import CLASSES, even_dataset, frames_of, manifest_of, run_frames

from weldbench.config.data import Split
from weldbench.splitting.split import split_dataset
from weldbench.splitting.sufficiency import can_choose

FRAMES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), max_size=25)


def reasons(train: list[int], valid: list[tuple[int, object]], class_count: int) -> list[str]:
    labels = np.array([label for label, _ in valid], dtype=np.int64)
    runs = np.array([run for _, run in valid])
    return can_choose(np.array(train, dtype=np.int64), labels, runs, class_count)


@pytest.mark.parametrize(
    ("valid", "expected"),
    [
        ([(0, "a"), (0, "b"), (1, "c"), (1, "d"), (2, "e")], []),
        ([(0, "a"), (0, "b"), (1, "c"), (2, "e")], ["valid has 2 runs or more of only 1 of the 3 classes"]),
        ([(0, "a"), (0, "b"), (1, "c"), (1, "d")], ["valid holds no frame of 1 of the 3 classes of train"]),
        ([(0, "a"), (0, "a"), (1, "b"), (1, "b"), (2, "c")], ["valid has 2 runs or more of no class"]),
        ([], ["valid holds no frame of 3 of the 3 classes of train", "valid has 2 runs or more of no class"]),
        # Two films in which every class is seen are two runs of each class.
        ([(label, film) for label in range(3) for film in (7, 8)], []),
    ],
)
def test_valid_chooses_if_it_has_every_class_and_two_runs_of_most(valid, expected) -> None:
    assert reasons([0, 1, 2, 2], valid, 3) == expected


def test_two_runs_of_half_of_the_classes_are_not_most() -> None:
    valid = [(0, "a"), (0, "b"), (1, "c")]
    assert reasons([0, 1], valid, 2) == ["valid has 2 runs or more of only 1 of the 2 classes"]


def test_a_class_that_train_lacks_may_be_absent_from_valid() -> None:
    assert reasons([0, 1], [(0, "a"), (0, "b"), (1, "c"), (1, "d")], 3) == []


@given(train=st.lists(st.integers(0, 3), max_size=9), valid=FRAMES)
def test_it_counts_runs_and_classes_not_frames_or_order(train: list[int], valid: list[tuple[int, int]]) -> None:
    told = reasons(train, valid, 4)
    assert reasons(train * 2, valid[::-1] + valid, 4) == told
    missing = set(train) - {label for label, _ in valid}
    with_two = sum(len({run for of, run in valid if of == label}) >= 2 for label in range(4))
    assert (not told) == (not missing and with_two > 2)


@given(train=st.lists(st.integers(0, 3), max_size=9), valid=FRAMES)
def test_one_more_run_of_every_class_never_hurts(train: list[int], valid: list[tuple[int, int]]) -> None:
    more = [*valid, *((label, 100 + label) for label in range(4))]
    assert len(reasons(train, more, 4)) <= len(reasons(train, valid, 4))
    assert reasons(train, [*more, *((label, 200 + label) for label in range(4))], 4) == []


def notes(manifest: pd.DataFrame, fold: int = 0, **changes: object) -> list[str]:
    audit = split_dataset(manifest, frames_of(manifest), CLASSES, Split(balance="none", **changes), fold)[1]
    return audit["notes"]


def about_too_few(told: list[str]) -> list[str]:
    return [
        note for note in told if note.startswith(("Too few", "What helps")) or "holds a" in note or "cannot" in note
    ]


def in_splits(runs: dict[str, dict[str, int]]) -> pd.DataFrame:
    """Frames as published, from split -> class -> number of runs, each of two frames."""
    return manifest_of(
        frame
        for split, counts in runs.items()
        for label, count in counts.items()
        for run in range(count)
        for frame in run_frames(f"{split} {label} {run}", label, split, 2)
    )


ENOUGH = {split: dict.fromkeys(CLASSES, 2) for split in ("train", "valid", "test")}


@pytest.mark.parametrize(
    ("manifest", "settings"),
    [
        (in_splits(ENOUGH), {}),
        (even_dataset(10), {"strategy": "grouped"}),
        (even_dataset(6), {"strategy": "grouped", "fold_count": 3}),
        (even_dataset(2, 30), {"strategy": "random"}),
    ],
)
def test_on_enough_data_nothing_is_said(manifest: pd.DataFrame, settings: dict) -> None:
    assert not about_too_few(notes(manifest, **settings))


def test_what_is_too_little_is_said_in_words() -> None:
    runs = {split: dict(counts) for split, counts in ENOUGH.items()}
    runs["train"]["burn_through"] = runs["test"]["burn_through"] = 1
    runs["valid"] = {"good_weld": 1, "contamination": 2}
    assert notes(in_splits(runs)) == [
        "valid holds no frame of burn_through: model selection averages over the classes that are present.",
        "Too few runs. Frames (runs) in train, valid, test: good_weld 4 (2), 2 (1), 4 (2); burn_through 2 (1), 0 (0), "
        "2 (1).",
        "test holds a single run of burn_through: nothing tells how another would score, so there is no interval for "
        "such a class, and none for macro F1 that can be trusted.",
        "train holds a single run of burn_through: a network may learn that run instead of the class.",
        "valid holds a single run of good_weld: the score there is the luck of that run.",
        "valid cannot choose between epochs or settings: valid holds no frame of 1 of the 3 classes of train and valid "
        "has 2 runs or more of only 1 of the 3 classes. What is best there may not be best on other runs.",
        "What helps most: record at least 4 more runs of burn_through (1 for train, 2 for valid, 1 for test), "
        "then 1 more run of good_weld (1 for valid).",
    ]


def test_one_fold_alone_is_not_called_all_there_is() -> None:
    told = notes(even_dataset(5), strategy="grouped")
    assert any("no interval for such a class from this fold alone" in note for note in told)
    assert told[-1] == "What helps most: record at least 5 more runs of each of good_weld, burn_through, contamination."


def test_audit_json_counts_runs_per_class() -> None:
    manifest = in_splits(ENOUGH)
    audit = split_dataset(manifest, frames_of(manifest), CLASSES, Split(), 0)[1]
    assert audit["runs_per_class"] == ENOUGH


def recorded(manifest: pd.DataFrame, told: list[str]) -> pd.DataFrame:
    """The data with the runs that the advice asks for."""
    advice = told[-1].removeprefix("What helps most: record at least ").removesuffix(".")
    frames = manifest[["path", "run", "label", "published_split"]].to_numpy().tolist()
    for part in advice.split(", then "):
        total, labels, places = re.fullmatch(
            r"(\d+) more runs? of (?:each of )?([\w, ]+?)(?: \((.*)\))?", part
        ).groups()
        wanted = re.findall(r"(\d+) for (\w+)", places) if places else [(total, manifest["published_split"].iloc[0])]
        assert sum(int(number) for number, _ in wanted) == int(total)
        for label in labels.split(", "):
            for number, split in wanted:
                for run in range(int(number)):
                    frames += run_frames(f"new {split} {label} {run}", label, split, 2)
    return manifest_of(frames)


@pytest.mark.parametrize(
    ("counts", "named"),
    [
        ((1, 2, 3), ("train",)),
        ((4, 1, 2), ("train", "test")),
        ((1, 3, 1), ("train", "valid", "test")),
    ],
)
def test_the_runs_that_are_asked_for_are_enough(counts: tuple, named: tuple) -> None:
    manifest = in_splits({split: dict(zip(CLASSES, counts, strict=True)) for split in named})
    told = notes(manifest)
    assert about_too_few(told)
    assert not about_too_few(notes(recorded(manifest, told)))


@pytest.mark.parametrize(("counts", "fold_count"), [((3, 4, 5), 3), ((2, 4, 9), 4)])
def test_the_runs_that_grouped_asks_for_are_enough(counts: tuple, fold_count: int) -> None:
    manifest = in_splits({"": dict(zip(CLASSES, counts, strict=True))})
    told = notes(manifest, strategy="grouped", fold_count=fold_count)
    assert about_too_few(told)
    assert not notes(recorded(manifest, told), strategy="grouped", fold_count=fold_count)
