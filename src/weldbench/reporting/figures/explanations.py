"""Where a network looks: a right and a wrong frame of each class, plain and with heat."""

from matplotlib.figure import Figure

from weldbench.evaluation.predictions import Predictions
from weldbench.models.saliency import Explained
from weldbench.reporting.figures.style import new_figure, words


def explanation_figure(
    frames: Predictions, chosen: list[tuple[int | None, int | None]], explained: dict[int, Explained], title: str
) -> Figure:
    """Draw a row per class: its surest right frame and its surest wrong one, each plain and with heat."""
    figure = new_figure(9, 0.5 + 2.5 * len(chosen))
    figure.suptitle(title, ha="left", x=0.01, fontsize=11)
    grid = figure.subplots(len(chosen), 4, squeeze=False)
    for number, (row, positions) in enumerate(zip(grid, chosen, strict=True)):
        for side, (kind, position) in enumerate(zip(("right", "wrong"), positions, strict=True)):
            plain, hot = row[2 * side : 2 * side + 2]
            plain.set_axis_off()
            hot.set_axis_off()
            if position is None:
                plain.set_title(f"{words(frames.classes[number])}\nno {kind} frame", fontsize=9)
                continue
            plain.set_title(f"{words(frames.classes[number])}\n{kind}: {_said(frames, position)}", fontsize=9)
            frame, heat = explained[position].frame, explained[position].heat
            plain.imshow(frame, cmap="gray", vmin=0, vmax=255)
            hot.imshow(frame, cmap="gray", vmin=0, vmax=255)
            hot.imshow(heat, cmap="inferno", alpha=0.65 * heat, vmin=0, vmax=1)
    return figure


def _said(frames: Predictions, position: int) -> str:
    number = frames.predicted[position]
    return f"{words(frames.classes[number])} ({frames.probabilities[position, number]:.2f})"
