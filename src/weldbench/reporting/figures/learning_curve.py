"""Macro F1 on test over the number of training runs."""

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from weldbench.reporting.figures.style import MARKERS, colors, interval_line, new_figure
from weldbench.reporting.learning_curve import LearningCurve

_BESIDE = 1.015  # how far the marks of two models stand apart, as a factor: their intervals would hide one another


def learning_curve_figure(curve: LearningCurve) -> Figure:
    """Draw a line per model through its macro F1, with the interval of each point, on a logarithmic axis of runs."""
    models = list(dict.fromkeys(point.model for point in curve.points))
    figure = new_figure(8, 5)
    axes = figure.add_subplot()
    for number, (model, color) in enumerate(zip(models, colors(len(models)), strict=True)):
        points = curve.of(model)
        runs = [point.amount.runs * _BESIDE ** (number - (len(models) - 1) / 2) for point in points]
        marker = MARKERS[number % len(MARKERS)]
        axes.plot(runs, [point.macro_f1.estimate for point in points], color=color, marker=marker, label=model)
        for x, interval in zip(runs, (point.macro_f1 for point in points), strict=True):
            if not interval.reason:
                line = interval_line(interval.too_narrow)
                axes.plot([x, x], [interval.low, interval.high], line, color=color, linewidth=1, alpha=0.7)
    axes.set(xscale="log", ylim=(0, 1.02), xlabel="runs of train to learn from")
    axes.xaxis.set_major_locator(FixedLocator(sorted({point.amount.runs for point in curve.points})))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    narrow = any(point.macro_f1.too_narrow for point in curve.points)
    told = f"line: {100 * curve.resamples.confidence:g} % interval{', dashed where it is too narrow' if narrow else ''}"
    axes.set_ylabel(f"macro F1 on test ({told})")
    figure.legend(loc="outside upper left", ncols=min(len(models), 4))
    return figure
