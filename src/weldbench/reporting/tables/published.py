"""What others have published, with its source and what is assumed about it."""

import numpy as np
import pandas as pd

from weldbench.evaluation.published import Published, Result
from weldbench.evaluation.scoring import ScoredComparison
from weldbench.reporting.tables.table import Table

_MARKS = {"V": "checked", "S": "stated", "A": "assumed"}


def published_table(published: Published, dataset: str, scored: ScoredComparison) -> Table:
    """Every published result, with its source and what is assumed about it."""
    results = published.with_classes(scored.comparison.classes)
    if not results:
        shown = pd.DataFrame({"published": ["no results are known that were published on these classes"]})
        return Table("published", "Published results", pd.DataFrame(columns=["who", "model", "note"]), shown)
    data = pd.DataFrame(
        [
            {
                "who": result.who,
                "model": result.model,
                "dataset": result.dataset,
                "macro_f1": _number(result.macro_f1),
                "accuracy": _number(result.accuracy),
                "valid_accuracy": _number(result.valid_accuracy),
                "two_class_accuracy": _number(result.two_class_accuracy),
                **{f"f1_{name}": _number(result.f1.get(name)) for name in scored.comparison.classes},
                **{f"recall_{name}": _number(result.recall.get(name)) for name in scored.comparison.classes},
                "test_frames": _number(result.test.frames if result.test else None),
                "source": published.sources[result.source],
                "mark": result.mark,
                "note": result.remark or "nothing more is published",
            }
            for result in results
        ]
    )
    shown = pd.DataFrame(
        [
            {
                "who": result.who,
                "model": result.model,
                "training": result.training,
                "published": _quoted(result),
                "test frames": f"{result.test.frames:,} ({_MARKS[result.test.mark]})"
                if result.test
                else "not published",
                "remark": result.remark or "–",
                "source": f"{published.sources[result.source]} ({_MARKS[result.mark]})",
            }
            for result in results
        ]
    )
    others = sorted({result.dataset for result in results} - {dataset})
    notes = [f"{remark.text} ({_MARKS[remark.mark]})" for remark in published.not_comparable]
    if others:
        notes.insert(0, f"These were scored on {', '.join(others)}; numbers on {dataset} cannot be compared with them.")
    return Table("published", "Published results, and what is not comparable", data, shown, notes=notes)


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
