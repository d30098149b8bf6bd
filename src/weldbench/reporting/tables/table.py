"""A table for people and for programs: CSV with numbers, Markdown and LaTeX (booktabs) with cells of text and notes."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from weldbench.runtime.atomic import write_csv, write_text

_LATEX = {"&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$", "±": r"$\pm$", "≈": r"$\approx$", "–": "--"}
_LATEX |= {"≤": r"$\leq$", "≥": r"$\geq$", "→": r"$\to$", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_LATEX |= {"{": r"\{", "}": r"\}", "\\": r"\textbackslash{}", "<": r"\textless{}", ">": r"\textgreater{}"}


@dataclass(frozen=True)
class Table:
    """One table of the comparison.

    Attributes:
        name: Of its files.
        title: The caption.
        data: Numbers, one observation a row, for the CSV; an empty cell has a reason in the column `note`.
        shown: Cells of text, for people.
        bold: Cells of `shown` in bold, as (row, column name).
        notes: Sentences below the table.
    """

    name: str
    title: str
    data: pd.DataFrame
    shown: pd.DataFrame
    bold: frozenset[tuple[int, str]] = frozenset()
    notes: Sequence[str] = field(default_factory=tuple)

    def write(self, folder: Path | str) -> None:
        """Write name.csv, name.md and name.tex into a folder, each atomically."""
        folder = Path(folder)
        write_csv(folder / f"{self.name}.csv", self.data, float_format="%.6f")
        write_text(folder / f"{self.name}.md", self.markdown())
        write_text(folder / f"{self.name}.tex", self.latex())

    def markdown(self) -> str:
        """Return the caption, the table and its notes as Markdown."""
        cells = self._cells(lambda text: text.replace("|", r"\|"), "**{}**".format)
        alignment = ["left" if _is_text(self.shown[column]) else "right" for column in self.shown]
        table = cells.to_markdown(index=False, disable_numparse=True, colalign=alignment)
        notes = "".join(f"\n- {note}" for note in self.notes)
        return f"**{self.title}**\n\n{table}\n{notes}" + ("\n" if notes else "")

    def latex(self) -> str:
        """Return a LaTeX table environment; it needs the package booktabs."""
        cells = self._cells(_escaped, r"\textbf{{{}}}".format).rename(columns=_escaped)
        table = cells.style.hide(axis="index").to_latex(
            column_format=_latex_columns(self.shown),
            position_float="centering",
            hrules=True,
            label=f"tab:{self.name}",
            # LaTeX numbers tables itself.
            caption=_escaped(re.sub(r"^Table [0-9]+. ", "", self.title)),
        )
        notes = "".join(rf"\par\footnotesize {_escaped(note)}" + "\n" for note in self.notes)
        end = "\\end{table}\n"
        return table.removesuffix(end) + notes + end

    def _cells(self, escape: Callable[[str], str], embolden: Callable[[str], str]) -> pd.DataFrame:
        cells = self.shown.map(escape)
        for row, column in self.bold:
            cells.at[row, column] = embolden(str(cells.at[row, column]))
        return cells


def share(value: float, absent: str = "undefined") -> str:
    """Format a number between 0 and 1 with three decimals, or a word where it is NaN."""
    return absent if np.isnan(value) else f"{value:.3f}"


def format_mean_std(per_seed: np.ndarray, absent: str = "undefined") -> str:
    """Format a mean over seeds, shape (S,), with the sample standard deviation where there are several seeds."""
    defined = per_seed[~np.isnan(per_seed)]
    if not len(defined):
        return absent
    return f"{defined.mean():.3f}" + (f" ± {defined.std(ddof=1):.3f}" if len(defined) > 1 else "")


def sample_std(per_seed: np.ndarray) -> float:
    """Return the sample standard deviation over seeds, shape (S,); NaN for one seed."""
    return float(np.std(per_seed, ddof=1)) if len(per_seed) > 1 else float("nan")


def percent(value: float) -> str:
    """Format a share as a percentage, with as many digits as it needs."""
    return f"{100 * value:.3g} %"


def format_p(value: float) -> str:
    """Format a p value: three decimals, and below 0.1 three digits."""
    if value < 0.001:
        return "< 0.001"
    return f"{value:.3g}" if value < 0.1 else f"{value:.3f}"


def _is_text(column: pd.Series) -> bool:
    return column.str.match(r"[<\[+ -]*[\d.,]+(?![\w-])").mean() < 0.5


def _latex_columns(shown: pd.DataFrame) -> str:
    """Numbers to the right, text to the left; long text wraps, or it would leave the page."""
    wrapped = [_is_text(column) and column.str.len().max() > 40 for _, column in shown.items()]
    width = min(0.25, 0.6 / max(1, sum(wrapped)))
    return "".join(
        rf"p{{{width:.2f}\linewidth}}" if wraps else "l" if _is_text(column) else "r"
        for wraps, (_, column) in zip(wrapped, shown.items(), strict=True)
    )


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
