"""Which part a frame goes to: as published, by whole runs, or at random."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from weldbench.config.data import Split
from weldbench.errors import InputError

PARTS = ("train", "valid", "test")

# Random assignments of runs to folds, of which the most even one is taken: fewer where every frame is its own run.
_TRIES = 200
_PLACEMENTS = 50_000
_TEST_SHARE_OF_VALID = 0.5


def assign_parts(manifest: pd.DataFrame, classes: list[str], settings: Split, fold: int) -> tuple[pd.Series, list[str]]:
    """Assign frames to parts by the strategy of the settings.

    The result depends on the seed and on the frames' paths, runs and labels, not on their order in the manifest.

    Args:
        manifest: The frames (docs/design.md).
        classes: In label order.
        settings: The section `split` as it holds for this dataset.
        fold: Which fold is the test part of strategy grouped; 0 for the others.

    Returns:
        Part per frame, indexed by its row, in the order of the manifest and NaN where a frame is not used; and
        sentences for the report.

    Raises:
        InputError: The strategy cannot give every class its place.
    """
    folds = settings.fold_count if settings.strategy == "grouped" else 1
    if not 0 <= fold < folds:
        raise InputError(f"there is no fold {fold}: split.strategy {settings.strategy} has the folds 0 to {folds - 1}")
    ordered = manifest.fillna({"published_part": ""}).set_index("row")
    ordered = ordered.sort_values(["path", "published_part", "sha256"], kind="stable")
    rng = np.random.default_rng(settings.seed)
    match settings.strategy:
        case "published":
            parts, notes = _published(ordered, classes, settings, rng)
        case "grouped":
            parts, notes = _grouped(_without_repeats(ordered), classes, settings, fold, rng)
        case "random":
            parts, notes = _random(_without_repeats(ordered), classes, settings, rng)
    return parts.reindex(manifest["row"].to_numpy()), notes


def _without_repeats(frames: pd.DataFrame) -> pd.DataFrame:
    """Keep one row of each frame that is published in several parts."""
    return frames.drop_duplicates(["path", "sha256"])


def _published(
    frames: pd.DataFrame, classes: list[str], settings: Split, rng: np.random.Generator
) -> tuple[pd.Series, list[str]]:
    parts = frames["published_part"].copy()
    present = set(parts)
    if "train" not in present:
        raise InputError("the data names no part train; set split.strategy to grouped, which makes the parts itself")
    notes = []
    share = 1 / settings.fold_count
    if "test" not in present:
        notes.append("The data names no test part: test was made of whole runs of valid, and of train where needed.")
        _move_runs(frames, parts, classes, ("valid", "test"), _TEST_SHARE_OF_VALID, 0, rng)
        _move_runs(frames, parts, classes, ("train", "test"), share, 1, rng)
        _move_runs(frames, parts, classes, ("train", "valid"), share, 1, rng)
    elif "valid" not in present:
        notes.append("The data names no valid part: valid was made of whole runs of train.")
        _move_runs(frames, parts, classes, ("train", "valid"), share, 1, rng)
    return parts, notes


def _move_runs(
    frames: pd.DataFrame,
    parts: pd.Series,
    classes: list[str],
    way: tuple[str, str],
    share: float,
    keep_runs: int,
    rng: np.random.Generator,
) -> None:
    """Give a part whole runs of another one, for each class that it lacks, the class with the fewest runs first.

    Args:
        frames: All frames.
        parts: Part per frame; changed in place.
        classes: In label order.
        way: From which part to which.
        share: Of the giver's frames of a class, how many the taker should get at least.
        keep_runs: Runs of each class that the giver must keep; one more from the second run on that it gives.
        rng: Chooses the runs.
    """
    giver, taker = way
    counts = _counts_by_run(frames[parts == giver], classes)
    counts = counts.iloc[rng.permutation(len(counts))]
    for label in sorted(classes, key=lambda label: ((counts[label] > 0).sum(), classes.index(label))):
        if ((parts == taker) & (frames["label"] == label)).any():
            continue
        still_wanted, moved = share * counts[label].sum(), []
        left = (counts > 0).sum()
        for run, of_run in counts[counts[label] > 0].iterrows():
            held = of_run > 0
            to_keep = keep_runs + bool(moved)
            if still_wanted > 0 and (left - held >= to_keep)[held].all():
                moved.append(run)
                still_wanted -= of_run[label]
                left -= held
        parts[frames["run"].isin(moved) & (parts == giver)] = taker
        counts = counts.drop(moved)


def _grouped(
    frames: pd.DataFrame, classes: list[str], settings: Split, fold: int, rng: np.random.Generator
) -> tuple[pd.Series, list[str]]:
    counts = _counts_by_run(frames, classes)
    folds = _even_folds(counts.to_numpy(), settings.fold_count, rng)
    _require_every_class(counts, folds, settings.fold_count)
    part_of_fold = {fold: "test", (fold + 1) % settings.fold_count: "valid"}
    part_of_run = {run: part_of_fold.get(number, "train") for run, number in zip(counts.index, folds, strict=True)}
    return frames["run"].map(part_of_run), []


def _even_folds(counts: np.ndarray, fold_count: int, rng: np.random.Generator) -> np.ndarray:
    """Assign runs to folds, each fold with nearly the same share of each class.

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
    best, best_score = np.zeros(len(counts), dtype=int), (np.inf, np.inf)
    for _ in range(min(_TRIES, 1 + _PLACEMENTS // max(1, len(counts)))):
        folds = np.zeros(len(counts), dtype=int)
        filled = np.zeros((fold_count, counts.shape[1]))
        for run in rng.permutation(len(counts)):
            growth = ((filled + shares[run]) ** 2 - filled**2).sum(axis=1)
            folds[run] = np.argmin(growth)
            filled[folds[run]] += shares[run]
        score = (int((filled == 0).sum()), float((filled**2).sum()))
        if score < best_score:
            best, best_score = folds, score
    return best


def _require_every_class(counts: pd.DataFrame, folds: np.ndarray, fold_count: int) -> None:
    present = counts.groupby(folds).sum().reindex(range(fold_count), fill_value=0) > 0
    lacking = [label for label in counts if not present[label].all()]
    if lacking:
        runs = {label: int((counts[label] > 0).sum()) for label in lacking}
        fewest = min(runs.values())
        lower = f"lower split.fold_count to {min(fewest, fold_count - 1)}, " if min(fewest, fold_count - 1) >= 3 else ""
        raise InputError(
            f"split.strategy grouped with split.fold_count {fold_count} needs {fold_count} runs of each class, apart "
            f"from those of other classes, and {', '.join(f'{label} has {count}' for label, count in runs.items())}; "
            f"{lower}take strategy published if the data names parts, or add runs"
        )


def _random(
    frames: pd.DataFrame, classes: list[str], settings: Split, rng: np.random.Generator
) -> tuple[pd.Series, list[str]]:
    parts = pd.Series("train", index=frames.index)
    for label in classes:
        rows = frames.index[frames["label"] == label].to_numpy()
        if len(rows) < len(PARTS):
            raise InputError(
                f"split.strategy random needs {len(PARTS)} frames of each class, and {label} has {len(rows)}"
            )
        rows = rng.permutation(rows)
        held_out = max(1, len(rows) // settings.fold_count)
        parts[rows[:held_out]] = "test"
        parts[rows[held_out : 2 * held_out]] = "valid"
    note = "Frames were divided at random, not by run: near copies of train frames stand in test, which flatters."
    return parts, [note]


def _counts_by_run(frames: pd.DataFrame, classes: Iterable[str]) -> pd.DataFrame:
    """Frames per run and class, runs sorted by name."""
    return pd.crosstab(frames["run"], frames["label"]).reindex(columns=list(classes), fill_value=0).sort_index()
