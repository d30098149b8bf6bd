"""What pretraining is worth: differences in F1 between models that start from different weights."""

import numpy as np
from matplotlib.figure import Figure

from weldbench.evaluation.pretraining import beginnings, gains
from weldbench.evaluation.scoring import ScoredComparison
from weldbench.evaluation.training_records import Trainings
from weldbench.reporting.figures.style import MARKERS, MUTED, colors, interval_line, new_figure, words
from weldbench.reporting.tables.pretraining import NO_PAIR, pair_words


def pretraining(scored: ScoredComparison, trainings: Trainings) -> Figure:
    """Draw the difference in F1 of every pair, by class, the macro average last; or say that there is no pair."""
    pairs = beginnings(trainings.settings)
    if not pairs:
        figure = new_figure(10, 1)
        figure.text(0.5, 0.5, NO_PAIR, ha="center")
        return figure
    names = [words(name) for name in scored.comparison.classes] + ["macro average"]
    found = gains(pairs, scored.draws, scored.resamples)
    figure = new_figure(8, 1.4 + 0.3 * len(pairs) + (0.25 + 0.17 * len(pairs)) * len(names))
    axes = figure.add_subplot()
    axes.axvline(0, color=MUTED, linewidth=1)
    for place, (pair, color) in enumerate(zip(pairs, colors(len(pairs)), strict=True)):
        of_pair = [gain.difference for gain in found if gain.of == pair]
        height = np.arange(len(names)) + (place - (len(pairs) - 1) / 2) * 0.6 / len(pairs)
        for y, difference in zip(height, of_pair, strict=True):
            if not difference.reason:
                line = interval_line(difference.too_narrow)
                axes.plot([difference.low, difference.high], [y, y], line, color=color, linewidth=2)
            elif np.isnan(difference.estimate):
                axes.text(0, y, f" {difference.reason}", va="center", color=MUTED, fontsize=9)
        estimates = [difference.estimate for difference in of_pair]
        axes.plot(estimates, height, MARKERS[place % len(MARKERS)], color=color, label=pair_words(pair))
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    narrow = any(gain.difference.too_narrow for gain in found)
    confidence = (
        f"{100 * scored.resamples.confidence:g} % interval{', dashed where it is too narrow' if narrow else ''}"
    )
    axes.set_xlabel(f"difference in F1, the first minus the second (line: {confidence})")
    figure.legend(loc="outside upper left", ncols=1)
    return figure
