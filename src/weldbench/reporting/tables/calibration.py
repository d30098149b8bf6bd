"""The table of calibration: before and after temperature scaling."""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from weldbench.config.evidence import Compare
from weldbench.evaluation.comparison import Comparison
from weldbench.evaluation.intervals import Interval
from weldbench.reporting.tables.notes import format_interval
from weldbench.reporting.tables.table import Table
from weldbench.trust.calibration import MEASURES, CalibrationIntervals, scale_by_valid

_NO_VALID = "valid has no frame"
_TITLE = "Calibration before and after temperature scaling"


def calibration(comparison: Comparison, settings: Compare, uncalibrated: Collection[str] = ()) -> Table:
    """Compare three measures of every model before and after temperature scaling on valid.

    Args:
        comparison: The models.
        settings: With the number of resamples, the confidence and the seed.
        uncalibrated: Models whose valid is no base for a choice.
    """
    records: list[dict[str, Any]] = []
    rows: list[dict[str, str]] = []
    intervals = CalibrationIntervals(comparison.frames, settings)
    for model in comparison.models:
        found = [
            scale_by_valid(test, valid)
            for test, valid in zip(comparison.test[model], comparison.valid[model], strict=True)
        ]
        after = [pair for pair in found if pair]
        if len(after) < len(found):
            records.append({"model": model, "note": _NO_VALID})
            rows.append({"model": model, "temperature": _NO_VALID})
            continue
        temperature = float(np.mean([pair[1] for pair in after]))
        doubt = " (valid holds too little)" if model in uncalibrated else ""
        for measure, title in MEASURES.items():
            told = intervals.compare(measure, comparison.test[model], [pair[0] for pair in after])
            records.append(
                {
                    "model": model,
                    "temperature": temperature,
                    "measure": measure,
                    **_ends("before", told.before),
                    **_ends("after", told.after),
                    **_ends("change", told.change),
                    "note": told.change.note,
                }
            )
            rows.append(
                {
                    "model": model,
                    "temperature": f"{temperature:.3f}{doubt}",
                    "measure": title,
                    "before": f"{told.before.estimate:.3f}",
                    "interval before": format_interval(told.before),
                    "after": f"{told.after.estimate:.3f}",
                    "interval after": format_interval(told.after),
                    "change": f"{told.change.estimate:+.3f}",
                    "interval of the change": format_interval(told.change, "+"),
                }
            )
    notes = [
        "One temperature per training (and fold) with the lowest log loss on valid (Guo et al. 2017); above 1 it makes "
        "a network less sure. It never changes a class, and no other table uses it. An export has one of its own, "
        "fitted to its graph.",
        "Lower is better. Calibration error: the expected one (ECE), 15 bins of equal width. Brier score: 0 to 2. Log "
        "loss: natural logarithm, a probability below 1e-8 counts as that. Means over seeds.",
        f"Intervals have {100 * settings.confidence:g} % confidence and reflect run-to-run and seed-to-seed variation.",
    ]
    return Table("calibration", _TITLE, pd.DataFrame(records), pd.DataFrame(rows).fillna("–"), notes=notes)


def _ends(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
