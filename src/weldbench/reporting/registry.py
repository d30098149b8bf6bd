"""The registries of tables and figures: an entry in `sections/` says what one shows and where the report has it.

Imports nothing heavy, as Snakemake reads the names whenever it plans.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

TABLE_FORMATS = ("csv", "md", "tex")
FIGURE_FORMAT = "png"

# Of the report, in its order. `vote` goes on with `factory`, below a text of its own.
Section = Literal["data", "comparison", "certainty", "failures", "factory", "vote", "trust", "cost"]

# What builds a table or draws a figure. Its types would be imports of what computes them, so they stand in sections/.
Builder = TypeVar("Builder", bound=Callable[..., Any])


@dataclass(frozen=True)
class Words:
    """Words about a table or a figure; `{dataset}` and `{model}` stand for the names of what it is about.

    Attributes:
        caption: What it shows.
        alt: Of a figure: the text for those who cannot see it.
        details: Further sentences for Snakemake's report, which has no text around a figure.
    """

    caption: str
    alt: str = ""
    details: str = ""


@dataclass(frozen=True)
class TableEntry:
    """A registered table; `build` makes it from `compare.Findings`. If `folded`, the report shows it on demand."""

    name: str
    section: Section
    words: Words
    build: Callable[..., Any]
    folded: bool


@dataclass(frozen=True)
class FigureEntry:
    """A registered figure; `draw` makes it from `compare.Findings`, and from the name of a model if `per_model`."""

    name: str
    section: Section
    words: Words
    draw: Callable[..., Any]
    per_model: bool

    def path(self, model: str = "") -> Path:
        """Return where it lies below the results of the dataset."""
        return Path("figures", f"{self.name}_{model}.{FIGURE_FORMAT}" if model else f"{self.name}.{FIGURE_FORMAT}")


@dataclass(frozen=True)
class StageFigure:
    """A figure of each model that the stage `name` draws, not compare; a report without it is whole."""

    name: str
    section: Section
    words: Words

    def path(self, model: str) -> Path:
        """Return where it lies below the results of the dataset."""
        return Path(self.name, f"{model}.{FIGURE_FORMAT}")


Entry = TableEntry | FigureEntry | StageFigure

TABLES: dict[str, TableEntry] = {}
FIGURES: dict[str, FigureEntry] = {}
MODEL_FIGURES: dict[str, FigureEntry] = {}
PAGE: list[Entry] = []  # all that the report shows; in each section, in its order


def table(name: str, *, section: Section, caption: str, folded: bool = False) -> Callable[[Builder], Builder]:
    """Register a function of `Findings` that builds the table `name`; its title stands above it in our report.

    A `folded` table holds details: the report shows its title alone until a reader opens it.

    Raises:
        ValueError: The name is taken, or the report has no such section.
    """

    def register(build: Builder) -> Builder:
        _add(TABLES, TableEntry(name, section, Words(caption), build, folded))
        return build

    return register


def figure(
    name: str, *, section: Section, caption: str, alt: str, details: str = "", per_model: bool = False
) -> Callable[[Builder], Builder]:
    """Register a function of `Findings`, and of a model's name if `per_model`, that draws the figure `name`.

    Raises:
        ValueError: The name is taken, or the report has no such section.
    """

    def register(draw: Builder) -> Builder:
        entry = FigureEntry(name, section, Words(caption, alt, details), draw, per_model)
        _add(MODEL_FIGURES if per_model else FIGURES, entry)
        return draw

    return register


def _add(registry: dict[str, Any], entry: TableEntry | FigureEntry) -> None:
    if entry.name in registry:
        raise ValueError(f"{entry.name}: there is one of this name already")
    if entry.section not in get_args(Section):
        raise ValueError(f"{entry.name}: the report has no section `{entry.section}`, but {get_args(Section)}")
    registry[entry.name] = entry
    PAGE.append(entry)
