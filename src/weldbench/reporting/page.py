"""Tables and figures from their files as HTML of a page; the pieces stand in report.html.j2."""

import base64
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbconvert.filters.markdown import markdown2html_mistune

from weldbench.errors import InputError
from weldbench.reporting.registry import FIGURE_FORMAT, Words

_LONG_CELL = 60


def markdown(text: str, css_class: str = "") -> Markup:
    """Return a text in Markdown as HTML, its paragraphs with a class if one is given."""
    opening = f'<p class="{css_class}">' if css_class else "<p>"
    return Markup(markdown2html_mistune(text).replace("<p>", opening))


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, undefined=StrictUndefined
)
_TEMPLATES.filters["markdown"] = markdown
HTML: Any = _TEMPLATES.get_template("report.html.j2").module


def table_html(title: str, rows: str, notes: str = "") -> Markup:
    """Return a table whose rows and notes are Markdown as HTML; cells with sentences may break."""
    body = _unbroken(markdown(rows).removeprefix("<table>").partition("</table>")[0])
    prose = max(map(len, re.split(r"[ -]*\|[ :-]*", rows))) > _LONG_CELL
    if prose:  # its cells break anywhere: better after the underscores of a class than within a word
        body = body.replace("_", Markup("_<wbr>"))
    html: Markup = HTML.table(title, body, markdown(notes) if notes else "", prose)
    return html


class Page:
    """The tables and figures of one page. A note that several of its tables have stands once, among `shared_notes`.

    Args:
        tables: Folder of the tables, as `Table.write` wrote them.
        names: Of the tables on the page.
        advice: What to do where a file is missing.
    """

    def __init__(self, tables: Path, names: Sequence[str], advice: str) -> None:
        self._tables, self._names, self._advice = tables, names, advice

    @cached_property
    def shared_notes(self) -> list[str]:
        """Return the notes that several tables have."""
        counts = Counter(note for name in self._names for note in dict.fromkeys(self._parts(name)[2]))
        return [note for note, count in counts.items() if count > 1]

    def table(self, name: str, folded: bool = False) -> Markup:
        """Return a table with the notes that are its own; a folded one shows its title until it is opened."""
        title, rows, notes = self._parts(name)
        own = "\n".join(f"- {note}" for note in notes if note not in self.shared_notes)
        html = table_html(title, rows, own)
        return HTML.folded(title, html) if folded else html

    def figure(self, path: Path, words: Words, names: Mapping[str, str]) -> Markup:
        """Return a figure with its caption and its text for those who cannot see it; `names` fill both.

        Raises:
            InputError: The file is missing.
        """
        caption, alt = (text.format(**names) for text in (words.caption, words.alt))
        data = base64.b64encode(self.existing(path).read_bytes()).decode("ascii")
        html: Markup = HTML.figure(caption, alt, FIGURE_FORMAT, data)
        return html

    def reading(self, words: Sequence[str] = ()) -> str:
        """Return the section with words that tables use, and the notes that several of them share."""
        notes = markdown("\n".join(f"- {note}" for note in (*words, *self.shared_notes)))
        text = "What the words mean; then notes" if words else "These notes"
        return str(HTML.section("reading", "How to read the tables", f"{text} that belong to several tables.", notes))

    def existing(self, path: Path) -> Path:
        """Return the path of a file.

        Raises:
            InputError: It is missing.
        """
        if not path.is_file():
            raise InputError(f"{path}: there is no such file; {self._advice}")
        return path

    def _parts(self, name: str) -> tuple[str, str, list[str]]:
        """Return the title, the rows as Markdown, and the notes of a table."""
        text = self.existing(self._tables / f"{name}.md").read_text("utf-8")
        title, rows, *rest = text.split("\n\n", 2)
        return title.strip("*"), rows, [line.removeprefix("- ") for line in "".join(rest).splitlines()]


def _unbroken(rows: str) -> Markup:
    """Let a cell such as `0.74 ± 0.05 ≈` break before its ± alone, where a table must become narrower."""
    return Markup(rows.replace(" ± ", " ±\N{NO-BREAK SPACE}").replace(" ≈", "\N{NO-BREAK SPACE}≈"))
