"""What exports did with frames that they had not learned, read back and scored, with intervals over runs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weldbench.config.evidence import Compare
from weldbench.errors import InputError
from weldbench.evaluation.bootstrap import Resamples
from weldbench.evaluation.intervals import Interval
from weldbench.evaluation.predictions import Predictions
from weldbench.trust.evidence import exact_interval
from weldbench.trust.separation import auroc_interval

DECISIONS = ("good", "defect", "unknown")
WELD = "weld"
_COLUMNS = {"left_out", "kind", "run", "label", "strangeness", "threshold", "decision"}


@dataclass(frozen=True)
class Judged:
    """The frames that one export judged.

    Attributes:
        frames: A line each; `left_out` is the class that the training lacked, empty for the export itself.
        facts: strangers.json.
    """

    frames: pd.DataFrame
    facts: Mapping[str, Any]

    @property
    def good_class(self) -> str | None:
        """Name of the good class, or None."""
        good: str | None = self.facts["good_class"]
        return good


@dataclass(frozen=True)
class Stranger:
    """What became of one kind of frames that were not learned, or of known ones.

    Attributes:
        kind: `class left out`, `no weld` or `learned`.
        name: The class, or the kind of frame.
        frames: How many.
        runs: In how many runs; each frame without a weld is one.
        auroc: How well the score tells them from the frames of test that were learned; None for known frames.
        shares: Decision -> share of the frames.
        relative: Score of each frame by its threshold, float64.
    """

    kind: str
    name: str
    frames: int
    runs: int
    auroc: Interval | None
    shares: Mapping[str, Interval]
    relative: NDArray[np.float64]


LEFT_OUT, NO_WELD, LEARNED = "class left out", "no weld", "learned"


def read_judged(folder: Path) -> Judged:
    """Read what the stage wrote for one export.

    Raises:
        InputError: A file is missing or damaged.
    """
    try:
        text = ["left_out", "kind", "run", "label", "decision"]
        frames = pd.read_csv(folder / "frames.csv", dtype=dict.fromkeys(text, str), keep_default_na=False)
        facts = json.loads((folder / "strangers.json").read_text(encoding="utf-8"))
        if missing := _COLUMNS - set(frames.columns):
            raise ValueError(f"it lacks {', '.join(sorted(missing))}")
        if missing := {"good_class", "init", "simulated_frames", "limit", "seconds_without"} - set(facts):
            raise ValueError(f"strangers.json lacks {', '.join(sorted(missing))}")
        return Judged(frames, facts)
    except FileNotFoundError as error:
        raise InputError(f"{error.filename}: there is no such file; run `snakemake --cores all unknown`") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder}: a file of it is damaged: {error}; delete the folder and run again") from None


def strangers_of(judged: Judged, settings: Compare) -> Iterator[Stranger]:
    """Yield what became of the learned frames of test, of each class left out, and of each kind without a weld."""
    frames = judged.frames
    whole = frames[(frames["left_out"] == "") & (frames["kind"] == WELD)]
    good = whole["label"] == judged.good_class
    for name, some in (("good frames", good), ("defects", ~good)):
        if some.any():
            yield _stranger(LEARNED, name, whole, some.to_numpy(), judged, settings)
    for name in dict.fromkeys(frames.loc[frames["left_out"] != "", "left_out"]):
        without = frames[frames["left_out"] == name]
        if (strange := (without["label"] == name).to_numpy()).any():
            yield _stranger(LEFT_OUT, name, without, strange, judged, settings)
    for kind in dict.fromkeys(frames.loc[frames["kind"] != WELD, "kind"]):
        both = pd.concat([whole, frames[frames["kind"] == kind]])
        yield _stranger(NO_WELD, kind, both, (both["kind"] == kind).to_numpy(), judged, settings)


def good_welds(judged: Judged, confidence: float) -> tuple[int, int, Interval]:
    """Return how many good welds of test have a frame called unknown, of how many, and the exact interval."""
    frames = judged.frames
    whole = frames[(frames["left_out"] == "") & (frames["kind"] == WELD)]
    of_runs = whole.groupby("run").agg(
        good=("label", lambda labels: (labels == judged.good_class).all()),
        unknown=("decision", lambda decisions: (decisions == "unknown").any()),
    )
    unknown = of_runs.loc[of_runs["good"], "unknown"]
    hits, runs = int(unknown.sum()), len(unknown)
    return hits, runs, exact_interval(hits, runs, confidence)


def _stranger(
    kind: str, name: str, frames: pd.DataFrame, chosen: NDArray[np.bool_], judged: Judged, settings: Compare
) -> Stranger:
    scored = _as_predictions(frames, judged.good_class)
    resamples = Resamples(scored, settings.bootstrap_draws, settings.confidence, settings.seed)
    decisions, scores = frames["decision"].to_numpy(), frames["strangeness"].to_numpy(np.float64)
    of_chosen = frames[chosen]
    return Stranger(
        kind=kind,
        name=name,
        frames=int(chosen.sum()),
        runs=of_chosen["run"].nunique(),
        auroc=None if kind == LEARNED else auroc_interval(scored, scores, chosen, settings),
        shares={word: resamples.frames_interval((decisions == word)[None], chosen) for word in DECISIONS},
        relative=(of_chosen["strangeness"] / of_chosen["threshold"]).to_numpy(np.float64),
    )


def _as_predictions(frames: pd.DataFrame, good_class: str | None) -> Predictions:
    """Return the frames with what they show as their class, so that runs are resampled within what they show."""
    shown = frames["label"].where(frames["kind"] == WELD, frames["kind"]).to_numpy(str)
    first = [good_class] if good_class is not None else []
    classes = [*first, *(name for name in dict.fromkeys(shown.tolist()) if name != good_class)]
    number = {name: position for position, name in enumerate(classes)}
    count = len(frames)
    return Predictions(
        classes=tuple(classes),
        labels=np.array([number[name] for name in shown], np.int64),
        probabilities=np.ones((count, len(classes))) / len(classes),
        runs=frames["run"].to_numpy(str),
        folds=np.zeros(count, np.int64),
        rows=np.arange(count),
        has_good=good_class is not None,
    )
