"""Loss of macro F1 under changes of the camera."""

from matplotlib.figure import Figure

from weldbench.reporting.figures.style import MARKERS, MUTED, colors, interval_line, new_figure
from weldbench.reporting.robustness import Robustness
from weldbench.trust.camera_changes import CAMERA_CHANGES, STRENGTHS

_COLUMNS = 5
_BESIDE = 0.09  # how far the marks of two models stand apart


def robustness_figure(found: Robustness) -> Figure:
    """Draw a panel for each change, with a line per model from mild to strong."""
    rows = -(-len(CAMERA_CHANGES) // _COLUMNS)
    figure = new_figure(2.7 * _COLUMNS, 2.8 * rows + 0.6)
    everyone = list(zip(found.effects.items(), colors(len(found.effects)), strict=True))
    first = None
    for place, change in enumerate(CAMERA_CHANGES):
        axes = first = figure.add_subplot(rows, _COLUMNS, place + 1, sharey=first)
        axes.axhline(0, color=MUTED, linewidth=1)
        for number, ((model, effects), color) in enumerate(everyone):
            intervals = [effects[change.name, strength].macro_f1 for strength in STRENGTHS]
            across = [x + _BESIDE * (number - (len(everyone) - 1) / 2) for x in range(len(STRENGTHS))]
            marker = MARKERS[number % len(MARKERS)]
            label = model if place == 0 else None
            axes.plot(across, [each.estimate for each in intervals], color=color, marker=marker, label=label)
            for x, each in zip(across, intervals, strict=True):
                if not each.reason:
                    line = interval_line(each.too_narrow)
                    axes.plot([x, x], [each.low, each.high], line, color=color, linewidth=1, alpha=0.7)
        axes.set_title(change.name)
        axes.set_xticks(range(len(STRENGTHS)), STRENGTHS)
        if place % _COLUMNS == 0:
            axes.set_ylabel("change of macro F1")
        else:
            axes.tick_params(labelleft=False)
    figure.legend(loc="outside upper left", ncols=min(len(everyone), 5))
    return figure
