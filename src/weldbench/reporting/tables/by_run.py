"""Tables over runs: each run's share of right frames, and what a majority vote over its film brings."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from weldbench.evaluation.confusion import confusion_matrix, f1, macro
from weldbench.evaluation.predictions import Predictions
from weldbench.evaluation.scoring import ScoredComparison
from weldbench.evaluation.temporal_vote import delay_frames, film_order, majority_vote, measured_delays
from weldbench.reporting.tables.notes import about_seeds
from weldbench.reporting.tables.table import Table, format_mean_std, sample_std


def runs(scored: ScoredComparison, vote_length_frames: int) -> Table:
    """The share of right frames of every test run and model, alone and after a majority vote."""
    comparison, found = scored.comparison, scored.resamples.runs
    right = {model: _shares(scored, model, 1) for model in comparison.models}
    voted = {model: _shares(scored, model, vote_length_frames) for model in comparison.models}
    order = np.lexsort((found.names, found.strata))
    films = film_order(comparison.frames)
    records, rows = [], []
    for number in order:
        shown = pd.unique(comparison.frames.labels[films[number]])
        present = " then ".join(comparison.classes[label] for label in shown)
        row = {"run": found.names[number], "class": present, "frames": f"{found.frames[number].sum():,}"}
        for model in comparison.models:
            alone, after = right[model][:, number], voted[model][:, number]
            records.append(
                {
                    "run": found.names[number],
                    "class": present,
                    "frames": int(found.frames[number].sum()),
                    "model": model,
                    "right": alone.mean(),
                    "right_std": sample_std(alone),
                    "right_after_vote": after.mean(),
                }
            )
            row[model] = f"{format_mean_std(alone)} → {after.mean():.3f}"
        rows.append(row)
    notes = [
        "The share of right frames of each run → the same after a majority vote over the last "
        f"{vote_length_frames} frames.",
        about_seeds(scored),
    ]
    return Table("runs", "Test runs, one by one", pd.DataFrame(records), pd.DataFrame(rows), notes=notes)


def temporal_vote(scored: ScoredComparison, lengths_frames: Sequence[int]) -> Table:
    """Macro F1 after a majority vote over windows of several lengths, with the delay of each."""
    comparison, records, rows = scored.comparison, [], []
    changes = 0
    for length in lengths_frames:
        row = {"window": f"{length:,}", "delay": f"{delay_frames(length):,}"}
        for model in comparison.models:
            scores, delays = [], []
            for frames in comparison.test[model]:
                voted = majority_vote(frames, length)
                scores.append(_macro_f1(frames, voted))
                delays.append(measured_delays(frames, voted))
            late = np.concatenate(delays)
            changes = max(changes, len(delays[0]))
            records.append(
                {
                    "window_frames": length,
                    "delay_frames": delay_frames(length),
                    "model": model,
                    "macro_f1": np.mean(scores),
                    "macro_f1_std": sample_std(np.array(scores)),
                    "measured_delay_frames": np.median(late) if len(late) and np.isfinite(np.median(late)) else np.nan,
                    "note": _about_delay(late),
                }
            )
            row[model] = format_mean_std(np.array(scores)) + (f" ({_about_delay(late)})" if len(late) else "")
        rows.append(row)
    notes = [
        "Window and delay in frames. The window holds the frames so far; flawless predictions answer (window - 1) / 2 "
        "frames late. A tie goes to the class of the frame itself. Macro F1 is after the vote; window 1 is no vote.",
        *_about_changes(comparison.frames, changes, lengths_frames),
        about_seeds(scored),
    ]
    title = "A weld is a film: macro F1 after a majority vote"
    return Table("temporal_vote", title, pd.DataFrame(records), pd.DataFrame(rows), notes=notes)


def _shares(scored: ScoredComparison, model: str, length_frames: int) -> np.ndarray:
    """Share of right frames after a vote, shape (S, R)."""
    found = scored.resamples.runs
    totals = found.frames.sum(axis=1)
    return np.stack(
        [
            np.bincount(found.of_frame, majority_vote(frames, length_frames) == frames.labels, len(totals)) / totals
            for frames in scored.comparison.test[model]
        ]
    )


def _about_delay(late: np.ndarray) -> str:
    if not len(late):
        return "no change of class"
    missed = int(np.isinf(late).sum())
    median = np.median(late)
    told = [f"{median:g} {'frame' if median == 1 else 'frames'}"] if np.isfinite(median) else []
    return ", ".join(told + ([f"{missed} of {len(late)} changes missed"] if missed else []))


def _about_changes(frames: Predictions, changes: int, lengths_frames: Sequence[int]) -> list[str]:
    if not changes:
        return ["No test run changes its class, so that no delay can be measured."]
    flawless = replace(frames, probabilities=np.eye(len(frames.classes))[frames.labels])
    best = ", ".join(
        f"{_macro_f1(frames, majority_vote(flawless, length)):.3f} with {length:,}" for length in lengths_frames
    )
    return [
        f"Within the test runs the true class changes {changes} times. A model's delay is the median over changes and "
        "seeds, in parentheses, from the change until the vote first says the new class; one missed counts as endless.",
        f"As a vote answers late, flawless predictions would have a macro F1 of {best} frames.",
    ]


def _macro_f1(frames: Predictions, said: np.ndarray) -> float:
    return float(macro(f1(confusion_matrix(frames.labels, said, len(frames.classes)))))
