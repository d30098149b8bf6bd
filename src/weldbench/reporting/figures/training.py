"""Figures of training: learning curves, and what accuracy costs."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter
from matplotlib.typing import ColorType
from pandas.api.typing import SeriesGroupBy

from weldbench.evaluation.scoring import ScoredComparison
from weldbench.evaluation.training_records import Trainings
from weldbench.reporting.figures.style import MARKERS, colors, interval_line, new_figure


def learning_curves(trainings: Trainings) -> Figure:
    """Draw loss and macro F1 over epochs: the mean over trainings as a line, their range as a band."""
    models = list(trainings.history["model"].unique())
    figure = new_figure(9, 4.2)
    loss, score = figure.subplots(1, 2)
    for model, color in zip(models, colors(len(models)), strict=True):
        epochs = trainings.history[trainings.history["model"] == model].groupby("epoch")
        losses = epochs["train_loss"].mean()
        loss.plot(losses, color=color, linestyle="--", marker=_marker(len(losses)), fillstyle="none")
        _band(loss, epochs["valid_loss"], color, None)
        _band(score, epochs["valid_macro_f1"], color, model)
    loss.set(title="loss (dashed: train, solid: valid)", xlabel="epoch", ylabel="cross-entropy", ylim=(0, None))
    score.set(title="macro F1 on valid", xlabel="epoch", ylim=(0, 1.02))
    for axes in (loss, score):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    figure.legend(loc="outside upper left", ncols=min(len(models), 5))
    return figure


def cost(scored: ScoredComparison, trainings: Trainings) -> Figure:
    """Draw macro F1 against training time, the number of parameters, and the time to judge one frame."""
    models = scored.comparison.models
    per_model = trainings.runs.groupby("model")
    figure = new_figure(11, 4)
    columns = {
        "seconds": "seconds to train once",
        "parameters": "parameters",
        "inference_ms_batched": "inference, ms per frame",
    }
    panels = figure.subplots(1, len(columns), sharey=True)
    for axes, (column, title) in zip(panels, columns.items(), strict=True):
        for number, (model, color) in enumerate(zip(models, colors(len(models)), strict=True)):
            interval = scored.macro_f1[model]
            x = per_model[column].mean()[model]
            if not interval.reason:
                axes.plot([x, x], [interval.low, interval.high], interval_line(interval.too_narrow), color=color)
            axes.plot(x, interval.estimate, MARKERS[number % len(MARKERS)], color=color, ms=8)
            axes.annotate(model, (x, interval.estimate), xytext=(7, 5), textcoords="offset points", fontsize=9)
        means = per_model[column].mean()[list(models)]
        # At least one decade, so that there is a tick; room at the right for the last name.
        axes.set(xscale="log", xlabel=title, xlim=(means.min() / 3, means.max() * 4))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    narrow = any(interval.too_narrow for interval in scored.macro_f1.values())
    panels[0].set_ylabel(f"macro F1 on test{' (dashed: too narrow)' if narrow else ''}")
    return figure


def _band(axes: Axes, grouped: "SeriesGroupBy[Any, Any]", color: ColorType, label: str | None) -> None:
    mean = grouped.mean()
    axes.plot(mean, color=color, label=label, marker=_marker(len(mean)))
    axes.fill_between(mean.index, grouped.min(), grouped.max(), color=color, alpha=0.18, linewidth=0)


def _marker(epochs: int) -> str | None:
    """Return a marker where there is one epoch, of which a line shows nothing."""
    return "o" if epochs == 1 else None
