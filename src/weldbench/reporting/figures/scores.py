"""Figures of scores: macro F1 with its uncertainty, confusion, calibration, precision and recall."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import ColorType
from sklearn.metrics import precision_recall_curve

from weldbench.evaluation.confusion import macro
from weldbench.evaluation.metrics import calibration_bins
from weldbench.evaluation.predictions import Predictions, concatenate
from weldbench.evaluation.published import Published
from weldbench.evaluation.scoring import ScoredComparison
from weldbench.reporting.figures.style import (
    MARKERS,
    MUTED,
    SEQUENTIAL,
    colors,
    interval_line,
    new_figure,
    words,
    wrapped,
)


def macro_f1(
    comparisons: list[ScoredComparison], published: Published, settings: Mapping[str, Mapping[str, Any]] | None = None
) -> Figure:
    """Draw macro F1 of every model, its interval and its seeds, on every test set, beside published values.

    Args:
        comparisons: The same models on one or more test sets.
        published: A value stands beside the model of its architecture.
        settings: Per model those of its trainings, from training.json; None where models are named by architecture.
    """
    models = comparisons[0].comparison.models
    settings = settings or {model: {} for model in models}
    figure = new_figure(8, 1.3 + 0.62 * len(models))
    axes = figure.add_subplot()
    for offset, (scored, color) in enumerate(zip(comparisons, colors(len(comparisons)), strict=True)):
        height = np.arange(len(models)) + (offset - (len(comparisons) - 1) / 2) * 0.28
        intervals = [scored.macro_f1[model] for model in models]
        for y, interval in zip(height, intervals, strict=True):
            if not interval.reason:
                line = interval_line(interval.too_narrow)
                axes.plot([interval.low, interval.high], [y, y], line, color=color, linewidth=2)
        axes.plot([interval.estimate for interval in intervals], height, "D", color=color, label=scored.title)
        for y, model in zip(height, models, strict=True):
            per_seed = macro(scored.draws[model].per_seed)
            axes.plot(per_seed, np.full(len(per_seed), y), ".", color=MUTED, markersize=4, zorder=3)
    quoted = [result for result in published.with_f1(comparisons[0].comparison.classes) if result.macro_f1 is not None]
    beside = [result.counterpart(settings) for result in quoted]
    quoted = [result for result, model in zip(quoted, beside, strict=True) if model]
    if quoted:
        heights = [models.index(model) for model in beside if model]
        datasets = ", ".join(sorted({result.dataset for result in quoted}))
        values = [result.macro_f1 for result in quoted if result.macro_f1 is not None]
        axes.plot(values, heights, "o", mfc="none", mec="black", ms=9, label=f"published, on {datasets}")
    axes.set_yticks(range(len(models)), models)
    axes.set_ylim(len(models) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    confidence = f"{100 * comparisons[0].resamples.confidence:g} %"
    narrow = any(interval.too_narrow for scored in comparisons for interval in scored.macro_f1.values())
    told = f"line: {confidence} interval{', dashed where it is too narrow' if narrow else ''}"
    axes.set_xlabel(f"macro F1 (diamond: mean, {told}, dots: seeds)")
    figure.legend(loc="outside upper left", ncols=1)
    return figure


def confusion(scored: ScoredComparison, model: str) -> Figure:
    """Draw the confusion matrix of a model: shares of each true class, and frames (the mean over seeds)."""
    names = scored.comparison.classes
    frames = scored.confusions[model].mean(axis=0)
    support = frames.sum(axis=1, keepdims=True)
    shares = np.divide(frames, support, out=np.zeros_like(frames), where=support > 0)
    side = 2.2 + 0.62 * len(names)
    figure = new_figure(2 * side, side + 1.1)
    several = len(scored.confusions[model]) > 1
    counts = ("frames, mean over seeds", frames, "{:,.1f}") if several else ("frames", frames, "{:,.0f}")
    panels = [("share of the true class", shares, "{:.2f}"), counts]
    for position, (title, cells, form) in enumerate(panels):
        axes = figure.add_subplot(1, 2, position + 1)
        axes.imshow(shares, cmap=SEQUENTIAL, vmin=0, vmax=1)
        for (row, column), value in np.ndenumerate(cells):
            ink = "black" if shares[row, column] > 0.5 else "white"
            axes.text(column, row, form.format(value), ha="center", va="center", color=ink, fontsize=9)
        axes.set_title(title)
        axes.set_xticks(range(len(names)), wrapped(names), rotation=90)
        axes.set_yticks(range(len(names)), wrapped(names) if position == 0 else [])
        axes.set_xlabel("predicted")
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
    figure.axes[0].set_ylabel("true")
    return figure


def reliability(scored: ScoredComparison) -> Figure:
    """Draw accuracy against confidence, over all seeds: on the diagonal a model's confidence can be believed."""
    figure = new_figure(8, 5.6)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":")
    models = scored.comparison.models
    for model, color, marker in zip(models, colors(len(models)), _markers(len(models)), strict=True):
        frames = concatenate(scored.comparison.test[model])
        bins = calibration_bins(frames)
        error = scored.metrics[model]["expected_calibration_error"].mean()
        label = f"{model} (calibration error {error:.3f}, the mean over seeds)"
        axes.plot(bins["confidence"], bins["accuracy"], color=color, linewidth=1)
        area = 12 + 300 * bins["frames"] / bins["frames"].sum()
        axes.scatter(bins["confidence"], bins["accuracy"], s=area, marker=marker, color=color, label=label)
    axes.set(xlabel="confidence: probability of the predicted class (area: share of frames)", ylim=(-0.03, 1.05))
    axes.set_ylabel("share of right frames")
    for handle in figure.legend(loc="outside upper left").legend_handles:
        if handle:
            handle.set(sizes=[30])
    return figure


def precision_recall(scored: ScoredComparison) -> Figure:
    """Draw a panel per class: precision against recall of every model, over all seeds."""
    comparison = scored.comparison
    columns = 3
    rows = -(-len(comparison.classes) // columns)
    figure = new_figure(9, 2.7 * rows + 0.5)
    pooled = {model: concatenate(trained) for model, trained in comparison.test.items()}
    for number, name in enumerate(comparison.classes):
        axes = figure.add_subplot(rows, columns, number + 1)
        axes.set(title=words(name), xlim=(0, 1.02), ylim=(0, 1.02))
        if scored.support[number] == 0:
            axes.text(0.5, 0.5, "no test frames", ha="center")
            continue
        for (model, frames), color in zip(pooled.items(), colors(len(pooled)), strict=True):
            _curve(axes, frames, number, color, model if number == _first_present(scored) else None)
        if number % columns == 0:
            axes.set_ylabel("precision")
        if number >= len(comparison.classes) - columns:
            axes.set_xlabel("recall")
    figure.legend(loc="outside upper left", ncols=min(len(pooled), 4))
    return figure


def _curve(axes: Axes, frames: Predictions, number: int, color: ColorType, label: str | None) -> None:
    precisions, recalls, _ = precision_recall_curve(frames.labels == number, frames.probabilities[:, number])
    axes.plot(recalls, precisions, color=color, drawstyle="steps-post", label=label)


def _first_present(scored: ScoredComparison) -> int:
    return int(np.flatnonzero(scored.support)[0])


def _markers(count: int) -> list[str]:
    return [MARKERS[number % len(MARKERS)] for number in range(count)]
