import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manifests import CLASSES, even_dataset, manifest_of, run_frames

from weldbench.config.data import Split
from weldbench.errors import InputError
from weldbench.splitting.leakage import without_leaks
from weldbench.splitting.strategies import assign_splits


def assigned(manifest: pd.DataFrame, fold: int = 0, **changes: object) -> pd.DataFrame:
    splits, notes = assign_splits(manifest, CLASSES, Split(**changes), fold)
    assert list(splits.index) == list(manifest["row"])
    table = manifest.assign(split=splits.to_numpy())
    table.attrs["notes"] = notes
    return table


def classes_in(table: pd.DataFrame, split: str) -> set[str]:
    return set(table.loc[table["split"] == split, "label"])


@st.composite
def datasets(draw: st.DrawFn, fewest_runs: int, one_class_a_run: bool = True) -> pd.DataFrame:
    """Runs of any length; each class has at least `fewest_runs` of its own."""
    frames = []
    for label in CLASSES:
        for run, count in enumerate(draw(st.lists(st.integers(1, 9), min_size=fewest_runs, max_size=12))):
            frames += run_frames(f"{label} {run}", label, "", count)
            if not one_class_a_run:
                other = draw(st.sampled_from(CLASSES))
                frames += [
                    (f"{label} {run}/x{n}.png", f"{label} {run}", other, "") for n in range(draw(st.integers(0, 3)))
                ]
    return manifest_of(frames)


@settings(max_examples=12, deadline=None)
@given(manifest=datasets(fewest_runs=3), seed=st.integers(0, 9), fold=st.integers(0, 2))
def test_grouped_shares_no_run_and_has_every_class_in_every_part(manifest: pd.DataFrame, seed: int, fold: int) -> None:
    table = assigned(manifest, fold, strategy="grouped", fold_count=3, seed=seed)
    assert (table.groupby("run")["split"].nunique() == 1).all()
    for split in ("train", "valid", "test"):
        assert classes_in(table, split) == set(CLASSES)


@settings(max_examples=12, deadline=None)
@given(manifest=datasets(fewest_runs=5, one_class_a_run=False), seed=st.integers(0, 9))
def test_runs_of_several_classes_stay_whole(manifest: pd.DataFrame, seed: int) -> None:
    table = assigned(manifest, strategy="grouped", fold_count=3, seed=seed)
    assert (table.groupby("run")["split"].nunique() == 1).all()


def test_the_folds_are_a_cross_validation_over_runs() -> None:
    manifest = even_dataset(runs_per_class=7)
    tables = [assigned(manifest, fold, strategy="grouped", fold_count=5) for fold in range(5)]
    times_in_test = sum((table["split"] == "test").astype(int) for table in tables)
    times_in_valid = sum((table["split"] == "valid").astype(int) for table in tables)
    assert (times_in_test == 1).all()
    assert (times_in_valid == 1).all()
    for fold in range(5):
        in_valid = set(tables[fold].loc[tables[fold]["split"] == "valid", "run"])
        following = tables[(fold + 1) % 5]
        assert in_valid == set(following.loc[following["split"] == "test", "run"])


def test_equal_runs_are_divided_evenly() -> None:
    table = assigned(even_dataset(runs_per_class=10), strategy="grouped", fold_count=5)
    runs = table.groupby(["split", "label"])["run"].nunique()
    assert {runs["test", label] for label in CLASSES} == {2}
    assert {runs["valid", label] for label in CLASSES} == {2}


def test_grouped_names_the_class_with_a_single_run() -> None:
    manifest = pd.concat([even_dataset(5), manifest_of(run_frames("one", "rare", "", 50))], ignore_index=True)
    manifest["row"] = np.arange(len(manifest))
    with pytest.raises(InputError, match=r"needs 2 runs of each class, one for test and one for train, and rare has 1"):
        assign_splits(manifest, [*CLASSES, "rare"], Split(strategy="grouped"), 0)


RUNS_OF_CLASSES = st.lists(st.integers(2, 12), min_size=len(CLASSES), max_size=len(CLASSES))


@settings(max_examples=30, deadline=None)
@given(counts=RUNS_OF_CLASSES, frames=st.data(), seed=st.integers(0, 9), fold_count=st.integers(3, 7))
def test_grouped_serves_test_first_then_train_then_valid(
    counts: list[int], frames: st.DataObject, seed: int, fold_count: int
) -> None:
    manifest = manifest_of(
        frame
        for label, count in zip(CLASSES, counts, strict=True)
        for run in range(count)
        for frame in run_frames(f"{label} {run}", label, "", frames.draw(st.integers(1, 9)))
    )
    runs = dict(zip(CLASSES, counts, strict=True))
    times_in_test = 0
    for fold in range(fold_count):
        table = assigned(manifest, fold, strategy="grouped", fold_count=fold_count, seed=seed)
        assert (table.groupby("run")["split"].nunique() == 1).all()
        tested = {label for label, count in runs.items() if count > fold}
        assert classes_in(table, "test") == tested
        assert classes_in(table, "train") == set(CLASSES)
        assert classes_in(table, "valid") == {label for label, count in runs.items() if count - (label in tested) >= 2}
        assert len(table.attrs["notes"]) == len(CLASSES) - len(tested)
        times_in_test = times_in_test + (table["split"] == "test").astype(int)
    assert (times_in_test == 1).all()


def test_a_fold_that_tests_no_run_of_a_class_says_so() -> None:
    manifest = even_dataset(3)
    assert assigned(manifest, 2, strategy="grouped", fold_count=5).attrs["notes"] == []
    assert assigned(manifest, 3, strategy="grouped", fold_count=5).attrs["notes"] == [
        f"{label} has 3 runs, and split.fold_count is 5: the test split of fold 3 has none of them."
        for label in CLASSES
    ]


@pytest.mark.parametrize(("strategy", "fold"), [("grouped", 5), ("grouped", -1), ("published", 1), ("random", 1)])
def test_a_fold_that_does_not_exist(strategy: str, fold: int) -> None:
    with pytest.raises(InputError, match=f"there is no fold {fold}"):
        assigned(even_dataset(split="train"), fold, strategy=strategy)


def test_a_frame_published_twice_is_used_once() -> None:
    twice = [frame for split in ("valid", "test") for frame in run_frames("shared", "good_weld", split, 4)]
    manifest = manifest_of([*twice, *even_dataset(split="train")[["path", "run", "label", "published_split"]].values])
    for strategy in ("grouped", "random"):
        table = assigned(manifest, strategy=strategy, fold_count=3)
        assert table.loc[table["run"] == "shared", "split"].count() == 4


@settings(max_examples=12, deadline=None)
@given(
    order=st.permutations(range(45)),
    strategy=st.sampled_from(["published", "grouped", "random"]),
    seed=st.integers(0, 5),
)
def test_the_order_of_the_manifest_does_not_matter(order: list[int], strategy: str, seed: int) -> None:
    manifest = even_dataset(split="train")
    shuffled = manifest.iloc[order].assign(row=np.arange(45))
    expected = assigned(manifest, strategy=strategy, seed=seed).set_index("path")["split"]
    found = assigned(shuffled, strategy=strategy, seed=seed).set_index("path")["split"]
    assert found.reindex(expected.index).tolist() == expected.tolist()


@pytest.mark.parametrize("strategy", ["grouped", "random", "published"])
def test_the_seed_changes_the_splits(strategy: str) -> None:
    manifest = even_dataset(9, split="train")
    found = {tuple(assigned(manifest, strategy=strategy, seed=seed)["split"]) for seed in range(5)}
    assert len(found) > 1
    assert len({tuple(assigned(manifest, strategy=strategy, seed=3)["split"]) for _ in range(2)}) == 1


def test_random_ignores_runs() -> None:
    table = assigned(even_dataset(2, 50), strategy="random", fold_count=5)
    assert table["split"].value_counts().to_dict() == {"train": 180, "valid": 60, "test": 60}
    assert (table.groupby("run")["split"].nunique() == 3).all()
    assert "inflates" in table.attrs["notes"][0]


def test_random_needs_two_frames_of_each_class() -> None:
    counts = dict(zip(CLASSES, (5, 2, 1), strict=True))
    frames = {label: run_frames(label, label, "", count) for label, count in counts.items()}
    with pytest.raises(InputError, match=r"needs 2 frames of each class, .* and contamination has 1"):
        assigned(manifest_of(frame for of_class in frames.values() for frame in of_class), strategy="random")


@given(counts=st.lists(st.integers(2, 40), min_size=3, max_size=3), fold_count=st.integers(3, 9))
def test_random_serves_test_first_then_train_then_valid(counts: list[int], fold_count: int) -> None:
    frames = zip(CLASSES, counts, strict=True)
    manifest = manifest_of(frame for label, count in frames for frame in run_frames(label, label, "", count))
    table = assigned(manifest, strategy="random", fold_count=fold_count)
    assert classes_in(table, "test") == classes_in(table, "train") == set(CLASSES)
    assert classes_in(table, "valid") == {label for label, count in zip(CLASSES, counts, strict=True) if count >= 3}


def test_published_parts_are_taken_as_they_are() -> None:
    manifest = manifest_of(
        [
            *run_frames("a", "good_weld", "train", 2),
            *run_frames("b", "burn_through", "valid", 2),
            *run_frames("c", "good_weld", "test", 1),
        ]
    )
    table = assigned(manifest)
    assert table["split"].tolist() == manifest["published_split"].tolist()
    assert table.attrs["notes"] == []


def test_data_that_comes_in_no_splits_is_split_as_grouped_does_and_says_so() -> None:
    made, grouped = assigned(even_dataset()), assigned(even_dataset(), strategy="grouped")
    assert made["split"].tolist() == grouped["split"].tolist()
    assert set(made["split"]) == {"train", "valid", "test"}
    assert made.attrs["notes"][0].startswith(
        "The data comes in no splits: train, valid and test were made of whole runs"
    )
    assert made.attrs["notes"][1:] == grouped.attrs["notes"]


def test_published_without_train() -> None:
    with pytest.raises(InputError, match=r"has test, and no train split; set split\.strategy to grouped"):
        assigned(even_dataset(split="test"))


def test_published_without_valid_takes_runs_of_train() -> None:
    frames = [*even_dataset(5, split="train")[["path", "run", "label", "published_split"]].values]
    frames += [frame for label in CLASSES for frame in run_frames(f"test {label}", label, "test", 3)]
    table = assigned(manifest_of(frames))
    assert (table.loc[table["published_split"] == "test", "split"] == "test").all()
    assert (table.groupby("run")["split"].nunique() == 1).all()
    runs = table.groupby(["split", "label"])["run"].nunique()
    assert {runs["valid", label] for label in CLASSES} == {1}
    assert {runs["train", label] for label in CLASSES} == {4}
    assert "made of whole runs of train" in table.attrs["notes"][0]


def test_published_without_test_gives_every_class_a_test_run_if_it_has_two() -> None:
    # One class has a run in each split, one has all of its runs in train, one has a single run.
    table = assigned(
        manifest_of(
            [
                *run_frames("good train", "good_weld", "train", 3),
                *run_frames("good valid", "good_weld", "valid", 3),
                *run_frames("burn 1", "burn_through", "train", 3),
                *run_frames("burn 2", "burn_through", "train", 3),
                *run_frames("burn 3", "burn_through", "train", 3),
                *run_frames("contamination", "contamination", "train", 3),
            ]
        )
    )
    assert classes_in(table, "train") == set(CLASSES)
    assert classes_in(table, "test") == {"good_weld", "burn_through"}
    assert classes_in(table, "valid") == {"burn_through"}
    assert (table.groupby("run")["split"].nunique() == 1).all()


PUBLISHED_RUNS = st.fixed_dictionaries({label: st.tuples(st.integers(0, 5), st.integers(0, 5)) for label in CLASSES})


@settings(max_examples=60, deadline=None)
@given(runs=PUBLISHED_RUNS, frames=st.data(), seed=st.integers(0, 9))
def test_published_without_test_serves_test_first_then_train_then_valid(
    runs: dict[str, tuple[int, int]], frames: st.DataObject, seed: int
) -> None:
    """However many runs of a class train and valid hold; a single one stays in train, or moves there."""
    manifest = manifest_of(
        frame
        for label, counts in runs.items()
        for split, count in zip(("train", "valid"), counts, strict=True)
        for run in range(count)
        for frame in run_frames(f"{label} {split} {run}", label, split, frames.draw(st.integers(1, 6)))
    )
    if "train" not in set(manifest["published_split"]):
        return
    table = assigned(manifest, seed=seed)
    assert (table.groupby("run")["split"].nunique() == 1).all()
    total = {label: sum(counts) for label, counts in runs.items()}
    assert classes_in(table, "test") == {label for label, count in total.items() if count >= 2}
    assert classes_in(table, "train") == {label for label, count in total.items() if count >= 1}
    assert classes_in(table, "valid") >= {label for label, count in total.items() if count >= 3}
    moved_to_train = [label for label in CLASSES if not runs[label][0] and runs[label][1]]
    told = [note for note in table.attrs["notes"] if note.startswith("train had no run of")]
    assert told == (
        [f"train had no run of {', '.join(moved_to_train)}, and was given whole runs of valid."]
        if moved_to_train
        else []
    )


@settings(max_examples=60, deadline=None)
@given(data=st.data(), seed=st.integers(0, 9), without=st.sampled_from(["test", "valid"]))
def test_a_run_that_two_splits_share_does_not_fill_a_split_from_which_it_is_dropped(
    data: st.DataObject, seed: int, without: str
) -> None:
    """Each class has a run in both published splits, and some of its own."""
    other = "valid" if without == "test" else "test"
    own = {label: data.draw(st.integers(0, 4)) for label in CLASSES}
    frames = [frame for label, count in own.items() for run in range(count)
        for frame in run_frames(f"{label} {run}", label, "train", data.draw(st.integers(1, 4)))]  # fmt: skip
    frames += [frame for label in CLASSES for split in ("train", other)
        for frame in run_frames(f"{label} shared", label, split, 2)]  # fmt: skip
    table = assigned(manifest_of(frames), seed=seed)
    kept = table[without_leaks(table.assign(content=table["path"]))]
    keeps_shared = "train" if without == "test" else "test"
    assert set(kept.loc[kept["run"].str.endswith("shared"), "split"]) == {keeps_shared}
    in_train = {label: count + (keeps_shared == "train") for label, count in own.items()}
    in_test = {label for label, count in in_train.items() if count >= 2} if without == "test" else set(CLASSES)
    assert classes_in(kept, "test") == in_test
    assert classes_in(kept, "train") == {label for label, count in in_train.items() if count >= 1}
    left = {label: count - (without == "test" and label in in_test) for label, count in in_train.items()}
    assert classes_in(kept, "valid") == {label for label, count in left.items() if count >= 2}
