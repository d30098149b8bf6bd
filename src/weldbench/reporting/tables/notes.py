"""Sentences and cells that several tables share."""

from collections.abc import Iterable
from typing import Literal

from weldbench.evaluation.intervals import Interval
from weldbench.evaluation.scoring import ScoredComparison
from weldbench.evaluation.training_records import Trainings

NO_FRAMES = "no test frames"
_ALL = "all frames of train"
_LEARNED_FROM = {
    "none": _ALL,
    "oversample": f"{_ALL}, repeated until every class has as many as the largest",
    "class_weights": f"{_ALL}, weighted so that every class counts alike",
}


def learned_from(trainings: Trainings) -> dict[str, list[str]]:
    """Say in words which frames models learned from, and which models learned from the same ones."""
    models_of: dict[str, list[str]] = {}
    for model in trainings.settings:
        models_of.setdefault(_frames_of(trainings, model), []).append(model)
    return models_of


def _frames_of(trainings: Trainings, model: str) -> str:
    settings, learned = trainings.settings[model], trainings.learned_from
    if settings.get("balance", "none") != "undersample":
        return _LEARNED_FROM[settings.get("balance", "none")]
    largest = learned.loc[(learned["model"] == model) & (learned["class"] != "total"), "frames"].max()
    # Of a class that does not reach the cap, every frame is there.
    return _ALL if largest < settings["cap"] else f"at most {settings['cap']:,} frames of each class of train"


def about_seeds(scored: ScoredComparison) -> str:
    """Say over how many seeds the numbers are."""
    count = len(scored.comparison.seeds)
    return (
        "One seed only: no standard deviation over seeds."
        if count == 1
        else f"Mean ± standard deviation over {count} seeds."
    )


def about_absent_classes(scored: ScoredComparison) -> list[str]:
    """Name the classes without test frames, if there are any."""
    absent = [name for name, frames in zip(scored.comparison.classes, scored.support, strict=True) if not frames]
    return [f"Without test frames, and left out of averages: {', '.join(absent)}."] if absent else []


def about_selection(trainings: Trainings) -> list[str]:
    """Say which models kept their last weights, or were chosen on a valid that cannot choose; nothing of the others."""
    notes = []
    unusual = trainings.runs[(trainings.runs["selected_by"] != "valid") | (trainings.runs["valid_doubts"] != "")]
    for (by, doubts), runs in unusual.groupby(["selected_by", "valid_doubts"], sort=False):
        models = ", ".join(runs["model"].unique())
        if by == "cross-validation":
            notes.append(
                f"The penalty of the last layer was chosen by cross-validation over the runs of train ({models}). The "
                "seed decides the folds of that alone, so a standard deviation over seeds of 0 is no mistake."
            )
        elif by == "default":
            few = "too few classes of train have a second run to choose it by cross-validation"
            notes.append(f"The penalty of the last layer is a default, as {few} ({models}).")
        elif by == "valid":
            notes.append(f"Weights were chosen on valid, as select asks, but it cannot choose: {doubts} ({models}).")
        else:
            why = f"valid cannot choose: {doubts}" if doubts else "select: last asks for it"
            notes.append(f"The weights of the last epoch were kept, as {why} ({models}).")
    return notes


def format_interval(interval: Interval, sign: Literal["", "+"] = "") -> str:
    """Format the ends of an interval, each with its sign if wanted, or say why there is none."""
    if interval.reason:
        return interval.note
    return f"[{interval.low:{sign}.3f}, {interval.high:{sign}.3f}]"


def about_narrow_intervals(scored: ScoredComparison, intervals: Iterable[Interval]) -> list[str]:
    """Say why intervals of a table are too narrow, if they are."""
    reasons = dict.fromkeys(interval.too_narrow for interval in intervals if interval.too_narrow)
    return [f"Intervals on {scored.title} are too narrow, for {reason}." for reason in reasons]
