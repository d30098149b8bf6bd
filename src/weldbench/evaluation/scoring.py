"""A comparison on one set of test frames, scored once: every table and figure reads the numbers from here."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weldbench.config.evidence import Compare
from weldbench.evaluation.bootstrap import ModelDraws, Resamples
from weldbench.evaluation.comparison import Comparison, balanced_subset
from weldbench.evaluation.confusion import confusion_matrix
from weldbench.evaluation.intervals import Interval
from weldbench.evaluation.metrics import scalar_metrics
from weldbench.evaluation.published import Published


@dataclass(frozen=True)
class ScoredComparison:
    """All models on the same test frames.

    Attributes:
        title: Which frames these are, in words.
        comparison: The predictions.
        resamples: Of these frames' runs.
        draws: F1 per model in every resample.
        macro_f1: Its interval per model.
        metrics: Per model a table with a row per seed and a column per metric.
        confusions: Per model int64, shape (S, K, K).
    """

    title: str
    comparison: Comparison
    resamples: Resamples
    draws: Mapping[str, ModelDraws]
    macro_f1: Mapping[str, Interval]
    metrics: Mapping[str, pd.DataFrame]
    confusions: Mapping[str, np.ndarray]

    @property
    def support(self) -> NDArray[np.int64]:
        """Test frames per class, int64, shape (K,)."""
        frames: NDArray[np.int64] = self.resamples.runs.frames.sum(axis=0)
        return frames


def score_comparison(title: str, comparison: Comparison, settings: Compare) -> ScoredComparison:
    """Compute the metrics of every model and seed, and the resamples of F1."""
    resamples = Resamples(comparison.frames, settings.bootstrap_draws, settings.confidence, settings.seed)
    draws = {model: resamples.draw(trained) for model, trained in comparison.test.items()}
    class_count = len(comparison.classes)
    return ScoredComparison(
        title=title,
        comparison=comparison,
        resamples=resamples,
        draws=draws,
        macro_f1={model: resamples.macro_interval(drawn) for model, drawn in draws.items()},
        metrics={
            model: pd.DataFrame([scalar_metrics(frames) for frames in trained])
            for model, trained in comparison.test.items()
        },
        confusions={
            model: np.stack([confusion_matrix(frames.labels, frames.predicted, class_count) for frames in trained])
            for model, trained in comparison.test.items()
        },
    )


def score_balanced_subset(
    comparison: Comparison, settings: Compare, published: Published, dataset: str
) -> ScoredComparison:
    """Score the balanced subset of test: as many frames per class as the paper took, else at most `balanced_cap`."""
    paper = published.balanced_test(dataset)
    if paper and set(paper) == set(comparison.classes):
        wanted = [paper[name] for name in comparison.classes]
        title = "as many test frames of each class as in the paper's balanced subset"
    else:
        cap = settings.balanced_cap
        wanted = [cap] * len(comparison.classes)
        title = f"at most {cap} test frames of each class"
    chosen = balanced_subset(comparison.frames.labels, wanted)
    return score_comparison(f"{title} ({int(chosen.sum())} frames)", comparison.on(chosen), settings)
