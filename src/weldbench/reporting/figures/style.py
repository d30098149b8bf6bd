"""How every figure looks, and how it is saved: the same bytes for the same content."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.typing import ColorType, RcKeyType

from weldbench.runtime.atomic import replacing

# Okabe and Ito's palette (2008), distinguishable with every kind of color vision; without yellow, too pale on white.
_PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000", "#7F7F7F")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
SEQUENTIAL = "cividis"
MUTED = "#595959"

_STYLE: dict[RcKeyType, Any] = {
    "figure.dpi": 120,
    "savefig.dpi": 120,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "figure.constrained_layout.use": True,
}


def new_figure(width_inches: float, height_inches: float) -> Figure:
    """Make an empty figure in the common style."""
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(_STYLE)
    return plt.figure(figsize=(width_inches, height_inches))


def colors(count: int) -> list[ColorType]:
    """Return so many distinguishable colors; beyond eight, steps of a color scale of even lightness change."""
    if count <= len(_PALETTE):
        return list(_PALETTE[:count])
    return [matplotlib.colormaps["viridis"](number / (count - 1)) for number in range(count)]


def interval_line(too_narrow: str) -> str:
    """Return the style of an interval's line: solid, or dashed where there is a reason why it is too narrow."""
    return "--" if too_narrow else "-"


def words(name: str) -> str:
    """Turn the name of a class into words."""
    return name.replace("_", " ")


def wrapped(names: Sequence[str]) -> list[str]:
    """Put the words of each class name on two lines where it is long, for the ticks of an axis."""
    return [_two_lines(words(name)) if len(name) > 12 else words(name) for name in names]


def save(figure: Figure, path: Path | str) -> None:
    """Write a figure as PNG, atomically, without date and version in it."""
    with replacing(path) as partial:
        figure.savefig(partial, metadata={"Software": None})
    plt.close(figure)


def _two_lines(text: str) -> str:
    pieces = text.split(" ")
    cut = min(range(1, len(pieces) + 1), key=lambda n: abs(len(" ".join(pieces[:n])) - len(text) / 2))
    return "\n".join(part for part in (" ".join(pieces[:cut]), " ".join(pieces[cut:])) if part)
