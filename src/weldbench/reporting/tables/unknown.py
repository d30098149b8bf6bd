"""The table of what exports do with frames that they have not learned."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from weldbench.config.evidence import Compare
from weldbench.evaluation.intervals import Interval
from weldbench.reporting.figures.style import save, words
from weldbench.reporting.figures.unknown import unknown_figure
from weldbench.reporting.tables.notes import format_interval
from weldbench.reporting.tables.table import Table, share
from weldbench.reporting.unknown import LEARNED, LEFT_OUT, NO_WELD, Judged, Stranger, good_welds, strangers_of

TITLE = "What the exported models do with frames that they have not learned"
CAPTION = (
    "Each exported model of {dataset} judges frames of a class that a training of it never saw, one class at a time, "
    "and frames without a weld. AUROC says how well its score for strange frames tells them from test frames that were "
    "learned: 0.5 is chance, 1 is perfect. The shares say what is decided frame by frame, without a vote."
)
FIGURE_CAPTION = (
    "The score of each frame divided by the threshold of its model: beyond the line at 1 a frame is called unknown. "
    "Each bar holds the middle 90 % of the frames, the thick part half of them, the mark is the median."
)
FIGURE_ALT = "For every kind of frame a horizontal bar of scores on a logarithmic axis, with a line at the threshold."
# A frame that was never learned and is called good may leave the factory.
FAILS_FROM = 0.1


def write_unknown(judged: Mapping[str, Judged], settings: Compare, output: Path) -> None:
    """Write unknown.csv, .md, .tex and .png into the folder `output`."""
    found = {model: list(strangers_of(one, settings)) for model, one in judged.items()}
    unknown(judged, found, settings).write(output)
    save(unknown_figure(found), output / "unknown.png")


def unknown(judged: Mapping[str, Judged], found: Mapping[str, Sequence[Stranger]], settings: Compare) -> Table:
    """Put what became of every kind of frame into one table; the notes say where a model fails."""
    records, rows = [], []
    for model, strangers in found.items():
        for one in strangers:
            records.append(
                {
                    "model": model,
                    "kind": one.kind,
                    "name": one.name,
                    "frames": one.frames,
                    "runs": one.runs,
                    **(_ends("auroc", one.auroc) if one.auroc else {}),
                    **{key: end for word, held in one.shares.items() for key, end in _ends(word, held).items()},
                    "confidence": settings.confidence,
                    "note": "; ".join(dict.fromkeys(filter(None, [one.auroc.note if one.auroc else ""]))),
                }
            )
            rows.append(
                {
                    "model": model,
                    "frames of": f"{words(one.name)} ({one.kind})",
                    "frames": f"{one.frames:,}",
                    "runs": f"{one.runs:,}",
                    "AUROC": share(one.auroc.estimate) if one.auroc else "–",
                    "interval": format_interval(one.auroc) if one.auroc else "–",
                    **{f"called {word}": f"{held.estimate:.1%}" for word, held in one.shares.items()},
                    "interval of called good": _percent_ends(one.shares["good"]),
                }
            )
    notes = [*_about(judged, found, settings)]
    return Table("unknown", TITLE, pd.DataFrame(records), pd.DataFrame(rows), notes=notes)


def _about(judged: Mapping[str, Judged], found: Mapping[str, Sequence[Stranger]], settings: Compare) -> Iterator[str]:
    for model, strangers in found.items():
        yield from about_failures(model, strangers)
        if judged[model].good_class is not None:
            yield _about_good_welds(model, judged[model], settings)
        yield from _about_training(model, judged[model])
    yield (
        "A frame is unknown where its features lie farther from every class than a threshold set on the good runs of "
        "valid (Mahalanobis distance, Lee et al. 2018); otherwise it is good or a defect by the threshold of the "
        "export for 1 % of false rejects, or the rate nearest to that."
    )
    yield (
        "A class is left out of train and valid, and the model is trained again without it; all other settings stay. "
        "Frames without a weld are made by code, and only show that what is far from any weld is found: a real "
        "mistake may lie closer."
    )
    yield (
        f"Intervals have {100 * settings.confidence:g} % confidence and reflect run-to-run variation of test, of one "
        "training each; every frame without a weld counts as a run of its own."
    )
    reasons = dict.fromkeys(
        one.auroc.too_narrow for strangers in found.values() for one in strangers if one.auroc and one.auroc.too_narrow
    )
    yield from (f"Intervals are too narrow, for {reason}." for reason in reasons)


def about_failures(model: str, strangers: Sequence[Stranger]) -> Iterator[str]:
    """Say of one model what it takes for good although it never learned it, the worst first, or that it does not."""
    strange = [one for one in strangers if one.kind != LEARNED]
    worst = sorted(strange, key=lambda one: -one.shares["good"].estimate)
    failing = [one for one in worst if one.shares["good"].estimate >= FAILS_FROM]
    for one in failing:
        held = one.shares["good"]
        told = f" ({_percent_ends(held)})" if not held.reason else ""
        yield (
            f"{model} fails on {words(one.name)} ({one.kind}): {held.estimate:.0%} of its frames are called "
            f"good{told}, {one.shares['unknown'].estimate:.0%} unknown and {one.shares['defect'].estimate:.0%} defect."
        )
    if strange and not failing:
        yield (
            f"{model} calls less than {FAILS_FROM:.0%} of the frames of each class left out and of each kind without "
            f"a weld good; the most of {words(worst[0].name)}, {worst[0].shares['good'].estimate:.1%}."
        )
    for kind, name in ((LEFT_OUT, "classes left out"), (NO_WELD, "frames without a weld")):
        of_kind = [one for one in strange if one.kind == kind]
        if of_kind:
            low = min(of_kind, key=lambda one: one.shares["unknown"].estimate)
            high = max(of_kind, key=lambda one: one.shares["unknown"].estimate)
            least, most = (f"{one.shares['unknown'].estimate:.0%}" for one in (low, high))
            found = (
                f"{least} of each kind"
                if least == most
                else f"{least} ({words(low.name)}) to {most} ({words(high.name)})"
            )
            yield f"Of {name}, {model} calls {found} unknown."


def _about_good_welds(model: str, judged: Judged, settings: Compare) -> str:
    hits, runs, interval = good_welds(judged, settings.confidence)
    if not runs:
        return f"Test has no good weld, so nothing tells how often {model} calls a frame of one unknown."
    return (
        f"{model} calls a frame unknown in {hits} of the {runs} good welds of test (exact interval "
        f"{_percent_ends(interval)}); its threshold allows {judged.facts['limit']['share']:.1%} of good welds, by "
        f"{judged.facts['limit']['runs']} runs of valid."
    )


def _about_training(model: str, judged: Judged) -> Iterator[str]:
    if judged.facts["init"] == "simulated":
        yield (
            f"The backbone of {model} learned on simulated frames of all classes, those left out here too: its "
            "numbers for classes left out are too good."
        )
    if judged.facts["simulated_frames"]:
        yield f"Without a class, {model} learned from no simulated frames."
    if not judged.facts["seconds_without"]:
        yield f"No class is left out of {model}, as it has only two."


def _ends(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _percent_ends(interval: Interval) -> str:
    return interval.note if interval.reason else f"{100 * interval.low:.1f} to {100 * interval.high:.1f} %"
