"""The figure of welds: escapes and false rejects against the threshold."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.typing import ColorType
from scipy.special import expit

from weldbench.evaluation.comparison import Comparison
from weldbench.reporting.figures.style import colors, new_figure
from weldbench.trust.evidence import exact_interval
from weldbench.trust.rules import judged_welds
from weldbench.trust.welds import Welds

_THRESHOLDS = expit(np.linspace(-7, 7, 281))  # as dense near 0 and 1 as networks are sure of themselves
_COLUMNS = 3


def welds(comparison: Comparison, vote_frames: int, confidence: float) -> Figure:
    """Draw a panel per model: the share of welds that escape and that are falsely rejected at every threshold.

    Args:
        comparison: The models.
        vote_frames: Window of the vote beside that of one frame; its lines have the bands.
        confidence: Of the bands, exact intervals over runs.
    """
    if not comparison.frames.has_good:
        figure = new_figure(8, 1.2)
        figure.add_subplot().set_axis_off()
        figure.text(0.5, 0.5, "The data has no class of good welds.", ha="center")
        return figure
    columns = min(_COLUMNS, len(comparison.models))
    rows = -(-len(comparison.models) // columns)
    figure = new_figure(max(5, 3 * columns), 2.8 * rows + 0.7)
    escape_color, reject_color = colors(4)[3], colors(4)[0]
    found = judged_welds(comparison, vote_frames)
    for number, model in enumerate(comparison.models):
        axes = figure.add_subplot(rows, columns, number + 1)
        axes.set(title=model, xscale="logit", xlim=(0.001, 0.999), ylim=(-0.02, 1.02), xlabel="threshold")
        axes.set_xticks([0.01, 0.1, 0.5, 0.9, 0.99], ["0.01", "0.1", "0.5", "0.9", "0.99"])
        axes.set_xticks([], minor=True)
        for rule, judged in found.items():
            if rule.model == model:
                line = "-" if rule.vote_frames == vote_frames else ":"
                band = confidence if rule.vote_frames == vote_frames else None
                told = f"vote over {rule.vote_frames:,}" if rule.vote_frames > 1 else "frame by frame"
                for kind, color in (("escaped", escape_color), ("falsely rejected", reject_color)):
                    _curve(axes, judged, kind, color, line, band, f"{kind}, {told}" if number == 0 else None)
        if number % columns == 0:
            axes.set_ylabel("share of welds")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def _curve(
    axes: Axes, judged: Welds, kind: str, color: ColorType, line: str, band: float | None, label: str | None
) -> None:
    """Draw one kind of loss; nothing where no weld can suffer it."""
    among = judged.defective if kind == "escaped" else ~judged.defective
    runs = int(among.sum())
    loss = judged.escaped if kind == "escaped" else judged.falsely_rejected
    hits = [int(loss(threshold).sum()) for threshold in _THRESHOLDS]
    shares = np.array(hits) / runs if runs else np.full(len(hits), np.nan)
    axes.plot(_THRESHOLDS, shares, line, color=color, drawstyle="steps-post", label=label)
    if band is not None and runs:
        intervals = [exact_interval(count, runs, band) for count in hits]
        low, high = [interval.low for interval in intervals], [interval.high for interval in intervals]
        axes.fill_between(_THRESHOLDS, low, high, step="post", color=color, alpha=0.12, linewidth=0)
