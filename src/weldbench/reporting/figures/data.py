"""Figures of the data: one frame of each class (Figure 1), the classes in test (Figure 2)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from weldbench.reporting.figures.style import colors, new_figure, words

_COLUMNS = 3


def classes(frames: np.ndarray, manifest: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Figure 1: the middle frame of each class's longest run.

    Args:
        frames: uint8, shape (N, H, W).
        manifest: A row for each frame, with `label` and `run`.
        names: The classes in label order.
    """
    rows = -(-len(names) // _COLUMNS)
    figure = new_figure(8, 2.75 * rows)
    for number, name in enumerate(names):
        axes = figure.add_subplot(rows, _COLUMNS, number + 1)
        axes.set_axis_off()
        of_class = manifest[manifest["label"] == name]
        axes.set_title(words(name) if len(of_class) else f"{words(name)}: no frames")
        if len(of_class):
            longest = of_class[of_class["run"] == of_class["run"].value_counts().sort_index().idxmax()]
            axes.imshow(frames[longest.index[len(longest) // 2]], cmap="gray", vmin=0, vmax=255)
    return figure


def class_distribution(support: np.ndarray, names: Sequence[str]) -> Figure:
    """Figure 2: test frames of each class.

    Args:
        support: Test frames per class, shape (K,).
        names: The classes in label order.
    """
    figure = new_figure(8, 0.9 + 0.42 * len(names))
    axes = figure.add_subplot()
    bars = axes.barh([words(name) for name in names], support, color=colors(1)[0], height=0.7)
    total = max(int(support.sum()), 1)
    labels = [f"{frames:,} ({frames / total:.1%})" for frames in support]
    axes.bar_label(bars, labels, padding=4)
    axes.margins(x=0.2)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("test frames")
    return figure
