"""What pretraining is worth: models of one architecture that start from different weights, class by class."""

from typing import Any

import numpy as np
import pandas as pd

from weldbench.evaluation.pretraining import Beginnings, Gain, beginnings, gains
from weldbench.evaluation.scoring import ScoredComparison
from weldbench.evaluation.training_records import Trainings
from weldbench.reporting.tables.differences import STARTS, other_settings
from weldbench.reporting.tables.notes import NO_FRAMES, about_narrow_intervals, format_interval
from weldbench.reporting.tables.table import Table, format_p, share
from weldbench.runtime.text import counted

NO_PAIR = "no architecture is compared with two kinds of starting weights, so nothing tells what pretraining is worth"
_COLUMNS = ["architecture", "model", "starts_from", "reference", "reference_starts_from", "class", "f1", "reference_f1"]
_COLUMNS += ["difference", "low", "high", "p", "confidence", "note"]


def pretraining(scored: ScoredComparison, trainings: Trainings) -> Table:
    """F1 of two models of one architecture that start from different weights: their difference, and how sure it is."""
    title = "What pretraining is worth: one architecture, different starting weights"
    pairs = beginnings(trainings.settings)
    if not pairs:
        shown = pd.DataFrame({"pair": [NO_PAIR]})
        return Table("pretraining", title, pd.DataFrame(columns=_COLUMNS), shown)
    found = gains(pairs, scored.draws, scored.resamples)
    rows = [
        {
            "pair": pair_words(gain.of),
            "class": _class_of(gain, scored),
            "F1 of the first": share(gain.model_f1, NO_FRAMES),
            "F1 of the second": share(gain.reference_f1, NO_FRAMES),
            "difference": NO_FRAMES if np.isnan(gain.difference.estimate) else f"{gain.difference.estimate:+.3f}",
            "interval": format_interval(gain.difference, "+"),
            "p over runs": "no test possible" if gain.p is None else format_p(gain.p),
            "verdict": _verdict(gain, scored.resamples.confidence),
        }
        for gain in found
    ]
    records = [_record(gain, scored) for gain in found]
    return Table(
        "pretraining", title, pd.DataFrame(records), pd.DataFrame(rows), notes=_notes(found, scored, trainings)
    )


def pair_words(pair: Beginnings) -> str:
    """Name two models, each with what it starts from."""
    of_model, of_reference = (STARTS.get(init, init) for init in (pair.model_init, pair.reference_init))
    return f"{pair.model} ({of_model}) – {pair.reference} ({of_reference})"


def about_other_differences(pair: Beginnings, trainings: Trainings) -> str:
    """Say what else the two models of a pair do not share, so that it counts in their difference too."""
    different = other_settings(trainings.settings[pair.model], trainings.settings[pair.reference])
    for column, words in {"frames": "frames of train", "runs": "runs of train"}.items():
        first, second = (_learned_from(trainings, model, column) for model in (pair.model, pair.reference))
        different += [f"{words} {first:,.0f} and {second:,.0f}"] if first != second else []
    kept = [_kept(trainings, model) for model in (pair.model, pair.reference)]
    different += [f"weights of {kept[0]} and of {kept[1]}"] if kept[0] != kept[1] else []
    names = f"{pair.model} and {pair.reference}"
    if not different:
        return f"By their records, {names} differ in their starting weights alone."
    return (
        f"{names} differ in more than their starting weights, and the difference counts it all: {'; '.join(different)}."
    )


def _notes(found: list[Gain], scored: ScoredComparison, trainings: Trainings) -> list[str]:
    pairs = list(dict.fromkeys(gain.of for gain in found))
    classes = "classes and pairs" if len(pairs) > 1 else "classes"
    macro = "Holm's correction for the pairs" if len(pairs) > 1 else "no correction, as it is one test"
    notes = [
        f"Scored on {scored.title}, with {counted(len(scored.comparison.seeds), 'seed')} of each model; F1 is their "
        "mean. Difference: F1 of the first model of a pair minus that of the second.",
        f"p is two-sided, over runs and, where there are several, seeds. Of macro F1: {macro}; of single classes: "
        f"Holm's correction for all {classes}. The table of pairs corrects for all pairs of models, so its p may be "
        "larger. An interval is that of its row alone, so it may exclude 0 where the verdict finds no difference.",
        *(about_other_differences(pair, trainings) for pair in pairs),
    ]
    if any("simulated" in (pair.model_init, pair.reference_init) for pair in pairs):
        notes.append(
            "A backbone that learned from simulated frames knows the simulator: where the test frames are simulated "
            "too, it gains more than it would on the frames of a camera."
        )
    notes += about_narrow_intervals(scored, [gain.difference for gain in found])
    if any(gain.p is None for gain in found):
        notes.append("No test is possible where there is no interval, or one that is too narrow.")
    return notes


def _record(gain: Gain, scored: ScoredComparison) -> dict[str, Any]:
    pair, difference = gain.of, gain.difference
    values = [pair.architecture, pair.model, STARTS.get(pair.model_init, pair.model_init)]
    values += [pair.reference, STARTS.get(pair.reference_init, pair.reference_init), _class_of(gain, scored)]
    record = dict(zip(_COLUMNS, values, strict=False))
    return record | {
        "f1": gain.model_f1,
        "reference_f1": gain.reference_f1,
        "difference": difference.estimate,
        "low": difference.low,
        "high": difference.high,
        "p": np.nan if gain.p is None else gain.p,
        "confidence": scored.resamples.confidence,
        "note": difference.reason or difference.too_narrow,
    }


def _class_of(gain: Gain, scored: ScoredComparison) -> str:
    return "macro average" if gain.number is None else scored.comparison.classes[gain.number]


def _verdict(gain: Gain, confidence: float) -> str:
    if gain.p is None:
        return "no test possible"
    if gain.p >= 1 - confidence:
        return "not significantly different"
    return f"{gain.of.model if gain.difference.estimate > 0 else gain.of.reference} is better"


def _learned_from(trainings: Trainings, model: str, column: str) -> float:
    learned = trainings.learned_from
    return float(learned.loc[(learned["model"] == model) & (learned["class"] == "total"), column].mean())


def _kept(trainings: Trainings, model: str) -> str:
    chosen = trainings.runs.loc[trainings.runs["model"] == model, "selected_by"].unique()
    words = {"valid": "the best epoch on valid", "last": "the last epoch"}
    words |= {"cross-validation": "a last layer chosen by cross-validation", "default": "a last layer by default"}
    return " or ".join(words.get(by, by) for by in chosen)
