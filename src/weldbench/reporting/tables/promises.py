"""The table of promises: how few defective welds escape, at which threshold, and what that costs in good ones."""

from typing import Any

import numpy as np
import pandas as pd

from weldbench.config.evidence import Compare
from weldbench.evaluation.comparison import Comparison
from weldbench.reporting.tables.notes import format_interval
from weldbench.reporting.tables.table import Table, percent
from weldbench.reporting.tables.welds import NO_GOOD_CLASS, count_of
from weldbench.runtime.text import counted
from weldbench.trust.evidence import exact_interval, fewest_runs, for_one_of, lowest_promise
from weldbench.trust.guarantees import Check, Promise, best_promise, cross_checks
from weldbench.trust.rules import Rule, about_training, judged_welds
from weldbench.trust.welds import Welds

NO_DEFECTIVE = "no defective test run"
_COLUMNS = ["model", "vote_frames", "wanted_escape", "promised_escape", "confidence", "choices", "runs_needed"]
_COLUMNS += ["threshold", "defective", "escaped", "good", "falsely_rejected", "note"]
_TITLE = "What can be promised: defective welds that escape, at most"


def promises(comparison: Comparison, vote_frames: int, settings: Compare) -> Table:
    """Promise for every model and vote how few defective welds escape; all promises hold together.

    Args:
        comparison: The models.
        vote_frames: Window of the vote beside that of one frame.
        settings: With the wanted share `escape_rate` and the confidence.
    """
    if not comparison.frames.has_good:
        shown = pd.DataFrame({"model": [NO_GOOD_CLASS]})
        return Table("promises", _TITLE, pd.DataFrame(columns=_COLUMNS), shown)
    judged = judged_welds(comparison, vote_frames)
    confidence = for_one_of(settings.confidence, len(judged))
    records, rows = [], []
    for rule, welds in judged.items():
        made = best_promise(welds, settings.escape_rate, confidence)
        checks = cross_checks(welds, settings.escape_rate, confidence)
        about = {
            "wanted_escape": settings.escape_rate,
            "confidence": settings.confidence,
            "choices": len(judged),
            "runs_needed": fewest_runs(settings.escape_rate, confidence),
        }
        records.append(rule._asdict() | about | _record(welds, made, checks, settings.confidence))
        rows.append(_row(rule, welds, made, checks, settings.confidence))
    notes = [
        f"With {percent(settings.confidence)} confidence all {len(judged)} promises hold together, so that the model "
        f"and the vote may be chosen by this table (Bonferroni: each is made with {100 * confidence:.4g} %). Promise: "
        "of new defective welds that are like those of test, at most this share escapes at the threshold.",
        _about_runs(int(next(iter(judged.values())).defective.sum()), len(judged), settings),
        "All defective test runs calibrate (Learn then Test, Angelopoulos et al. 2021, with the exact binomial tail). "
        "Valid, which chose weights, does not. Good runs set no threshold, so that they tell honestly what a promise "
        "costs; the exact interval of that is for its row alone.",
        "Check: of each class the first half of the runs, by name, sets a threshold for the other half, and the other "
        "way round: what escapes in the later and in the earlier half, and in brackets what half of the runs can "
        "promise. It shows whether later welds are like earlier ones, where names are dates, and nothing else. They "
        "are not where more escape than promised, beyond chance.",
        about_training(comparison),
        "docs/trust.md says under which conditions a promise holds.",
    ]
    columns = [*_COLUMNS[:-1], *(name for name in records[0] if name not in _COLUMNS), "note"]
    return Table("promises", _TITLE, pd.DataFrame(records)[columns], pd.DataFrame(rows), notes=notes)


def _record(welds: Welds, made: Promise | None, checks: tuple[Check, ...], confidence: float) -> dict[str, Any]:
    good = int((~welds.defective).sum())
    rejected = int(welds.falsely_rejected(made.threshold).sum()) if made else 0
    interval = exact_interval(rejected, good, confidence)
    return {
        "promised_escape": made.escape if made else np.nan,
        "threshold": made.threshold if made else np.nan,
        "defective": int(welds.defective.sum()),
        "escaped": made.escaped if made else np.nan,
        "good": good,
        "falsely_rejected": rejected if made else np.nan,
        "falsely_rejected_low": interval.low if made else np.nan,
        "falsely_rejected_high": interval.high if made else np.nan,
        "check_promised_escape": max(check.promise.escape for check in checks) if checks else np.nan,
        "check_defective": sum(check.defective for check in checks),
        "check_escaped": sum(check.escaped for check in checks) if checks else np.nan,
        "check_good": sum(check.good for check in checks),
        "check_falsely_rejected": sum(check.falsely_rejected for check in checks) if checks else np.nan,
        "note": _note(welds, made, checks, confidence),
    }


def _row(
    rule: Rule, welds: Welds, made: Promise | None, checks: tuple[Check, ...], confidence: float
) -> dict[str, str]:
    row = {"model": rule.model, "vote": f"{rule.vote_frames:,}"}
    if made is None:
        return row | dict.fromkeys(
            ("promise", "threshold", "escaped in test", "good welds rejected", "interval", "check"), NO_DEFECTIVE
        )
    good, rejected = int((~welds.defective).sum()), int(welds.falsely_rejected(made.threshold).sum())
    return row | {
        "promise": f"at most {percent(made.escape)}",
        "threshold": "none: rejects all" if made.rejects_everything else f"{made.threshold:.6f}",
        "escaped in test": count_of(made.escaped, made.defective),
        "good welds rejected": count_of(rejected, good),
        "interval": format_interval(exact_interval(rejected, good, confidence)) if good else "–",
        "check": ", ".join(
            f"{count_of(check.escaped, check.defective)} ({percent(check.promise.escape)})"
            + (": more than promised" if check.contradicts(confidence) else "")
            for check in checks
        )
        or "too few runs",
    }


def _note(welds: Welds, made: Promise | None, checks: tuple[Check, ...], confidence: float) -> str:
    told = {
        NO_DEFECTIVE: made is None,
        "no good test run": bool(welds.defective.all()),
        "no check: a half has no defective run": made is not None and not checks,
        "more of a half escape than the other promised": any(check.contradicts(confidence) for check in checks),
        "kept only by rejecting every weld": made is not None and made.rejects_everything,
    }
    return "; ".join(words for words, true in told.items() if true)


def _about_runs(defective: int, choices: int, settings: Compare) -> str:
    """Say what so many runs can promise at best, and how many the wanted promise takes."""
    if not defective:
        return "Test has no defective run: nothing can be promised."
    escape, confidence = settings.escape_rate, settings.confidence
    needed, together = fewest_runs(escape, confidence), fewest_runs(escape, for_one_of(confidence, choices))
    lowest = lowest_promise(defective, confidence)
    lowest_together = lowest_promise(defective, for_one_of(confidence, choices))
    runs = counted(defective, "defective run")
    several = f" ({percent(lowest_together)} for one chosen from these {choices})" if choices > 1 else ""
    more = f" ({together:,} for one chosen from these {choices})" if choices > 1 else ""
    can = f"With {runs} nothing below {percent(lowest)} can be promised of a rule that was chosen before{several}."
    return f"{can} For {percent(escape)} at {percent(confidence)} it takes {needed:,} runs without an escape{more}."
