"""What others have published, with its source and what is assumed about it."""

from typing import Any

import numpy as np
import pandas as pd

from weldbench.evaluation.published import Published, Result
from weldbench.evaluation.scoring import ScoredComparison
from weldbench.evaluation.training_records import Trainings
from weldbench.reporting.tables.differences import differences
from weldbench.reporting.tables.table import Table

_MARKS = {"V": "checked", "S": "stated", "A": "assumed"}
_NONE = "–"


def published_table(
    published: Published,
    dataset: str,
    scored: ScoredComparison,
    trainings: Trainings,
    strategy: str,
    train_frames: int,
) -> Table:
    """Every published result with its source, beside our model of the same architecture and all that still differs.

    Args:
        published: The content of reference/published.yaml.
        dataset: Ours.
        scored: Our models on all test frames.
        trainings: Of our models: their settings, and the frames that each learned from.
        strategy: Our `split.strategy`.
        train_frames: Our frames in train, of the fold with the most.
    """
    results = published.with_classes(scored.comparison.classes)
    if not results:
        shown = pd.DataFrame({"published": ["no results are known that were published on these classes"]})
        return Table("published", "Published results", pd.DataFrame(columns=["who", "model", "note"]), shown)
    test_frames = len(scored.comparison.frames.labels)
    rows = []
    for result in results:
        left: list[str] = []
        if ours := result.counterpart(trainings.settings):
            frames = {"train": min(_learned_from(trainings, ours), train_frames), "test": test_frames}
            left = differences(result, dataset, strategy, trainings.settings[ours], frames)
        rows.append((result, ours, "; ".join(left)))
    data = pd.DataFrame([_record(published, scored, *row) for row in rows])
    shown = pd.DataFrame([_cells(published, scored, *row) for row in rows])
    # A column that holds nothing in any row is left out.
    data = data.loc[:, [name == "note" or not data[name].isin(["", np.nan]).all() for name in data]]
    shown = shown.loc[:, [not shown[name].isin([_NONE]).all() for name in shown]]
    others = sorted({result.dataset for result in results} - {dataset})
    notes = [f"{remark.text} ({_MARKS[remark.mark]})" for remark in published.caveats(results)]
    if all(ours is None for _, ours, _ in rows):
        notes.insert(0, "No model compared here has the architecture of a published one.")
    else:
        notes.append(f"{_NONE}: not published, or no model of that architecture is compared here.")
    if others:
        notes.insert(0, f"These were scored on {', '.join(others)}; numbers on {dataset} cannot be compared with them.")
    return Table("published", "Published results, and what is not comparable", data, shown, notes=notes)


def _record(
    published: Published, scored: ScoredComparison, result: Result, ours: str | None, left: str
) -> dict[str, Any]:
    classes = scored.comparison.classes
    return {
        "who": result.who,
        "model": result.model,
        "dataset": result.dataset,
        "macro_f1": _number(result.macro_f1),
        "accuracy": _number(result.accuracy),
        "valid_accuracy": _number(result.valid_accuracy),
        "two_class_accuracy": _number(result.two_class_accuracy),
        **{f"f1_{name}": _number(result.f1.get(name)) for name in classes},
        **{f"recall_{name}": _number(result.recall.get(name)) for name in classes},
        "train_frames": _number(result.train.frames if result.train else None),
        "test_frames": _number(result.test.frames if result.test else None),
        "our_model": ours or "",
        "our_macro_f1": _ours(scored, ours, "macro_f1"),
        "our_accuracy": _ours(scored, ours, "accuracy"),
        "differences": left,
        "source": published.sources[result.source],
        "mark": result.mark,
        "note": result.remark or "nothing more is published",
    }


def _cells(
    published: Published, scored: ScoredComparison, result: Result, ours: str | None, left: str
) -> dict[str, str]:
    quoted = {"macro F1": ("macro_f1", result.macro_f1), "accuracy": ("accuracy", result.accuracy)}
    scores = [
        f"{name} {_ours(scored, ours, metric):.3f}"
        for name, (metric, value) in quoted.items()
        if ours and value is not None
    ]
    return {
        "who": result.who,
        "model": result.model,
        "training": result.training,
        "published": _quoted(result),
        "test frames": f"{result.test.frames:,} ({_MARKS[result.test.mark]})" if result.test else _NONE,
        "ours": f"{ours}: {'; '.join(scores)}" if scores else ours or _NONE,
        "differences": left or _NONE,
        "remark": result.remark or _NONE,
        "source": f"{published.sources[result.source]} ({_MARKS[result.mark]})",
    }


def _learned_from(trainings: Trainings, model: str) -> int:
    """Count the frames that a model learned from, in the fold with the most; oversampling counts one several times."""
    learned = trainings.learned_from
    return int(learned.loc[(learned["model"] == model) & (learned["class"] == "total"), "frames"].max())


def _ours(scored: ScoredComparison, model: str | None, metric: str) -> float:
    return float(scored.metrics[model][metric].mean()) if model else np.nan


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _quoted(result: Result) -> str:
    single = {
        "macro F1": result.macro_f1,
        "accuracy": result.accuracy,
        "accuracy on valid": result.valid_accuracy,
        "accuracy of 2 classes": result.two_class_accuracy,
    }
    quoted = [f"{name} {value:g}" for name, value in single.items() if value is not None]
    for metric, per_class in (("F1", result.f1), ("recall", result.recall)):
        if per_class:
            quoted.append(f"{metric}: " + ", ".join(f"{name} {value:.2f}" for name, value in per_class.items()))
    return "; ".join(quoted)
