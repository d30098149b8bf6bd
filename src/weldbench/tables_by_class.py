"""Tables with one row per class: frames (Table 1) and scores (Table 2)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from weldbench.confusion import macro, precision, recall, weighted
from weldbench.intervals import Interval
from weldbench.metrics import average_precision
from weldbench.scoring import Scoring
from weldbench.table import Table, deviation, mean_and_deviation

PARTS = ("train", "valid", "test")
NO_FRAMES = "no test frames"
_METRICS = {"precision": "precision", "recall": "recall", "f1": "F1", "average_precision": "average precision"}


def distribution(
    classes: Sequence[str], manifest: pd.DataFrame, splits: Mapping[int, pd.DataFrame], notes: Sequence[str]
) -> Table:
    """Table 1: frames and runs per class in train, valid and test, as given and as used (of every fold)."""
    records = []
    for part in (name for name in PARTS if name in set(manifest["published_part"])):
        records += _counted("as given", part, manifest[manifest["published_part"] == part], classes)
    for fold, split in splits.items():
        used = split.merge(manifest[["row", "run", "label"]], on="row", how="left")
        title = "as used" if len(splits) == 1 else f"as used, fold {fold}"
        for part in PARTS:
            records += _counted(title, part, used[used["part"] == part], classes)
    data = pd.DataFrame(records)
    data["column"] = data["set"] + ": " + data["part"]
    data["cell"] = [f"{r.frames:,} in {r.runs}" if r.frames else "none" for r in data.itertuples()]
    shown = data.pivot(index="class", columns="column", values="cell")[data["column"].unique()]
    shown = shown.loc[[*classes, "total"]].rename_axis(columns=None).reset_index()
    notes = ["Frames, and the runs in which they stand.", *notes]
    return Table(
        "distribution",
        "Table 1. Frames per class in train, valid and test",
        data[["class", "set", "part", "frames", "runs"]],
        shown,
        notes=notes,
    )


def per_class(scoring: Scoring) -> Table:
    """Table 2: precision, recall, F1 and average precision of every model and class, the mean over seeds."""
    comparison, support = scoring.comparison, scoring.support
    records, rows, never = [], [], []

    def add(model: str, name: str, frames: int, values: Mapping[str, np.ndarray]) -> None:
        absent = "never predicted" if frames else NO_FRAMES
        cells = {title: mean_and_deviation(values[metric], absent) for metric, title in _METRICS.items()}
        records.append(_scores(model, name, frames, values))
        rows.append({"model": model, "class": name, "test frames": f"{frames:,}", **cells})

    for model in comparison.models:
        stacks = {
            "precision": precision(scoring.confusions[model]),
            "recall": recall(scoring.confusions[model]),
            "f1": scoring.draws[model].per_seed,
            "average_precision": np.stack([average_precision(frames) for frames in comparison.test[model]]),
        }
        for number, name in enumerate(comparison.classes):
            values = {metric: stack[:, number] for metric, stack in stacks.items()}
            add(model, name, support[number], values)
            if support[number] and np.isnan(values["precision"]).any():
                never.append(
                    f"{model} never predicts {name}{_in_how_many(values['precision'])}: no precision (0 in the "
                    "averages), and F1 0."
                )
        averages = {
            "macro average": {
                metric: macro(np.where(support > 0, np.nan_to_num(stack), np.nan)) for metric, stack in stacks.items()
            },
            "weighted average": {
                metric: np.array([weighted(row, support) for row in stack]) for metric, stack in stacks.items()
            },
        }
        for name, values in averages.items():
            add(model, name, support.sum(), values)
    notes = [
        f"{about_seeds(scoring)} Scored on {scoring.title}. F1 is that of each seed, not of the means beside it.",
        *never,
        *about_absent_classes(scoring),
    ]
    title = "Table 2. Precision, recall and F1 per class"
    return Table("per_class", title, pd.DataFrame(records), pd.DataFrame(rows), notes=notes)


def _counted(title: str, part: str, frames: pd.DataFrame, classes: Sequence[str]) -> list[dict]:
    groups = [(name, frames[frames["label"] == name]) for name in classes] + [("total", frames)]
    return [
        {"class": name, "set": title, "part": part, "frames": len(group), "runs": group["run"].nunique()}
        for name, group in groups
    ]


def _scores(model: str, name: str, frames: int, values: Mapping[str, np.ndarray]) -> dict:
    means = {
        metric: float(np.nanmean(seeds)) if not np.isnan(seeds).all() else np.nan for metric, seeds in values.items()
    }
    note = "" if frames else NO_FRAMES
    if frames and np.isnan(values["precision"]).any():
        note = f"never predicted{_in_how_many(values['precision'])}"
    return {
        "model": model,
        "class": name,
        "frames": int(frames),
        **means,
        **{f"{metric}_deviation": deviation(seeds) for metric, seeds in values.items()},
        "note": note,
    }


def _in_how_many(per_seed: np.ndarray) -> str:
    never = int(np.isnan(per_seed).sum())
    return "" if never == len(per_seed) else f" in {never} of {len(per_seed)} seeds"


def about_seeds(scoring: Scoring) -> str:
    """Say over how many seeds the numbers are."""
    count = len(scoring.comparison.seeds)
    return "One seed only: no deviation over seeds." if count == 1 else f"Mean ± deviation over {count} seeds."


def about_absent_classes(scoring: Scoring) -> list[str]:
    """Name the classes without test frames, if there are any."""
    absent = [name for name, frames in zip(scoring.comparison.classes, scoring.support, strict=True) if not frames]
    return [f"Without test frames, and left out of averages: {', '.join(absent)}."] if absent else []


def between(interval: Interval, sign: Literal["", "+"] = "") -> str:
    """Format the ends of an interval, each with its sign if wanted, or say why there is none."""
    if interval.reason:
        return interval.note
    return f"[{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]"


def about_narrow_intervals(scoring: Scoring, intervals: Iterable[Interval]) -> list[str]:
    """Say why intervals of a table are too narrow, if they are."""
    reasons = dict.fromkeys(interval.too_narrow for interval in intervals if interval.too_narrow)
    return [f"Intervals on {scoring.title} are too narrow, for {reason}." for reason in reasons]
