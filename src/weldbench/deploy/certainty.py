"""What valid and test tell of an exported graph: its temperature, its calibration, and what it can promise."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weldbench.config.evidence import Compare
from weldbench.data.dataset import Dataset
from weldbench.data.split import SplitRows
from weldbench.deploy.promise import Promise
from weldbench.evaluation.intervals import Interval
from weldbench.evaluation.predictions import Predictions
from weldbench.trust.calibration import MEASURES, CalibrationIntervals
from weldbench.trust.evidence import exact_interval, fewest_runs, for_one_of, p_value, proves
from weldbench.trust.guarantees import best_promise
from weldbench.trust.temperature import fit_temperature, scaled
from weldbench.trust.welds import Welds


def said_of(dataset: Dataset, split: SplitRows, probabilities: NDArray[np.float32]) -> Predictions:
    """Put what a graph says of the frames of a split, float32 of shape (N, K), beside what they show."""
    return Predictions(
        classes=tuple(dataset.classes),
        labels=split.labels,
        probabilities=probabilities.astype(np.float64),
        runs=dataset.manifest["run"].to_numpy(dtype=str)[split.rows],
        folds=np.zeros(len(split), np.int64),
        rows=np.asarray(split.rows, np.int64),
        has_good=dataset.good_class is not None,
    )


def temperature_of(valid: Predictions) -> float | None:
    """Fit the temperature; None where valid has no frame."""
    return fit_temperature(valid) if len(valid.labels) else None


def calibration_of(test: Predictions, temperature: float | None, settings: Compare) -> dict[str, Any]:
    """Measure on test what the temperature changes, with intervals over runs, as JSON.

    One training is measured, so no interval holds the variation between seeds.
    """
    told: dict[str, Any] = {"temperature": temperature, "confidence": settings.confidence, "test": []}
    if temperature is None or not len(test.labels):
        return told
    intervals = CalibrationIntervals(test, settings)
    after = scaled(test, temperature)
    for measure in MEASURES:
        found = intervals.compare(measure, [test], [after])
        told["test"].append(
            {
                "measure": measure,
                **{name: _ends(getattr(found, name)) for name in ("before", "after", "change")},
                "note": found.change.note,
            }
        )
    return told


def promises_of(
    said: Mapping[str, Predictions],
    unknown: NDArray[np.bool_],
    windows: Sequence[int],
    models: int,
    settings: Compare,
) -> tuple[Promise, ...]:
    """Make the promise for every window of the vote, as the report's table of promises does for every model.

    All promises of that table and these hold together, so that model and vote may be chosen by them. Defective welds
    set the threshold by what the classes alone say: where an unknown frame rejects more of them, less escapes. What it
    costs in good welds holds unknown frames.

    Args:
        said: Runtime, such as `onnxruntime` -> what the graph in float32 says there of test.
        unknown: Which of these frames are like none that the model learned from, bool, shape (N,).
        windows: In frames.
        models: How many models the report compares, this one included.
        settings: With the wanted share `escape_rate` and the confidence.

    Returns:
        Nothing where no weld of test is defective, or no class is good.
    """
    if not next(iter(said.values())).has_good:
        return ()
    confidence = for_one_of(settings.confidence, models * len(windows))
    found = []
    for window in windows:
        by_class = _weakest([Welds.of(frames, window) for frames in said.values()])
        made = best_promise(by_class, settings.escape_rate, confidence)
        if made is None:
            return ()
        with_unknown = _weakest([Welds.of(_rejecting(frames, unknown), window) for frames in said.values()])
        good, rejected = int((~by_class.defective).sum()), int(with_unknown.falsely_rejected(made.threshold).sum())
        interval = exact_interval(rejected, good, settings.confidence)
        of_escapes = p_value(np.arange(made.defective + 1), made.defective, made.escape)
        found.append(
            Promise(
                vote_frames=window,
                escape=made.escape,
                wanted_escape=settings.escape_rate,
                confidence=settings.confidence,
                choices=models * len(windows),
                threshold=None if made.rejects_everything else made.threshold,
                defective=made.defective,
                escaped=made.escaped,
                escapes_allowed=int(proves(of_escapes, confidence).sum()) - 1,
                good=good,
                falsely_rejected=rejected,
                falsely_rejected_low=interval.low if good else None,
                falsely_rejected_high=interval.high if good else None,
                runs_needed=fewest_runs(settings.escape_rate, confidence),
                runtimes=tuple(said),
            )
        )
    return tuple(found)


def _weakest(seen: Sequence[Welds]) -> Welds:
    """Take of each weld the score that speaks against the rule: runtimes differ in the last bits of a probability."""
    scores = np.stack([welds.scores for welds in seen])
    return replace(seen[0], scores=np.where(seen[0].defective, scores.min(axis=0), scores.max(axis=0)))


def _rejecting(frames: Predictions, unknown: NDArray[np.bool_]) -> Predictions:
    """Let unknown frames be above every threshold, each of which is below 1."""
    probabilities = frames.probabilities.copy()
    probabilities[unknown, 0] = 0.0
    return replace(frames, probabilities=probabilities)


def _ends(interval: Interval) -> dict[str, float | None]:
    ends = {"estimate": interval.estimate, "low": interval.low, "high": interval.high}
    return {name: None if np.isnan(value) else float(value) for name, value in ends.items()}
