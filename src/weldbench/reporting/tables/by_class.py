"""Tables with one row per class: frames (Table 1) and scores (Table 2)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from weldbench.config.base import SPLITS
from weldbench.evaluation.confusion import macro, precision, recall, weighted
from weldbench.evaluation.metrics import average_precision
from weldbench.evaluation.scoring import ScoredComparison
from weldbench.evaluation.training_records import Trainings
from weldbench.reporting.tables.notes import NO_FRAMES, about_absent_classes, about_seeds, learned_from
from weldbench.reporting.tables.table import Table, format_mean_std, sample_std

_METRICS = {"precision": "precision", "recall": "recall", "f1": "F1", "average_precision": "average precision"}


def distribution(
    classes: Sequence[str],
    manifest: pd.DataFrame,
    split_tables: Mapping[int, pd.DataFrame],
    trainings: Trainings,
    notes: Sequence[str],
) -> Table:
    """Table 1: frames and runs per class in train, valid and test, as given and as used, and those learned from.

    Args:
        classes: In label order.
        manifest: All frames.
        split_tables: Per fold its split.csv.
        trainings: Of the models; those that learned from the same frames share a column.
        notes: Sentences to put below.
    """
    models_of = learned_from(trainings)
    records: list[dict[Any, Any]] = []
    for split in (name for name in SPLITS if name in set(manifest["published_split"])):
        as_given = manifest.assign(label=manifest.get("given_label", manifest["label"]))
        records += _counted("as given", split, as_given[as_given["published_split"] == split], classes)
    for fold, split_table in split_tables.items():
        used = split_table[["row", "split"]].merge(manifest[["row", "run", "label"]], on="row", how="left")
        title = "as used" if len(split_tables) == 1 else f"as used, fold {fold}"
        for split in SPLITS:
            records += _counted(title, split, used[used["split"] == split], classes)
        for what, models in models_of.items():
            lines = trainings.learned_from
            learned = lines[(lines["model"] == models[0]) & (lines["fold"] == fold)]
            title = f"learned from {what}" if len(split_tables) == 1 else f"learned from {what}, fold {fold}"
            records += learned[["class", "frames", "runs"]].assign(set=title, split="train").to_dict("records")
    data = pd.DataFrame(records)
    data["column"] = data["set"].where(data["set"].str.startswith("learned"), data["set"] + ": " + data["split"])
    data["cell"] = [
        f"{frames:,} in {runs}" if frames else "none" for frames, runs in zip(data["frames"], data["runs"], strict=True)
    ]
    shown = data.pivot(index="class", columns="column", values="cell")[data["column"].unique()]
    shown = shown.loc[[*classes, "total"]].rename_axis(columns=None).reset_index()
    learners = [f"{', '.join(models)} learned from {what}." for what, models in models_of.items()]
    notes = [
        "Frames, and the runs in which they stand. A run of several classes counts in each, and once in the total.",
        *learners,
        *notes,
    ]
    return Table(
        "distribution",
        "Table 1. Frames per class in train, valid and test",
        data[["class", "set", "split", "frames", "runs"]],
        shown,
        notes=notes,
    )


def per_class(scored: ScoredComparison) -> Table:
    """Table 2: precision, recall, F1 and average precision of every model and class, the mean over seeds."""
    comparison, support = scored.comparison, scored.support
    records, rows, never = [], [], []

    def add(model: str, name: str, frames: int, values: Mapping[str, np.ndarray]) -> None:
        absent = "never predicted" if frames else NO_FRAMES
        cells = {title: format_mean_std(values[metric], absent) for metric, title in _METRICS.items()}
        records.append(_scores(model, name, frames, values))
        rows.append({"model": model, "class": name, "test frames": f"{frames:,}", **cells})

    for model in comparison.models:
        stacks = {
            "precision": precision(scored.confusions[model]),
            "recall": recall(scored.confusions[model]),
            "f1": scored.draws[model].per_seed,
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
        f"{about_seeds(scored)} Scored on {scored.title}. F1 is that of each seed, not of the means beside it.",
        *never,
        *about_absent_classes(scored),
    ]
    title = "Table 2. Precision, recall and F1 per class"
    return Table("per_class", title, pd.DataFrame(records), pd.DataFrame(rows), notes=notes)


def _counted(title: str, split: str, frames: pd.DataFrame, classes: Sequence[str]) -> list[dict[str, Any]]:
    groups = [(name, frames[frames["label"] == name]) for name in classes] + [("total", frames)]
    return [
        {"class": name, "set": title, "split": split, "frames": len(group), "runs": group["run"].nunique()}
        for name, group in groups
    ]


def _scores(model: str, name: str, frames: int, values: Mapping[str, np.ndarray]) -> dict[str, Any]:
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
        **{f"{metric}_std": sample_std(seeds) for metric, seeds in values.items()},
        "note": note,
    }


def _in_how_many(per_seed: np.ndarray) -> str:
    never = int(np.isnan(per_seed).sum())
    return "" if never == len(per_seed) else f" in {never} of {len(per_seed)} seeds"
