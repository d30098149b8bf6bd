"""How strange frames look to each export: those that it learned, those of a class left out, those without a weld."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from weldbench.reporting.figures.style import MUTED, colors, new_figure, words
from weldbench.reporting.unknown import LEARNED, LEFT_OUT, NO_WELD, Stranger

_ROW_INCHES = 0.28


def unknown_figure(found: Mapping[str, Sequence[Stranger]]) -> Figure:
    """Draw for each model and kind of frames a bar of scores relative to the threshold, on a logarithmic axis."""
    rows = max(len(strangers) for strangers in found.values())
    figure = new_figure(8, 1.4 + len(found) * (0.6 + _ROW_INCHES * rows))
    color_of = dict(zip((LEARNED, LEFT_OUT, NO_WELD), colors(3), strict=True))
    for number, (model, strangers) in enumerate(found.items()):
        axes = figure.add_subplot(len(found), 1, number + 1)
        for place, one in enumerate(strangers):
            least, low, middle, high, most = np.quantile(one.relative, [0.05, 0.25, 0.5, 0.75, 0.95])
            axes.plot([least, most], [place, place], color=color_of[one.kind], linewidth=1.5)
            axes.plot([low, high], [place, place], color=color_of[one.kind], linewidth=6, alpha=0.6)
            axes.plot(middle, place, "|", color="black", markersize=11)
        axes.axvline(1, color=MUTED, linestyle="--", linewidth=1.2)
        axes.set(xscale="log", title=model)
        axes.set_yticks(range(len(strangers)), [words(one.name) for one in strangers])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("score of a frame / threshold (dashed): to the right of it a frame is unknown")
    lines = [Line2D([], [], color=color, linewidth=4, label=kind) for kind, color in color_of.items()]
    figure.legend(handles=lines, loc="outside upper center", ncols=len(lines))
    return figure
