"""The table of welds: how many escape, and how many are falsely rejected, at several thresholds."""

import numpy as np
import pandas as pd

from weldbench.evaluation.comparison import Comparison
from weldbench.reporting.tables.notes import format_interval
from weldbench.reporting.tables.table import Table
from weldbench.trust.evidence import exact_interval
from weldbench.trust.rules import about_training, judged_welds

_THRESHOLDS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)
_SHOWN = (0.01, 0.1, 0.5, 0.9, 0.99)
NO_GOOD_CLASS = "the data has no good class: no defect can be taken for a good weld"


def welds(comparison: Comparison, vote_frames: int, confidence: float) -> Table:
    """Count the welds that escape and that are falsely rejected, for every model, vote and threshold.

    Args:
        comparison: The models.
        vote_frames: Window of the vote beside that of one frame.
        confidence: Of the intervals.
    """
    title = "What happens to welds, by the threshold"
    if not comparison.frames.has_good:
        columns = ["model", "vote_frames", "threshold", "defective", "escaped", "good", "falsely_rejected", "note"]
        return Table("welds", title, pd.DataFrame(columns=columns), pd.DataFrame({"model": [NO_GOOD_CLASS]}))
    records, rows = [], []
    for rule, found in judged_welds(comparison, vote_frames).items():
        defective, good = int(found.defective.sum()), int((~found.defective).sum())
        for threshold in _THRESHOLDS:
            escaped = int(found.escaped(threshold).sum())
            rejected = int(found.falsely_rejected(threshold).sum())
            escapes = exact_interval(escaped, defective, confidence)
            rejects = exact_interval(rejected, good, confidence)
            records.append(
                {
                    "model": rule.model,
                    "vote_frames": rule.vote_frames,
                    "threshold": threshold,
                    "defective": defective,
                    "escaped": escaped,
                    "escaped_low": escapes.low,
                    "escaped_high": escapes.high,
                    "good": good,
                    "falsely_rejected": rejected,
                    "falsely_rejected_low": rejects.low,
                    "falsely_rejected_high": rejects.high,
                    "note": _absent(defective, good),
                }
            )
            if threshold in _SHOWN:
                rows.append(
                    {
                        "model": rule.model,
                        "vote": f"{rule.vote_frames:,}",
                        "threshold": f"{threshold:g}",
                        "escaped": count_of(escaped, defective),
                        "share": "–" if np.isnan(escapes.estimate) else f"{escapes.estimate:.3f}",
                        "interval": format_interval(escapes) if defective else "–",
                        "falsely rejected": count_of(rejected, good),
                        "share of good": "–" if np.isnan(rejects.estimate) else f"{rejects.estimate:.3f}",
                        "interval of that": format_interval(rejects) if good else "–",
                    }
                )
    notes = [
        "A weld is one run. A defective weld escapes if it is not rejected in any frame that shows its defect. A good "
        "weld, a run without a defective frame, is falsely rejected if it is rejected in any frame. A frame is "
        f"rejected where 1 - P({comparison.classes[0]}) is above the threshold, by a vote over so many frames.",
        f"Intervals are exact (Clopper and Pearson), over runs, with {100 * confidence:g} % confidence.",
        about_training(comparison),
        "The CSV has more thresholds.",
    ]
    return Table("welds", title, pd.DataFrame(records), pd.DataFrame(rows), notes=notes)


def count_of(hits: int, runs: int) -> str:
    """Format a count of runs: `2 of 12`."""
    return f"{hits:,} of {runs:,}"


def _absent(defective: int, good: int) -> str:
    return "; ".join(
        told for told, count in (("no defective test run", defective), ("no good test run", good)) if not count
    )
