"""The pieces of a dossier in Markdown: sections, tables, names from data, intervals."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from weldbench.evaluation.intervals import Interval
from weldbench.reporting.tables.table import percent

UNKNOWN = "not known from the data"


@dataclass(frozen=True)
class Section:
    """One section of a dossier.

    Attributes:
        title: Its heading.
        points: Of Annex IV of the EU AI Act that it helps to answer, such as `2 (d)`; empty if of none.
        pieces: Paragraphs, lists and tables in Markdown.
    """

    title: str
    points: str
    pieces: Sequence[str]

    @property
    def markdown(self) -> str:
        """The section with its heading."""
        heading = f"## {self.title} (Annex IV: {self.points})" if self.points else f"## {self.title}"
        return "\n\n".join([heading, *self.pieces])


def plain(text: object) -> str:
    r"""Let a name or a message from the data stand in Markdown as it is, in one line.

    Example:
        >>> print(plain("good_weld"), plain("a|b"), plain("<i>"))
        good_weld a\|b \<i>
    """
    line = " ".join(str(text).split())
    line = re.sub(r"[\\`*<\[\]|~$]|&(?=[\w#])|^[>#+-](?=\D)", r"\\\g<0>", line)
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", line)


def table(title: str, header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Return a table with its title; the cells may hold anything."""
    lines = [list(map(plain, header)), ["---"] * len(header), *(list(map(plain, row)) for row in rows)]
    return f"**{plain(title)}**\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(sentences: Iterable[str]) -> str:
    """Return sentences in Markdown as a list."""
    return "\n".join(f"- {sentence}" for sentence in sentences)


def score(interval: Interval) -> str:
    """Format a number between 0 and 1 with its interval, or why there is none."""
    return _with_ends(interval, "{:.3f}".format)


def share(interval: Interval) -> str:
    """Format a share as a percentage with its interval, or why there is none."""
    return _with_ends(interval, percent)


def count(hits: int, interval: Interval) -> str:
    """Format a number of welds with the exact interval of its share."""
    return f"{hits:,} ({percent(interval.low)} to {percent(interval.high)})" if not interval.reason else interval.note


def listed(names: Sequence[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`; nothing of none."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _with_ends(interval: Interval, shown: Callable[[float], str]) -> str:
    if np.isnan(interval.estimate):
        return interval.note or "undefined"
    if interval.reason:
        return f"{shown(interval.estimate)} ({interval.note})"
    narrow = f"; {interval.note}" if interval.too_narrow else ""
    return f"{shown(interval.estimate)} ({shown(interval.low)} to {shown(interval.high)}{narrow})"
