"""The stage split: train, valid and test, and the audit of what they share."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from weldbench.config.base import SPLITS
from weldbench.config.data import Split
from weldbench.errors import InputError
from weldbench.runtime.text import counted, some
from weldbench.splitting.corrections import apply_corrections, audit_of, notes_on_corrections
from weldbench.splitting.leakage import find_leaks, probable_recordings, without_leaks
from weldbench.splitting.perceptual_hash import fingerprints
from weldbench.splitting.recordings import recordings
from weldbench.splitting.run_pattern import joining_pattern
from weldbench.splitting.strategies import assign_splits
from weldbench.splitting.sufficiency import notes_on_sufficiency

_RUNS_NAMED = 3  # in a sentence; audit.json lists more


def split_dataset(
    manifest: pd.DataFrame, frames: np.ndarray, classes: list[str], settings: Split, fold: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Divide frames into train, valid and test, and audit the splits.

    Args:
        manifest: The frames (docs/design.md).
        frames: uint8, shape (N, height, width), in the order of the manifest's rows.
        classes: In label order.
        settings: The section `split` as it holds for this dataset.
        fold: Of strategy grouped; 0 for the others.

    Returns:
        The table of split.csv, with a column `label` where labels are corrected, and the content of audit.json.

    Raises:
        InputError: The strategy cannot give every class its place, splits share frames with on_leak: fail, a split is
            left without frames, or the corrections of labels are not about these frames.
    """
    corrected = apply_corrections(manifest, classes, Path(settings.corrections)) if settings.corrections else None
    if corrected:
        manifest = corrected.manifest
    splits, notes = assign_splits(manifest, classes, settings, fold)
    # Ordered by what the frames are, not by their rows, so that a random choice does not depend on these.
    used = (
        manifest.assign(split=splits.to_numpy())
        .dropna(subset="split")
        .sort_values(["path", "published_split", "sha256"])
    )
    contents, perceptual = fingerprints(frames)
    leaks = find_leaks(used.assign(content=contents[used["row"]]), perceptual[used["row"]])
    kept, notes_on_leaks = _resolve(used.assign(content=contents[used["row"]]), leaks, settings)
    dropped = used.drop(kept.index)
    probable, notes_on_recordings = _probably_one_recording(kept, manifest, settings)
    notes_on_classes = _notes_on_empty_classes(kept, classes, _advice(settings, leaks, some_dropped=not dropped.empty))
    notes_on_classes += _notes_on_too_few(kept, manifest, classes, settings)
    audit: dict[str, Any] = {
        "strategy": settings.strategy,
        "fold": fold,
        "seed": settings.seed,
        "on_leak": settings.on_leak,
        "before": _counts(used, classes),
        "dropped": _counts(dropped, classes),
        "after": _counts(kept, classes),
        "runs": {split: int(kept.loc[kept["split"] == split, "run"].nunique()) for split in SPLITS},
        "runs_per_class": _counts(kept.drop_duplicates(["split", "label", "run"]), classes),
        "leaks": leaks,
        "probably_one_recording": probable,
        "notes": [*notes_on_recordings, *notes, *notes_on_leaks, *notes_on_classes],
    }
    table = _table(kept)
    if corrected and settings.corrections:
        effect, path = corrected.effect(kept), Path(settings.corrections)
        audit["corrections"] = audit_of(path, effect)
        audit["notes"] += notes_on_corrections(path, effect)
        table["label"] = corrected.labels_for(table["row"])
    return table, audit


def _resolve(used: pd.DataFrame, leaks: dict[str, Any], settings: Split) -> tuple[pd.DataFrame, list[str]]:
    """Apply on_leak; return the frames that stay, and sentences for the report."""
    found = _described(leaks)
    notes = []
    if leaks["near_identical_frames"]["pairs"]:
        notes.append(
            f"Of the frames as given, {_frames_of(leaks['near_identical_frames'])} look like copies of frames of "
            "another run in another split; none was dropped for that, as runs may look alike by chance. audit.json "
            "lists them."
        )
    if not found:
        return used, notes
    if settings.on_leak == "fail":
        raise InputError(
            f"the splits share {found}; set split.on_leak to drop, or split.strategy to grouped, "
            "which divides the data by whole runs"
        )
    if settings.on_leak == "warn" or settings.strategy == "random":
        return used, [*notes, f"The splits share {found}. Nothing was dropped."]
    kept = used[without_leaks(used)]
    dropped = used.drop(kept.index)["split"].value_counts()
    frames = " and ".join(f"{counted(count, 'frame')} of {split}" for split, count in dropped.items())
    return kept, [*notes, f"The splits as given share {found}. Dropped: {frames}; test kept all of its frames."]


def _probably_one_recording(
    kept: pd.DataFrame, manifest: pd.DataFrame, settings: Split
) -> tuple[dict[str, Any], list[str]]:
    """Look for different runs of one recording in two splits; return what audit.json says, and sentences.

    Names only make it probable, so nothing is dropped for it and on_leak: fail does not fail. The sentence comes before
    all others, and says what makes one run of them: then on_leak applies.
    """
    names = recordings(manifest["run"])
    found = probable_recordings(kept, names)
    # A random split parts runs anyway, and says so.
    if not found["recordings"] or settings.strategy == "random":
        return found | {"run_pattern": None}, []
    pattern = joining_pattern(manifest, names)
    first = [f"{run!r} ({' and '.join(frames)})" for run, frames in found["listed"][0]["runs"].items()]
    others = found["recordings"] - 1
    more = f", and so are the runs of {counted(others, 'more recording')}" if others else ""
    quoted = (pattern or "").replace("'", "''")
    advice = (
        f"set datasets.<name>.run_pattern to '{quoted}', which makes one run of each recording"
        if pattern
        else "give all frames of a recording one run folder"
    )
    return found | {"run_pattern": pattern}, [
        f"By their names, {first[0]} and {some(first[1:])} are probably one recording{more} ({_frames_of(found)}). "
        "Frames of one recording are near copies, which inflates the scores. Nothing was dropped, as names may "
        f"mislead. If it is so, {advice}."
    ]


def _described(leaks: dict[str, Any]) -> str:
    """Say what splits share beyond doubt; empty if nothing."""
    runs, identical = leaks["shared_runs"], leaks["identical_frames"]
    found = []
    if runs["runs"]:
        names = ", ".join(repr(entry["run"]) for entry in runs["listed"][:_RUNS_NAMED])
        more = "" if runs["runs"] <= _RUNS_NAMED else ", ..."
        found.append(f"{counted(runs['runs'], 'run')} ({names}{more}; {_frames_of(runs)})")
    if identical["pairs"]:
        found.append(f"{counted(identical['pairs'], 'pair')} of identical frames ({_frames_of(identical)})")
    return " and ".join(found)


def _frames_of(leak: dict[str, Any]) -> str:
    return ", ".join(f"{counted(count, 'frame')} of {split}" for split, count in leak["frames"].items())


def _advice(settings: Split, leaks: dict[str, Any], some_dropped: bool) -> str:
    """Say what fills a split that is left without frames, or without those of a class."""
    steps = [] if settings.strategy == "grouped" else ["set split.strategy to grouped"]
    if settings.strategy == "grouped" and settings.fold_count > len(SPLITS):
        steps.append(f"lower split.fold_count to {len(SPLITS)}")
    if some_dropped:
        steps += ["take copies out of the data", "set split.on_leak to warn"]
    if some_dropped and leaks["shared_runs"]["runs"]:
        steps.append("give each run a folder name of its own, as folders of one name are taken for one run")
    advice = ", or ".join([*steps, "add runs"])
    return f"{advice} (the splits share {_described(leaks)})" if some_dropped else advice


def _notes_on_empty_classes(kept: pd.DataFrame, classes: list[str], advice: str) -> list[str]:
    """Refuse an empty split and a class that nobody can learn; note the classes that valid or test lack."""
    notes = []
    for split, counts in _counts(kept, classes).items():
        missing = [label for label, count in counts.items() if count == 0]
        if len(missing) == len(classes):
            raise InputError(f"no frame is left in {split}; {advice}")
        if missing and split == "train":
            raise InputError(
                f"train holds no frame of {', '.join(missing)}, so no model can learn it; "
                f"{advice}, or leave the class out of the data and of datasets.<name>.classes"
            )
        if missing:
            consequence = "model selection averages" if split == "valid" else "the scores average"
            notes.append(
                f"{split} holds no frame of {', '.join(missing)}: {consequence} over the classes that are present."
            )
    return notes


def _notes_on_too_few(kept: pd.DataFrame, manifest: pd.DataFrame, classes: list[str], settings: Split) -> list[str]:
    """Say which classes have too few runs."""
    published = set(manifest["published_split"].dropna()) if settings.strategy == "published" else set()
    return notes_on_sufficiency(
        kept,
        classes,
        as_published=published if published.issuperset(SPLITS) else published & {"test"},
        # A random split shares the frames of every run out to all splits.
        fold_count=1 if settings.strategy == "random" else settings.fold_count,
        one_of_folds=settings.strategy == "grouped",
    )


def _table(kept: pd.DataFrame) -> pd.DataFrame:
    """Return the table of split.csv: columns row and split; train first, then valid, then test."""
    rows = kept[["row", "split"]].assign(split=pd.Categorical(kept["split"], SPLITS))
    return rows.sort_values(["split", "row"], ignore_index=True)


def _counts(frames: pd.DataFrame, classes: list[str]) -> dict[str, dict[str, int]]:
    """Split -> class -> number of lines; all splits and classes are named."""
    pairs = frames.groupby([frames["split"].astype(str), "label"]).size()
    return {split: {label: int(pairs.get((split, label), 0)) for label in classes} for split in SPLITS}
