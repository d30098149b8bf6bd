"""Figures of single runs and frames: what was said along every weld, and the most confident errors."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from weldbench.evaluation.predictions import Predictions
from weldbench.evaluation.temporal_vote import film_order
from weldbench.reporting.figures.style import MUTED, colors, new_figure, words

_GALLERY_COLUMNS = 4
_GALLERY_FRAMES = 12
_MOST_STRIPS = 100


def strips(frames: Predictions, model: str, seed: int) -> Figure:
    """Draw each test run as a strip, time to the right: the true class above, the predicted one below.

    Of more than 100 runs, sorted by class and name, it takes 100 at even distances.
    """
    films = film_order(frames)
    films.sort(key=lambda positions: (int(np.bincount(frames.labels[positions]).argmax()), frames.runs[positions[0]]))
    title = f"{model}, seed {seed}: true class (thin, above), predicted class (below), share right"
    if len(films) > _MOST_STRIPS:
        title += f"\n{_MOST_STRIPS} of {len(films):,} runs, at even distances by class and name"
        films = [films[number * len(films) // _MOST_STRIPS] for number in range(_MOST_STRIPS)]
    palette = np.array([matplotlib.colors.to_rgb(color) for color in colors(len(frames.classes))])
    figure = new_figure(9, 1.5 + 0.34 * len(films))
    axes = figure.add_subplot()
    longest = max(len(positions) for positions in films)
    for number, positions in enumerate(films):
        for labels, top, bottom in (
            (frames.labels[positions], -0.4, -0.2),
            (frames.predicted[positions], -0.2, 0.36),
        ):
            # Pixel columns at the frames themselves, so that a strip is as long as its run.
            axes.imshow(
                palette[labels][None],
                extent=(0, len(positions), number + bottom, number + top),
                aspect="auto",
                interpolation="nearest",
            )
        right = frames.correct[positions].mean()
        axes.text(len(positions) + longest / 100, number, f"{right:.0%}", va="center", fontsize=9)
    axes.set(xlim=(0, longest * 1.08), ylim=(len(films) - 0.5, -0.5), xlabel="frame of the run")
    axes.set_yticks(range(len(films)), [shortened_name(frames.runs[positions[0]]) for positions in films], fontsize=8)
    axes.grid(visible=False)
    axes.set_title(title)
    handles = [Patch(color=color, label=words(name)) for color, name in zip(palette, frames.classes, strict=True)]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def confident_errors(frames: Predictions, model: str, seed: int, stored: np.ndarray, manifest: pd.DataFrame) -> Figure:
    """Show the errors that a model was surest of, at most two of a run, with run, frame and what was said.

    Args:
        frames: The test frames as scored.
        model: Name of the model.
        seed: Of its training.
        stored: All frames, uint8, shape (M, H, W).
        manifest: A row for each stored frame, with `path`.
    """
    chosen = surest_errors(frames, _GALLERY_FRAMES)
    if not len(chosen):
        figure = new_figure(8, 1)
        figure.text(0.5, 0.5, f"{model}, seed {seed}: every test frame is right", ha="center")
        return figure
    rows = -(-len(chosen) // _GALLERY_COLUMNS)
    figure = new_figure(10, 0.5 + 3.3 * rows)
    figure.suptitle(f"{model}, seed {seed}: the errors that it was surest of", ha="left", x=0.01, fontsize=11)
    for number, position in enumerate(chosen):
        axes = figure.add_subplot(rows, _GALLERY_COLUMNS, number + 1)
        axes.imshow(stored[frames.rows[position]], cmap="gray", vmin=0, vmax=255)
        axes.set_axis_off()
        said = frames.predicted[position]
        axes.set_title(
            f"true: {words(frames.classes[frames.labels[position]])}\n"
            f"said: {words(frames.classes[said])} ({frames.probabilities[position, said]:.2f})",
            fontsize=9,
        )
        path = manifest["path"].iloc[frames.rows[position]]
        run, _, name = path.rpartition("/")
        caption = f"{shortened_name(run)}\n{name}"
        axes.text(0, -0.04, caption, transform=axes.transAxes, va="top", fontsize=7.5, color=MUTED)
    return figure


def surest_errors(frames: Predictions, count: int, per_run: int = 2) -> np.ndarray:
    """Return the positions of the wrong frames with the highest confidence, at most `per_run` of each run."""
    confidence = frames.probabilities.max(axis=1)
    wrong = np.flatnonzero(~frames.correct)
    ordered = wrong[np.argsort(-confidence[wrong], kind="stable")]
    nth_of_run = pd.Series(frames.runs[ordered]).groupby(frames.runs[ordered]).cumcount().to_numpy()
    return ordered[nth_of_run < per_run][:count]


def shortened_name(run: str, length: int = 34) -> str:
    """Cut the name of a run in its middle where it is too long for a figure."""
    return run if len(run) <= length else f"{run[: length // 2 - 1]} … {run[-length // 2 + 2 :]}"
