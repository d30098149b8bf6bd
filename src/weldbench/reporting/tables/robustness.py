"""The tables of robustness: macro F1 and escapes under every change of the camera, and which mild ones are survived."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from weldbench.evaluation.intervals import Interval
from weldbench.reporting.figures.robustness import robustness_figure
from weldbench.reporting.figures.style import save
from weldbench.reporting.registry import Words
from weldbench.reporting.robustness import FALSE_REJECTS, Robustness
from weldbench.reporting.tables.table import Table, percent
from weldbench.runtime.text import counted
from weldbench.trust.camera_changes import CAMERA_CHANGES, STRENGTHS
from weldbench.trust.robustness import Effect

SURVIVED = 0.02  # loss of macro F1, of escapes and of false rejects that counts as none
MEASURES = {
    "macro_f1": "macro F1",
    "escapes": "defective frames that escape",
    "false_rejects": "good frames rejected",
    "escaped_welds": "defective welds that escape",
}

# For whoever shows them: the file's name -> its words.
ROBUSTNESS_WORDS = {
    "robustness": Words(
        "Change of macro F1 of every model on test frames of {dataset} that were changed as another lamp or another "
        "camera would, in three strengths, with the half width of its interval over runs."
    ),
    "robustness_escapes": Words(
        "Change of the share of defective frames that escape, of good frames that are rejected and of defective welds "
        "that escape, for the same frames of {dataset}, in percentage points."
    ),
    "robustness_figure": Words(
        "Loss of macro F1 of every model on {dataset} under ten changes of the camera in three strengths.",
        "A panel for each change, a line for each model from mild to strong, with intervals over runs; the table "
        "`robustness` has the numbers.",
    ),
}


def write_robustness(found: Robustness, output: Path) -> None:
    """Write robustness.csv, .md, .tex, .png and robustness_escapes.csv, .md, .tex into the folder `output`."""
    for table in (robustness(found), robustness_escapes(found)):
        replace(table, notes=[*table.notes, found.lineage]).write(output)
    save(robustness_figure(found), output / "robustness.png")


def robustness(found: Robustness) -> Table:
    """Macro F1 of every model under every change; the notes say which mild changes it survives."""
    rows = _rows(found, {"macro F1": _f1})
    before = "; ".join(f"{model} {value:.3f}" for model, value in found.before.items())
    notes = [
        *about_mild_changes(found),
        _definition(found),
        f"Cells: after the change less before, ± half of the {100 * found.confidence:g} % interval. Before, on the "
        f"same frames: {before}.",
        *_about_frames(found),
    ]
    return Table("robustness", "Macro F1 under another lamp or another camera", _data(found), rows, notes=notes)


def robustness_escapes(found: Robustness) -> Table:
    """Defects that escape and good frames that are rejected under every change."""
    measures: dict[str, Callable[[Effect], str]] = {
        "escapes": lambda effect: _points(effect.escapes),
        "false rejects": lambda effect: _points(effect.false_rejects),
        "welds": lambda effect: _points(effect.escaped_welds),
    }
    rows = _rows(found, measures)
    notes = [
        f"Cells: percentage points, after the change less before, ± half of the {100 * found.confidence:g} % interval. "
        f"The threshold rejects at most {percent(FALSE_REJECTS)} of the good frames of valid, as the camera was then.",
        "Escapes: defective frames that pass as good. Welds: defective runs of which no defective frame among those "
        "chosen is rejected. Fewer escapes are no gain where good frames are rejected instead.",
        *_about_frames(found),
    ]
    return Table("robustness_escapes", "Escapes under another lamp or another camera", _data(found), rows, notes=notes)


def about_mild_changes(found: Robustness) -> Iterator[str]:
    """Say for each model which mild changes it survives, which it does not, and which the runs are too few to tell."""
    for model, effects in found.effects.items():
        said: dict[str, list[str]] = {"survives": [], "does not survive": [], "unclear": []}
        for change in CAMERA_CHANGES:
            said[verdict(effects[change.name, STRENGTHS[0]])].append(change.name)
        parts = []
        if said["survives"]:
            parts.append(f"survives mild changes of {_list(said['survives'])}")
        if said["does not survive"]:
            parts.append(f"does not survive those of {_list(said['does not survive'])}")
        if said["unclear"]:
            parts.append(f"may or may not survive those of {_list(said['unclear'])}, as the runs are too few to tell")
        yield f"{model} {'; it '.join(parts)}."


def verdict(effect: Effect) -> str:
    """Return `survives`, `does not survive` or `unclear`, by the intervals of macro F1, escapes and false rejects."""
    losses = [_negative(effect.macro_f1), *filter(None, (effect.escapes, effect.false_rejects))]
    # Without an interval nothing differed in any run, or nothing can be known.
    if any(loss.low > SURVIVED for loss in losses if not loss.reason):
        return "does not survive"
    within = [loss.high <= SURVIVED if not loss.reason else loss.estimate == 0 for loss in losses]
    return "survives" if all(within) else "unclear"


def _negative(gain: Interval) -> Interval:
    return Interval(-gain.estimate, -gain.high, -gain.low, gain.reason, gain.too_narrow)


def _definition(found: Robustness) -> str:
    return (
        f"A model survives a change where the {100 * found.confidence:g} % intervals exclude a loss of more than "
        f"{SURVIVED:g} of macro F1, and a rise of more than {percent(SURVIVED)} of escapes and of good frames "
        "rejected, or where not one of its decisions differs. It does not survive where one of them lies beyond that "
        "as a whole. Each model and change is judged for itself, without a correction for their number."
    )


def _about_frames(found: Robustness) -> Iterator[str]:
    runs = found.judge.resamples.runs
    yield (
        f"{int(runs.frames.sum()):,} test frames of {counted(len(runs.names), 'run')}, spread over each run, changed "
        f"at the size that the camera gave them; {counted(len(found.seeds), 'seed')} of each model, first fold. "
        "Intervals reflect variation over runs and seeds; the same frames and networks before and after are paired."
    )
    yield "Sizes: " + "; ".join(
        f"{change.name} {', '.join(f'{size:g}' for size in change.sizes)} ({change.unit})" for change in CAMERA_CHANGES
    )
    if singletons := runs.about_singletons():
        yield f"Intervals are too narrow, for {singletons}."


def _rows(found: Robustness, measures: dict[str, Callable[[Effect], str]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": model,
            "change": change.name,
            **{
                f"{name}, {strength}" if len(measures) > 1 else strength: cell(effects[change.name, strength])
                for name, cell in measures.items()
                for strength in STRENGTHS
            },
        }
        for model, effects in found.effects.items()
        for change in CAMERA_CHANGES
    )


def _data(found: Robustness) -> pd.DataFrame:
    """Return one line for each model, change and strength."""
    lines = []
    for model, effects in found.effects.items():
        for change in CAMERA_CHANGES:
            for strength, size in zip(STRENGTHS, change.sizes, strict=True):
                effect = effects[change.name, strength]
                line = {"model": model, "change": change.name, "strength": strength, "size": size, "unit": change.unit}
                for name in MEASURES:
                    interval = getattr(effect, name) or Interval(np.nan, np.nan, np.nan, "no threshold")
                    line |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
                lines.append({**line, "verdict": verdict(effect), "note": effect.macro_f1.note})
    return pd.DataFrame(lines)


def _f1(effect: Effect) -> str:
    return _cell(effect.macro_f1, "{:+.3f}", "{:.3f}", 1)


def _points(interval: Interval | None) -> str:
    return "–" if interval is None else _cell(interval, "{:+.1f}", "{:.1f}", 100)


def _cell(interval: Interval, signed: str, plain: str, times: float) -> str:
    estimate = signed.format(times * interval.estimate + 0.0)
    if interval.reason:
        return estimate if interval.estimate else "0"
    half = max(interval.high - interval.estimate, interval.estimate - interval.low)
    return f"{estimate} ± {plain.format(times * half)}"


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
