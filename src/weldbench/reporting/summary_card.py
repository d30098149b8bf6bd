"""The card on top of the report: which model, how good, how sure, what escapes it, how fast it is."""

from typing import NamedTuple

import pandas as pd

from weldbench.reporting.tables.table import format_p, percent
from weldbench.runtime.text import counted


class Fact(NamedTuple):
    """One line of the card: a question, its answer in a few words, and a sentence that explains it."""

    question: str
    answer: str
    explanation: str


def summary_card(
    summary: pd.DataFrame,
    pairs: pd.DataFrame,
    per_class: pd.DataFrame,
    operating_points: pd.DataFrame,
    promises: pd.DataFrame,
    cost: pd.DataFrame,
) -> list[Fact]:
    """Answer a factory's first questions about the model with the highest macro F1, from tables of these names."""
    best = leader(summary)
    facts = [
        Fact("Which model?", best["model"], _runner_up(_on_all_frames(summary), pairs, best)),
        _how_sure(best),
        *_least_recognized(per_class, best["model"]),
        *_escapes(operating_points, best["model"]),
        *_promise(promises, best["model"]),
        _cost(cost[cost["model"] == best["model"]].iloc[0]),
    ]
    return facts


def leader(summary: pd.DataFrame) -> pd.Series:
    """Return the row of the model with the highest macro F1 on all test frames."""
    everywhere = _on_all_frames(summary)
    return everywhere.iloc[everywhere["macro_f1"].argmax()]


def _on_all_frames(summary: pd.DataFrame) -> pd.DataFrame:
    first: str = summary["test_set"].iloc[0]
    return summary[summary["test_set"] == first]


def _runner_up(everywhere: pd.DataFrame, pairs: pd.DataFrame, best: pd.Series) -> str:
    others = everywhere[everywhere["model"] != best["model"]]
    if others.empty:
        return "It is the only one."
    second = others.iloc[others["macro_f1"].argmax()]
    both = pairs[pairs["first"].isin([best["model"], second["model"]])]
    p = both.loc[both["second"].isin([best["model"], second["model"]]), "p_runs"].iloc[0]
    told = f"Next comes {second['model']} with {second['macro_f1']:.3f}: "
    if pd.isna(p):
        return told + "whether it is worse cannot be tested."
    chance = "the difference is hardly chance" if p < 1 - best["confidence"] else "the difference may be chance"
    return f"{told}{chance} (p {format_p(p)}, Holm's correction)."


def _how_sure(best: pd.Series) -> Fact:
    runs = counted(best["test_runs"], "test weld")
    if pd.isna(best["macro_f1_low"]):
        return Fact(
            "How good?", f"macro F1 {best['macro_f1']:.3f}", f"How sure that is cannot be said: {best['note']}."
        )
    if isinstance(best["note"], str) and best["note"]:
        span = f"{best['macro_f1_low']:.3f} to {best['macro_f1_high']:.3f}"
        return Fact(
            "How good, and how sure?",
            f"macro F1 {best['macro_f1']:.3f}",
            f"It may as well be anything from {span}, from {runs}, and even that is {best['note']}.",
        )
    return Fact(
        "How good, and how sure?",
        f"macro F1 {best['macro_f1']:.3f}",
        f"With {percent(best['confidence'])} confidence it lies between {best['macro_f1_low']:.3f} and "
        f"{best['macro_f1_high']:.3f}, from {runs}. It is the mean over the classes; 1 would be flawless.",
    )


def _least_recognized(per_class: pd.DataFrame, model: str) -> list[Fact]:
    averages = ["macro average", "weighted average"]
    rows = per_class[(per_class["model"] == model) & ~per_class["class"].isin(averages) & (per_class["frames"] > 0)]
    if rows["recall"].isna().all():
        return []
    worst = rows.iloc[rows["recall"].argmin()]
    seen = (
        f"It recognizes {percent(worst['recall'])} of the {counted(worst['frames'], 'test frame')} of this class. "
        "A defect that it takes for another defect is rejected all the same."
    )
    return [Fact("Which class does it recognize least?", worst["class"], seen)]


def _escapes(operating_points: pd.DataFrame, model: str) -> list[Fact]:
    if "escape_rate" not in operating_points:
        return []
    rows = operating_points[(operating_points["model"] == model) & operating_points["escape_rate"].notna()]
    if rows.empty:
        return []
    row = rows.iloc[(rows["accepted_false_rejects"] - 0.01).abs().argmin()]
    allowed = percent(row["accepted_false_rejects"])
    span = (
        ""
        if pd.isna(row["escape_rate_low"])
        else (f" ({percent(row['escape_rate_low'])} to {percent(row['escape_rate_high'])})")
    )
    uncalibrated = row["calibrated"] == False  # noqa: E712 - from a CSV file
    doubt = " This threshold is uncalibrated: valid holds too little to choose it." if uncalibrated else ""
    return [
        Fact(
            "How many defects escape?",
            f"{percent(row['escape_rate'])} of defective frames{span}",
            f"That is where {allowed} of the good frames of valid may be rejected; in test, "
            f"{percent(row['test_false_rejects'])} of the good frames were.{doubt}",
        )
    ]


def _promise(promises: pd.DataFrame, model: str) -> list[Fact]:
    rows = promises[promises["model"] == model] if len(promises) else promises
    if not len(rows) or rows["promised_escape"].isna().all():
        return []
    row = rows.sort_values("falsely_rejected", kind="stable").iloc[0]
    return [
        Fact(
            "What can be promised?",
            f"at most {percent(row['promised_escape'])} of defective welds escape",
            f"With {percent(row['confidence'])} confidence, from {counted(row['defective'], 'defective weld')}, at "
            f"another threshold, named below; it rejects {row['falsely_rejected']:.0f} of "
            f"{counted(row['good'], 'good weld')}."
            f"{_more_welds(row)}",
        )
    ]


def _more_welds(row: pd.Series) -> str:
    if row["promised_escape"] <= row["wanted_escape"]:
        return ""
    return f" For {percent(row['wanted_escape'])} test needs {row['runs_needed']:,.0f} defective welds."


def _cost(row: pd.Series) -> Fact:
    return Fact(
        "How fast is it?",
        f"{row['inference_ms_alone']:.3g} ms for a frame of a camera",
        f"In batches it takes {row['inference_ms_per_frame']:.3g} ms per frame. One training took "
        f"{row['training_seconds']:,.0f} s on {row['device']}.",
    )
