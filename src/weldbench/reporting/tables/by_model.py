"""Tables with one row per model or pair of models: summary metrics, who is better, the factory's view."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd

from weldbench.evaluation.confusion import macro
from weldbench.evaluation.intervals import Interval
from weldbench.evaluation.operating_point import OperatingPoint, operating_point
from weldbench.evaluation.scoring import ScoredComparison
from weldbench.evaluation.significance import Pair, compare_pairs
from weldbench.reporting.tables.notes import about_narrow_intervals, about_seeds, format_interval
from weldbench.reporting.tables.table import Table, format_mean_std, format_p, percent, sample_std

_UNCALIBRATED = (
    "Uncalibrated: valid lacks classes, or runs of them, so a threshold that was chosen there may reject quite another "
    "share of good frames in use. Record more runs before you set one."
)
_METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "weighted_f1": "weighted F1",
    "cohen_kappa": "Cohen's kappa",
    "matthews_correlation": "Matthews correlation",
    "expected_calibration_error": "calibration error",
    "brier_score": "Brier score",
}


def summary(comparisons: Sequence[ScoredComparison]) -> Table:
    """Single-number metrics of every model on every test set."""
    records, rows = [], []
    for scored in comparisons:
        for model in scored.comparison.models:
            interval, per_seed = scored.macro_f1[model], macro(scored.draws[model].per_seed)
            metrics = {name: scored.metrics[model][name].to_numpy() for name in _METRICS}
            records.append(
                {
                    "test_set": scored.title,
                    "model": model,
                    "macro_f1": interval.estimate,
                    "macro_f1_std": sample_std(per_seed),
                    "macro_f1_low": interval.low,
                    "macro_f1_high": interval.high,
                    **{name: float(np.mean(values)) for name, values in metrics.items()},
                    "confidence": scored.resamples.confidence,
                    "seeds": len(scored.comparison.seeds),
                    "test_frames": int(scored.support.sum()),
                    "test_runs": len(scored.resamples.runs.names),
                    "note": interval.note,
                }
            )
            rows.append(
                {
                    "test set": scored.title,
                    "model": model,
                    "macro F1": format_mean_std(per_seed),
                    "interval": format_interval(interval),
                    **{title: format_mean_std(metrics[name]) for name, title in _METRICS.items()},
                }
            )
    first = comparisons[0]
    notes = [
        about_seeds(first),
        f"Intervals of macro F1 have {100 * first.resamples.confidence:g} % confidence. They reflect run-to-run and "
        "seed-to-seed variation: runs are resampled within strata (what a run shows), and Student's t is taken on the "
        "logit scale, with the degrees of freedom of runs (minus strata) and of seeds combined after Satterthwaite.",
        *(note for scored in comparisons for note in about_narrow_intervals(scored, scored.macro_f1.values())),
        "Calibration error: the expected calibration error (ECE) over 15 bins of equal width, by the probability of "
        "the predicted class. Brier score: over all classes, 0 to 2. Of both, lower is better.",
    ]
    return Table("summary", "Every model in single numbers", pd.DataFrame(records), pd.DataFrame(rows), notes=notes)


def pairs(scored: ScoredComparison) -> Table:
    """Every two models: the difference in macro F1 with its interval, and tests over runs and over frames."""
    compared = compare_pairs(scored.comparison, scored.draws, scored.resamples)
    if not compared:
        columns = ["first", "second", "difference", "low", "high", "p_runs", "p_frames", "note"]
        shown = pd.DataFrame({"pair": ["one model only: nothing to compare"]})
        return Table("pairs", "Pairs of models", pd.DataFrame(columns=columns), shown)
    confidence = scored.resamples.confidence
    rows = [
        {
            "pair": f"{pair.first} – {pair.second}",
            "difference in macro F1": f"{pair.difference.estimate:+.3f}",
            "interval": format_interval(pair.difference, "+"),
            "p over runs": "no test possible" if pair.p_runs is None else format_p(pair.p_runs),
            "p over frames": format_p(pair.p_frames),
            "only first right": f"{pair.only_first_right:.1f}",
            "only second right": f"{pair.only_second_right:.1f}",
            "verdict": verdict(pair, confidence),
        }
        for pair in compared
    ]
    records = [
        {
            "first": pair.first,
            "second": pair.second,
            "difference": pair.difference.estimate,
            "low": pair.difference.low,
            "high": pair.difference.high,
            "p_runs": np.nan if pair.p_runs is None else pair.p_runs,
            "p_frames": pair.p_frames,
            "only_first_right": pair.only_first_right,
            "only_second_right": pair.only_second_right,
            "note": pair.difference.reason or pair.difference.too_narrow,
        }
        for pair in compared
    ]
    notes = [
        f"Scored on {scored.title}. Difference: macro F1 of the first model of a pair minus that of the second. The "
        "verdict follows p over runs.",
        "p over runs: a t test of the difference. Its standard error comes from the test runs, resampled for both "
        "models alike, and, where there are several, from the seeds of both, not paired; the degrees of freedom are "
        "Satterthwaite's.",
        "p over frames: McNemar's exact test, the largest of the seeds. It takes frames of one run for independent, "
        "which they are not, and is therefore overconfident.",
        "Both p are two-sided, with Holm's correction for all pairs. An interval is that of its pair alone, so it may "
        "exclude 0 where the verdict finds no difference.",
        "Only first right: test frames that only the first model has right, the mean over seeds.",
        *about_narrow_intervals(scored, [pair.difference for pair in compared]),
    ]
    if any(pair.p_runs is None for pair in compared):
        notes.append("No test over runs is possible where there is no interval, or one that is too narrow.")
    return Table("pairs", "Pairs of models: who is better", pd.DataFrame(records), pd.DataFrame(rows), notes=notes)


def verdict(pair: Pair, confidence: float) -> str:
    """Say in words which of two models is better, if that can be said."""
    if pair.p_runs is None:
        return "no test possible"
    if pair.p_runs >= 1 - confidence:
        return "not significantly different"
    return f"{pair.first if pair.difference.estimate > 0 else pair.second} is better"


def operating_points(
    scored: ScoredComparison, false_reject_rates: Sequence[float], uncalibrated: Collection[str] = ()
) -> Table:
    """Good against defect: ROC AUC, and the defects that escape at each accepted rate of false rejects.

    Args:
        scored: The models.
        false_reject_rates: Shares of good frames that may be rejected.
        uncalibrated: Models whose valid is no base for a threshold.
    """
    comparison, records, rows, notes, intervals = scored.comparison, [], [], [], []
    title = "The factory's view: defects that escape, by the rate of false rejects that is accepted on valid"
    if not comparison.frames.has_good:
        columns = ["model", "accepted_false_rejects", "defect_roc_auc", "note"]
        shown = pd.DataFrame({"model": ["the data has no good class: there is nothing to reject by mistake"]})
        return Table("operating_points", title, pd.DataFrame(columns=columns), shown)
    for model in comparison.models:
        auc = scored.metrics[model]["defect_roc_auc"].to_numpy()
        for rate in false_reject_rates:
            pairs_of_splits = zip(comparison.valid[model], comparison.test[model], strict=True)
            found = [operating_point(valid, test, rate) for valid, test in pairs_of_splits]
            points = [point for point in found if point]
            if len(points) < len(found):
                note = "no threshold: valid lacks good frames, or test lacks good or defective ones"
                records.append(
                    {"model": model, "accepted_false_rejects": rate, "defect_roc_auc": auc.mean(), "note": note}
                )
                rows.append({"model": model, "accepted": percent(rate), "escape rate": note})
                continue
            defective = comparison.frames.labels != 0
            interval = scored.resamples.frames_interval(np.stack([point.passed for point in points]), defective)
            intervals.append(interval)
            record = _operating_point_record(model, rate, auc, points, interval)
            row = _operating_point_row(model, rate, auc, points, interval, comparison.classes)
            if model in uncalibrated:
                row["threshold"] += " (uncalibrated)"
                notes.append(_UNCALIBRATED)
            records.append(record | {"calibrated": model not in uncalibrated})
            rows.append(row)
            if points[0].valid_good_frames * rate < 1:
                good = points[0].valid_good_frames
                notes.append(f"valid has {good} good frames, too few for {percent(rate)}: none of them is rejected.")
    notes = [
        f"A frame is rejected where 1 - P({comparison.classes[0]}) is above a threshold chosen on valid, one per seed "
        "(and fold), where it rejects the accepted share of good frames; in test it may be another share.",
        "Escape rate: share of defective test frames that pass as good. Its interval reflects run-to-run and "
        "seed-to-seed variation, with the thresholds as they are.",
        about_seeds(scored),
        *about_narrow_intervals(scored, intervals),
        *dict.fromkeys(notes),
    ]
    return Table("operating_points", title, pd.DataFrame(records), pd.DataFrame(rows).fillna("–"), notes=notes)


def _operating_point_record(
    model: str, rate: float, auc: np.ndarray, points: list[OperatingPoint], interval: Interval
) -> dict[str, Any]:
    return {
        "model": model,
        "accepted_false_rejects": rate,
        "defect_roc_auc": auc.mean(),
        "threshold": np.mean([point.threshold for point in points]),
        "threshold_std": sample_std(np.array([point.threshold for point in points])),
        "test_false_rejects": np.mean([point.false_reject_rate for point in points]),
        "test_false_rejects_std": sample_std(np.array([point.false_reject_rate for point in points])),
        "escape_rate": interval.estimate,
        "escape_rate_std": sample_std(np.array([point.escape_rate for point in points])),
        "escape_rate_low": interval.low,
        "escape_rate_high": interval.high,
        "note": "; ".join(filter(None, [interval.note, "" if len(points) > 1 else "one seed: no standard deviation"])),
    }


def _operating_point_row(
    model: str,
    rate: float,
    auc: np.ndarray,
    points: list[OperatingPoint],
    interval: Interval,
    classes: Sequence[str],
) -> dict[str, str]:
    per_class = np.mean([point.escape_rate_per_class for point in points], axis=0)
    worst = int(np.nanargmax(per_class))
    return {
        "model": model,
        "ROC AUC": format_mean_std(auc),
        "accepted": percent(rate),
        "threshold": format_mean_std(np.array([point.threshold for point in points])),
        "false rejects in test": format_mean_std(np.array([point.false_reject_rate for point in points])),
        "escape rate": format_mean_std(np.array([point.escape_rate for point in points])),
        "interval": format_interval(interval),
        "escapes most": f"{classes[worst]} ({per_class[worst]:.3f})",
    }
