"""Which split a frame goes to: as published, by whole runs, or at random."""

from collections.abc import Hashable, Iterable

import numpy as np
import pandas as pd

from weldbench.config.data import Split
from weldbench.errors import InputError
from weldbench.runtime.seeding import Stream, generator
from weldbench.runtime.text import counted
from weldbench.splitting.leakage import KEEPERS

# Random assignments of runs to folds, of which the most even one is taken: fewer where every frame is its own run.
_TRIES = 200
_PLACEMENTS = 50_000
_TEST_SHARE_OF_VALID = 0.5


def assign_splits(
    manifest: pd.DataFrame, classes: list[str], settings: Split, fold: int
) -> tuple[pd.Series, list[str]]:
    """Assign frames to splits by the strategy of the settings.

    The result depends on the seed and on the frames' paths, runs and labels, not on their order in the manifest.

    Args:
        manifest: The frames (docs/design.md).
        classes: In label order.
        settings: The section `split` as it holds for this dataset.
        fold: Which fold is the test split of strategy grouped; 0 for the others.

    Returns:
        Split per frame, indexed by its row, in the order of the manifest and NaN where a frame is not used; and
        sentences for the report.

    Raises:
        InputError: The strategy cannot give every class its place.
    """
    folds = settings.fold_count if settings.strategy == "grouped" else 1
    if not 0 <= fold < folds:
        raise InputError(f"there is no fold {fold}: split.strategy {settings.strategy} has the folds 0 to {folds - 1}")
    ordered = manifest.fillna({"published_split": ""}).set_index("row")
    ordered = ordered.sort_values(["path", "published_split", "sha256"], kind="stable")
    rng = generator(Stream.SPLIT, settings.seed)
    match settings.strategy:
        case "published" if (ordered["published_split"] == "").all():
            splits, notes = _grouped(_without_repeats(ordered), classes, settings, fold, rng)
            notes.insert(0, "The data comes in no splits: train, valid and test were made of whole runs.")
        case "published":
            splits, notes = _published(ordered, classes, settings, rng)
        case "grouped":
            splits, notes = _grouped(_without_repeats(ordered), classes, settings, fold, rng)
        case "random":
            splits, notes = _random(_without_repeats(ordered), classes, settings, rng)
    return splits.reindex(manifest["row"].to_numpy()), notes


def _without_repeats(frames: pd.DataFrame) -> pd.DataFrame:
    """Keep one row of each frame that is published in several splits."""
    return frames.drop_duplicates(["path", "sha256"])


def _published(
    frames: pd.DataFrame, classes: list[str], settings: Split, rng: np.random.Generator
) -> tuple[pd.Series, list[str]]:
    splits = frames["published_split"].copy()
    present = set(splits)
    if "train" not in present:
        raise InputError(
            f"the data has {' and '.join(sorted(present))}, and no train split; set split.strategy to grouped, which "
            "makes all splits itself"
        )
    notes = []
    share = 1 / settings.fold_count
    if "test" not in present:
        in_train, in_valid = (set(frames.loc[splits == split, "label"]) for split in ("train", "valid"))
        if missing := [label for label in classes if label in in_valid - in_train]:
            notes.append(f"train had no run of {', '.join(missing)}, and was given whole runs of valid.")
        _move_runs(frames, splits, classes, ("valid", "train"), share, 0, rng)
        notes.append("There is no test split: test was made of whole runs of valid, and of train where needed.")
        _move_runs(frames, splits, classes, ("valid", "test"), _TEST_SHARE_OF_VALID, 0, rng)
        _move_runs(frames, splits, classes, ("train", "test"), share, 1, rng)
        _move_runs(frames, splits, classes, ("train", "valid"), share, 1, rng)
    elif "valid" not in present:
        notes.append("There is no valid split: valid was made of whole runs of train.")
        _move_runs(frames, splits, classes, ("train", "valid"), share, 1, rng)
    return splits, notes


def _move_runs(
    frames: pd.DataFrame,
    splits: pd.Series,
    classes: list[str],
    way: tuple[str, str],
    share: float,
    keep_runs: int,
    rng: np.random.Generator,
) -> None:
    """Give a split whole runs of another one, for each class that it lacks, the class with the fewest runs first.

    A run that several splits hold stays where it is. It counts for the one that keeps it if shared runs are dropped, or
    else a class would seem to be where it is dropped afterwards.

    Args:
        frames: All frames.
        splits: Split per frame; changed in place.
        classes: In label order.
        way: From which split to which.
        share: Of the giver's frames of a class, how many the taker should get at least.
        keep_runs: Runs of each class that the giver must keep; one more from the second run on that it gives.
        rng: Chooses the runs.
    """
    giver, taker = way
    rank = splits.map({split: place for place, split in enumerate(KEEPERS)})
    lowest, highest = (rank.groupby(frames["run"]).transform(which) for which in ("min", "max"))
    kept, whole = rank == lowest, lowest == highest
    counts = _counts_by_run(frames[kept & (splits == giver)], classes)
    counts = counts.iloc[rng.permutation(len(counts))]
    movable = set(frames.loc[whole, "run"])
    for label in sorted(classes, key=lambda label: ((counts[label] > 0).sum(), classes.index(label))):
        if (kept & (splits == taker) & (frames["label"] == label)).any():
            continue
        still_wanted = share * counts[label].sum()
        moved: list[Hashable] = []
        left = (counts > 0).sum()
        for run, of_run in counts[counts[label] > 0].iterrows():
            held = of_run > 0
            to_keep = keep_runs + bool(moved)
            if run in movable and still_wanted > 0 and (left - held >= to_keep)[held].all():
                moved.append(run)
                still_wanted -= of_run[label]
                left -= held
        splits[frames["run"].isin(moved) & (splits == giver)] = taker
        counts = counts.drop(moved)


def _grouped(
    frames: pd.DataFrame, classes: list[str], settings: Split, fold: int, rng: np.random.Generator
) -> tuple[pd.Series, list[str]]:
    counts = _counts_by_run(frames, classes)
    runs = (counts > 0).sum()
    _require_two_runs(runs)
    folds = _even_folds(counts.to_numpy(), settings.fold_count, rng)
    split_of_fold = {fold: "test", (fold + 1) % settings.fold_count: "valid"}
    split_of_run = {run: split_of_fold.get(number, "train") for run, number in zip(counts.index, folds, strict=True)}
    splits = frames["run"].map(split_of_run)
    # Of a class with fewer runs than folds, these folds may be all.
    _move_runs(frames, splits, classes, ("valid", "train"), 1 / settings.fold_count, 0, rng)
    _move_runs(frames, splits, classes, ("train", "valid"), 1 / settings.fold_count, 1, rng)
    missing = runs[~runs.index.isin(frames.loc[splits == "test", "label"])]
    notes = [
        f"{label} has {counted(count, 'run')}, and split.fold_count is {settings.fold_count}: the test split of fold "
        f"{fold} has none of them."
        for label, count in missing.items()
    ]
    return splits, notes


def _even_folds(counts: np.ndarray, fold_count: int, rng: np.random.Generator) -> np.ndarray:
    """Assign runs to folds, each fold with nearly the same share of each class.

    A class with fewer runs than folds goes to the first folds, one run to each: fold 0 has every class.

    Runs are placed one by one, in random order, where the squared shares of their classes grow least. Of many such
    assignments the one that misses the fewest classes, and then is the most even, is taken. scikit-learn's
    StratifiedGroupKFold goes through the runs in one order only, so its seed changes next to nothing, and it may
    leave a class out of a fold that could have it.

    Args:
        counts: Frames per run and class, shape (runs, classes).
        fold_count: Number of folds.
        rng: Source of the orders.

    Returns:
        Fold of each run, shape (runs,).
    """
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    wanted = np.arange(fold_count)[:, None] < (counts > 0).sum(axis=0)
    best, best_score = np.zeros(len(counts), dtype=int), (np.inf, np.inf)
    for _ in range(min(_TRIES, 1 + _PLACEMENTS // max(1, len(counts)))):
        folds = np.zeros(len(counts), dtype=int)
        filled = np.zeros((fold_count, counts.shape[1]))
        for run in rng.permutation(len(counts)):
            growth = ((filled + shares[run]) ** 2 - filled**2).sum(axis=1) + ~wanted @ shares[run]
            folds[run] = np.argmin(growth)
            filled[folds[run]] += shares[run]
        score = (int(((filled == 0) & wanted).sum()), float((filled**2).sum()))
        if score < best_score:
            best, best_score = folds, score
    return best


def _require_two_runs(runs: pd.Series) -> None:
    """Refuse classes whose runs cannot be in test and in train."""
    lacking = runs[runs < 2]
    if not lacking.empty:
        raise InputError(
            "split.strategy grouped needs 2 runs of each class, one for test and one for train, and "
            f"{', '.join(f'{label} has {count}' for label, count in lacking.items())}; record more, take strategy "
            "published if the data names splits, or leave the class out of the data and of datasets.<name>.classes"
        )


def _random(
    frames: pd.DataFrame, classes: list[str], settings: Split, rng: np.random.Generator
) -> tuple[pd.Series, list[str]]:
    splits = pd.Series("train", index=frames.index)
    for label in classes:
        rows = frames.index[frames["label"] == label].to_numpy()
        if len(rows) < 2:
            raise InputError(
                "split.strategy random needs 2 frames of each class, one for test and one for train, and "
                f"{label} has {len(rows)}"
            )
        rows = rng.permutation(rows)
        held_out = max(1, len(rows) // settings.fold_count)
        splits[rows[:held_out]] = "test"
        splits[rows[held_out : min(2 * held_out, len(rows) - 1)]] = "valid"
    note = (
        "Frames were divided at random, not by run: near copies of train frames are in test, which inflates the scores."
    )
    return splits, [note]


def _counts_by_run(frames: pd.DataFrame, classes: Iterable[str]) -> pd.DataFrame:
    """Frames per run and class, runs sorted by name."""
    return pd.crosstab(frames["run"], frames["label"]).reindex(columns=list(classes), fill_value=0).sort_index()
