"""The learning curve over the number of training runs as a table, and how many labeled runs pretraining saves."""

from pathlib import Path

import numpy as np
import pandas as pd

from weldbench.evaluation.confusion import macro
from weldbench.evaluation.pretraining import Beginnings, beginnings, runs_to_reach
from weldbench.reporting.figures.learning_curve import learning_curve_figure
from weldbench.reporting.figures.style import save
from weldbench.reporting.learning_curve import LearningCurve
from weldbench.reporting.tables.differences import STARTS, other_settings
from weldbench.reporting.tables.notes import format_interval
from weldbench.reporting.tables.table import Table, format_mean_std, sample_std
from weldbench.runtime.text import counted


def write_curve(curve: LearningCurve, output: Path) -> None:
    """Write learning_curve.csv, .md, .tex and .png into the folder `output`."""
    learning_curve(curve).write(output)
    save(learning_curve_figure(curve), output / "learning_curve.png")


def learning_curve(curve: LearningCurve) -> Table:
    """Macro F1 of every model by the number of runs that it learned from; the notes say what pretraining saves."""
    records, rows = [], []
    for point in curve.points:
        interval, per_seed = point.macro_f1, macro(point.draws.per_seed)
        one_seed = "" if len(per_seed) > 1 else "one seed: no standard deviation"
        records.append(
            {
                "model": point.model,
                "share": point.share,
                "train_runs": point.amount.runs,
                "train_frames": point.amount.frames,
                "steps": point.amount.steps,
                "macro_f1": interval.estimate,
                "macro_f1_std": sample_std(per_seed),
                "macro_f1_low": interval.low,
                "macro_f1_high": interval.high,
                "confidence": curve.resamples.confidence,
                "seeds": len(per_seed),
                "note": "; ".join(filter(None, [interval.note, one_seed])),
            }
        )
        rows.append(
            {
                "model": point.model,
                "share of train": f"{point.share:g}",
                "training runs": f"{point.amount.runs:g}",
                "training frames": f"{point.amount.frames:,.0f}",
                "steps": f"{point.amount.steps:,.0f}",
                "macro F1": format_mean_std(per_seed),
                "interval": format_interval(interval),
            }
        )
    title = "Learning curve: macro F1 on test by the number of runs to learn from"
    return Table("learning_curve", title, pd.DataFrame(records), pd.DataFrame(rows), notes=_notes(curve))


def about_saved_runs(curve: LearningCurve) -> list[str]:
    """Say with how many runs each model reaches what its architecture reaches with all runs from other weights."""
    pairs = beginnings(curve.settings)
    if not pairs:
        return ["No architecture has two kinds of starting weights here, so nothing tells how many runs these save."]
    return [_saved(curve, pair) for pair in pairs]


def _saved(curve: LearningCurve, pair: Beginnings) -> str:
    points, reference = curve.of(pair.model), curve.of(pair.reference)[-1]
    needed = runs_to_reach([(point.amount.runs, point.draws) for point in points], reference.draws, curve.resamples)
    start, other = (STARTS.get(init, init) for init in (pair.model_init, pair.reference_init))
    goal = f"what {reference.amount.runs:g} runs reach from {other} (macro F1 {reference.macro_f1.estimate:.3f})"
    reach = f"do not reach {goal}" if needed.runs == np.inf else f"reach {goal}"
    tried = points[0].amount.runs, points[-1].amount.runs
    count = f"{tried[1]:g}" if needed.runs == np.inf else _number(needed.runs, tried)
    if np.isnan(needed.low):
        interval = needed.note
    else:
        ends = dict.fromkeys(_number(end, tried) for end in (needed.low, needed.high))
        interval = f"{100 * curve.resamples.confidence:g} % interval {' to '.join(ends)} runs"
        interval += f", {needed.note}" if needed.note else ""
    return f"With a start from {start}, {count} runs {reach}; {interval}: {pair.model} against {pair.reference}."


def _number(runs: float, tried: tuple[float, float]) -> str:
    """Say a number of runs; what lies outside of the numbers that were tried is only bounded."""
    if runs == np.inf:
        return f"more than {tried[1]:g}"
    return f"{runs:g} or fewer" if runs == tried[0] else f"{runs:.3g}"


def _notes(curve: LearningCurve) -> list[str]:
    seeds = counted(len(curve.points[0].draws.per_seed), "seed")
    pairs = beginnings(curve.settings)
    notes = [
        *about_saved_runs(curve),
        *(_about_other_settings(curve, pair) for pair in pairs),
        f"Scored on all {int(curve.resamples.runs.frames.sum()):,} test frames, those of the comparison, with {seeds} "
        "of each model. Intervals reflect run-to-run variation of test and, where there are several seeds, that of "
        "seeds.",
        "The runs to learn from were chosen once, at random by class; those of a smaller share are among those of a "
        "larger one. Other runs would give other scores, which no interval counts.",
        f"Valid, {counted(curve.valid_runs, 'run')}, is the same for every share; its runs are not counted.",
        "The settings of a model are the same for every share: with fewer frames a training has fewer steps, down to "
        "min_steps.",
    ]
    if pairs:
        notes.insert(
            len(pairs),
            "Numbers of runs are interpolated along the logarithm of those that were tried. Their interval holds the "
            "numbers at which the two models do not differ significantly.",
        )
    return [*notes, *_about_same_runs(curve), *_about_narrow_intervals(curve)]


def _about_other_settings(curve: LearningCurve, pair: Beginnings) -> str:
    different = other_settings(curve.settings[pair.model], curve.settings[pair.reference])
    names = f"{pair.model} and {pair.reference}"
    if not different:
        return f"By their records, {names} differ in their starting weights alone."
    return f"{names} differ in more than their starting weights, which counts too: {'; '.join(different)}."


def _about_same_runs(curve: LearningCurve) -> list[str]:
    """Say which shares are the same runs, as each class keeps one at least."""
    shares: dict[float, list[str]] = {}
    for point in curve.points:
        if point.model == curve.points[0].model:
            shares.setdefault(point.amount.runs, []).append(f"{point.share:g}")
    return [
        f"The shares {' and '.join(same)} are the same {runs:g} runs, as every class keeps one at least."
        for runs, same in shares.items()
        if len(same) > 1
    ]


def _about_narrow_intervals(curve: LearningCurve) -> list[str]:
    reasons = dict.fromkeys(point.macro_f1.too_narrow for point in curve.points if point.macro_f1.too_narrow)
    return [f"Intervals are too narrow, for {reason}." for reason in reasons]
