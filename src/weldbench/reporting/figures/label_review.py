"""The gallery of stretches of film whose label is in doubt."""

import numpy as np
from matplotlib.figure import Figure

from weldbench.reporting.figures.runs import shortened_name
from weldbench.reporting.figures.style import MUTED, new_figure, words
from weldbench.trust.label_review import LabelReview

GALLERY_STRETCHES = 12
_COLUMNS = 4


def gallery(review: LabelReview) -> Figure:
    """Show the middle frame of each of the worst stretches, with its label and the suggested one."""
    worst = review.stretches.worst_first[:GALLERY_STRETCHES]
    if not len(worst):
        figure = new_figure(8, 1)
        figure.text(0.5, 0.5, "No label is in doubt.", ha="center")
        return figure
    rows = -(-len(worst) // _COLUMNS)
    figure = new_figure(10, 0.5 + 3.7 * rows)
    figure.suptitle("Labels in doubt, worst first: one frame of each stretch", ha="left", x=0.01, fontsize=11)
    names = review.dataset.classes
    for place, number in enumerate(worst):
        lines = review.frames.iloc[np.flatnonzero(review.stretches.of_frame == number)]
        middle = lines.iloc[len(lines) // 2]
        axes = figure.add_subplot(rows, _COLUMNS, place + 1)
        axes.imshow(review.dataset.frames[middle["row"]], cmap="gray", vmin=0, vmax=255)
        axes.set_axis_off()
        label, suggested = names[review.stretches.given[number]], names[review.stretches.suggested[number]]
        doubt = "probably wrong" if review.stretches.probably_wrong[number] else "in doubt"
        doubt += f", score {review.stretches.scores[number]:.2f}"
        axes.set_title(f"label: {words(label)}\nrather: {words(suggested)}\n{doubt}", fontsize=9)
        ends = [path.rpartition("/")[2] for path in (lines["path"].iloc[0], lines["path"].iloc[-1])]
        caption = f"{shortened_name(middle['run'])}\n{ends[0]} –\n{ends[1]} ({len(lines)})"
        axes.text(0, -0.04, caption, transform=axes.transAxes, va="top", fontsize=7.5, color=MUTED)
    return figure
