"""Table 3: F1 of every model and class, what is best and how surely, and what others published."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from weldbench.evaluation.confusion import macro
from weldbench.evaluation.published import Published, Result
from weldbench.evaluation.scoring import ScoredComparison
from weldbench.evaluation.significance import Leaders, leaders
from weldbench.reporting.tables.notes import (
    NO_FRAMES,
    about_absent_classes,
    about_narrow_intervals,
    about_seeds,
    format_interval,
)
from weldbench.reporting.tables.table import Table, format_mean_std, sample_std

NOT_PUBLISHED = "–"


def f1_table(name: str, title: str, scored: ScoredComparison, quoted: Sequence[Result], notes: Sequence[str]) -> Table:
    """F1 per class of every model, the macro average and its interval last, published values beside.

    Args:
        name: Of the table's files.
        title: Of the table.
        scored: The models.
        quoted: Published results, one column each.
        notes: Sentences to put below those on the models.
    """
    classes, models = scored.comparison.classes, scored.comparison.models
    rows: list[dict[str, str]] = []
    records: list[dict[str, Any]] = []
    bold: set[tuple[int, str]] = set()
    ties: list[str] = []
    untested: dict[str, list[str]] = {}
    for number, row_name in enumerate([*classes, "macro average"]):
        key = number if number < len(classes) else None
        runs = scored.resamples.runs
        row = {"class": row_name}
        row["test frames"] = f"{int(scored.support[number] if key is not None else scored.support.sum()):,}"
        row["test runs"] = str(int(runs.per_class[number]) if key is not None else len(runs.names))
        row |= {model: _f1_cell(scored, model, key) for model in models}
        row |= {heading(result): _quoted_cell(result, row_name, key) for result in quoted}
        rows.append(row)
        records += [_f1_record(scored, model, row_name, key) for model in models]
        records += [_quoted_record(result, row_name, key) for result in quoted]
        if len(models) > 1 and (key is None or scored.support[number]):
            leading = leaders(models, scored.draws, scored.resamples, key)
            _mark(rows, leading, row_name, bold, ties, untested)
    rows.append(_interval_row(scored, quoted))
    notes = [
        f"{about_seeds(scored)} Scored on {scored.title}. The interval of the macro average reflects run-to-run "
        "and, where there are several seeds, seed-to-seed variation.",
        *_marks_explained(scored, bold, ties, untested),
        *about_absent_classes(scored),
        *about_narrow_intervals(scored, scored.macro_f1.values()),
        *([f"{NOT_PUBLISHED}: not published."] if quoted else []),
        *notes,
    ]
    shown = pd.DataFrame(rows)
    return Table(name, f"{title}, {scored.title}", pd.DataFrame(records), shown, frozenset(bold), notes)


def heading(result: Result) -> str:
    """Name the column of a published result."""
    return f"published {result.model}"


def about_published(quoted: Sequence[Result], published: Published, dataset: str) -> list[str]:
    """Say where each published result comes from, and what is not comparable."""
    if not quoted:
        return ["No results are known that quote an F1 on these classes."]
    notes = [
        f"Published {result.model}: {result.who}, on {result.dataset}; {result.training}. "
        f"Source: {published.sources[result.source]}."
        for result in quoted
    ]
    others = sorted({result.dataset for result in quoted} - {dataset})
    if others:
        notes.append(
            f"Published values were scored on {', '.join(others)}, ours on {dataset}: other data, not comparable."
        )
    return notes + [remark.text for remark in published.caveats(quoted)]


def _interval_row(scored: ScoredComparison, quoted: Sequence[Result]) -> dict[str, str]:
    row = {"class": f"{100 * scored.resamples.confidence:g} % interval", "test frames": "", "test runs": ""}
    for model, interval in scored.macro_f1.items():
        row[model] = format_interval(interval)
    return row | {heading(result): NOT_PUBLISHED for result in quoted}


def _f1_cell(scored: ScoredComparison, model: str, key: int | None) -> str:
    per_seed = scored.draws[model].per_seed
    if key is not None:
        return format_mean_std(per_seed[:, key], NO_FRAMES)
    return format_mean_std(macro(per_seed))


def _f1_record(scored: ScoredComparison, model: str, row_name: str, key: int | None) -> dict[str, Any]:
    draws = scored.draws[model]
    interval = scored.macro_f1[model] if key is None else scored.resamples.class_interval(draws, key)
    per_seed = macro(draws.per_seed) if key is None else draws.per_seed[:, key]
    return {
        "class": row_name,
        "model": model,
        "f1": interval.estimate,
        "f1_std": sample_std(per_seed),
        "f1_low": interval.low,
        "f1_high": interval.high,
        "note": interval.note,
    }


def _quoted_value(result: Result, row_name: str, key: int | None) -> float | None:
    return result.macro_f1 if key is None else result.f1.get(row_name)


def _quoted_cell(result: Result, row_name: str, key: int | None) -> str:
    value = _quoted_value(result, row_name, key)
    return NOT_PUBLISHED if value is None else f"{value:.2f}"


def _quoted_record(result: Result, row_name: str, key: int | None) -> dict[str, Any]:
    value = _quoted_value(result, row_name, key)
    note = "not published" if value is None else f"published: {result.source}"
    return {"class": row_name, "model": heading(result), "f1": np.nan if value is None else value, "note": note}


def _mark(
    rows: list[dict[str, str]],
    leading: Leaders,
    row_name: str,
    bold: set[tuple[int, str]],
    ties: list[str],
    untested: dict[str, list[str]],
) -> None:
    if leading.untested:
        untested.setdefault(leading.untested, []).append(row_name)
    elif leading.tied:
        ties.append(row_name)
        for model in (leading.best, *leading.tied):
            rows[-1][model] += " ≈"
    else:
        bold.add((len(rows) - 1, leading.best))


def _marks_explained(
    scored: ScoredComparison, bold: set[tuple[int, str]], ties: list[str], untested: dict[str, list[str]]
) -> list[str]:
    if len(scored.comparison.models) == 1:
        return ["One model: there is no best."]
    others = "runs" if len(scored.comparison.seeds) == 1 else "runs and seeds"
    level = 1 - scored.resamples.confidence
    notes = [
        f"Bold: better than every other model (p over {others} below {level:.3g}, Holm's correction for a row's pairs)."
    ]
    if not bold:
        notes[0] += " No model is, in any row."
    if ties:
        notes.append(
            "≈: the best of the row, and those not significantly different from it. That does not make them equal: "
            "with few runs, a test finds only large differences."
        )
    return notes + [f"No test is possible ({reason}): {', '.join(names)}." for reason, names in untested.items()]
