"""Table 3: F1 of every model and class, what is best and how surely, and what others published."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from weldbench.confusion import macro
from weldbench.pairwise import Leaders, leaders
from weldbench.published import Published, Result
from weldbench.scoring import Scoring
from weldbench.table import Table, deviation, mean_and_deviation
from weldbench.tables_by_class import NO_FRAMES, about_absent_classes, about_narrow_intervals, about_seeds, between


def f1_table(name: str, title: str, scoring: Scoring, quoted: Sequence[Result], notes: Sequence[str]) -> Table:
    """F1 per class of every model, the macro average and its interval last, published values beside.

    Args:
        name: Of the table's files.
        title: Of the table.
        scoring: The models.
        quoted: Published results, one column each.
        notes: Sentences to put below those on the models.
    """
    classes, models = scoring.comparison.classes, scoring.comparison.models
    rows, records, bold, ties, untested = [], [], set(), [], {}
    for number, row_name in enumerate([*classes, "macro average"]):
        key = number if number < len(classes) else None
        runs = scoring.resamples.runs
        row = {"class": row_name}
        row["test frames"] = f"{int(scoring.support[number] if key is not None else scoring.support.sum()):,}"
        row["test runs"] = str(int(runs.per_class[number]) if key is not None else len(runs.names))
        row |= {model: _f1_cell(scoring, model, key) for model in models}
        row |= {heading(result): _quoted_cell(result, row_name, key) for result in quoted}
        rows.append(row)
        records += [_f1_record(scoring, model, row_name, key) for model in models]
        records += [_quoted_record(result, row_name, key) for result in quoted]
        if len(models) > 1 and (key is None or scoring.support[number]):
            leading = leaders(models, scoring.draws, scoring.resamples, key)
            _mark(rows, leading, row_name, bold, ties, untested)
    rows.append(_interval_row(scoring, quoted))
    notes = [
        f"{about_seeds(scoring)} Scored on {scoring.title}. The interval of the macro average counts other runs, "
        "and other seeds where there are several.",
        *_marks_explained(scoring, bold, ties, untested),
        *about_absent_classes(scoring),
        *about_narrow_intervals(scoring, scoring.macro_f1.values()),
        *notes,
    ]
    shown = pd.DataFrame(rows)
    return Table(name, f"{title}, {scoring.title}", pd.DataFrame(records), shown, frozenset(bold), notes)


def heading(result: Result) -> str:
    """Name the column of a published result."""
    return f"published {result.model}"


def about_published(quoted: Sequence[Result], published: Published, dataset: str) -> list[str]:
    """Say where each published result comes from, and what is not comparable."""
    if not quoted:
        return ["No results are known that were published on these classes."]
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
    return notes + [remark.text for remark in published.not_comparable]


def _interval_row(scoring: Scoring, quoted: Sequence[Result]) -> dict[str, str]:
    row = {"class": f"{100 * scoring.resamples.confidence:g} % interval", "test frames": "", "test runs": ""}
    for model, interval in scoring.macro_f1.items():
        row[model] = between(interval)
    return row | {heading(result): "not published" for result in quoted}


def _f1_cell(scoring: Scoring, model: str, key: int | None) -> str:
    per_seed = scoring.draws[model].per_seed
    if key is not None:
        return mean_and_deviation(per_seed[:, key], NO_FRAMES)
    return mean_and_deviation(macro(per_seed))


def _f1_record(scoring: Scoring, model: str, row_name: str, key: int | None) -> dict:
    draws = scoring.draws[model]
    interval = scoring.macro_f1[model] if key is None else scoring.resamples.class_interval(draws, key)
    per_seed = macro(draws.per_seed) if key is None else draws.per_seed[:, key]
    return {
        "class": row_name,
        "model": model,
        "f1": interval.estimate,
        "f1_deviation": deviation(per_seed),
        "f1_low": interval.low,
        "f1_high": interval.high,
        "note": interval.note,
    }


def _quoted_value(result: Result, row_name: str, key: int | None) -> float | None:
    return result.macro_f1 if key is None else result.f1.get(row_name)


def _quoted_cell(result: Result, row_name: str, key: int | None) -> str:
    value = _quoted_value(result, row_name, key)
    return "not published" if value is None else f"{value:.2f}"


def _quoted_record(result: Result, row_name: str, key: int | None) -> dict:
    value = _quoted_value(result, row_name, key)
    note = "not published" if value is None else f"published: {result.source}"
    return {"class": row_name, "model": heading(result), "f1": np.nan if value is None else value, "note": note}


def _mark(rows: list[dict], leading: Leaders, row_name: str, bold: set, ties: list, untested: dict) -> None:
    if leading.untested:
        untested.setdefault(leading.untested, []).append(row_name)
    elif leading.tied:
        ties.append(row_name)
        for model in (leading.best, *leading.tied):
            rows[-1][model] += " ≈"
    else:
        bold.add((len(rows) - 1, leading.best))


def _marks_explained(scoring: Scoring, bold: set, ties: list, untested: dict) -> list[str]:
    if len(scoring.comparison.models) == 1:
        return ["One model: there is no best."]
    others = "runs" if len(scoring.comparison.seeds) == 1 else "runs and seeds"
    level = 1 - scoring.resamples.confidence
    notes = [
        f"Bold: better than every other model (p over {others} below {level:.3g}, Holm's correction for a row's pairs)."
    ]
    if not bold:
        notes[0] += " No model is, in any row."
    if ties:
        notes.append("≈: these cannot be told from one another, and one of them is the best of the row.")
    return notes + [f"No test is possible ({reason}): {', '.join(names)}." for reason, names in untested.items()]
