"""card.html: a dossier as one page that needs nothing else, in the style of the report."""

import re
from collections.abc import Iterator
from pathlib import Path

from markupsafe import Markup

from weldbench.reporting.page import HTML, markdown, table_html
from weldbench.reporting.summary_card import Fact
from weldbench.reporting.template import page_of

_LONG_TABLE = 30  # rows; a longer one is folded
_HEADING = re.compile(r"^## (.+?)(?: \((Annex IV: .+)\))?$")
_ANSWER = re.compile(r"^- (.+?\?) \*\*(.+?)\*\* (.+)$", re.MULTILINE)


def dossier_page(card: str, dataset: str, template: Path) -> str:
    """Return a dossier as HTML.

    Args:
        card: card.md, as `dossier.card` made it.
        dataset: Its name, for the title of the window.
        template: Folder of the report's template.

    Raises:
        InputError: The template is missing.
    """
    head, *sections = re.split(r"^(?=## )", card, flags=re.MULTILINE)
    title, text = head.removeprefix("# ").split("\n\n", 1)
    facts = [Fact(*map(_unescaped, found)) for found in _ANSWER.findall(text)]
    pieces = [_section(number, section) for number, section in enumerate(sections)]
    contents = {"summary": "Summary", **{f"part-{number}": found[0] for number, found in enumerate(pieces)}}
    shown = HTML.contents(contents) + HTML.head(_unescaped(title), _ANSWER.sub("", text).strip(), facts)
    return page_of([shown, *(html for _, html in pieces)], {"title": _unescaped(title), "dataset": dataset}, template)


def _section(number: int, text: str) -> tuple[str, Markup]:
    """Return a section's title, and its HTML."""
    heading, _, body = text.strip().partition("\n\n")
    found = _HEADING.match(heading)
    title, points = (_unescaped(found[1]), found[2]) if found else (heading, None)
    note = f"*{points}*\n\n" if points else ""
    return title, HTML.section(f"part-{number}", title, note, Markup().join(_pieces(title, body)))


def _pieces(title: str, body: str) -> Iterator[Markup]:
    """Yield the HTML of paragraphs and tables; a paragraph in bold before a table is its caption."""
    caption = ""
    for block in re.split(r"\n{2,}", body):
        if block.startswith("|"):
            html = table_html(caption or title, block)
            yield HTML.folded(caption or title, html) if block.count("\n") > _LONG_TABLE else html
            caption = ""
            continue
        if caption:
            yield markdown(f"**{caption}**")
        alone = re.fullmatch(r"\*\*(.+)\*\*", block)
        caption = _unescaped(alone[1]) if alone else ""
        if not alone:
            yield markdown(block)
    if caption:
        yield markdown(f"**{caption}**")


def _unescaped(text: str) -> str:
    """Return Markdown without marks as plain text."""
    return re.sub(r"\\(\W)", r"\1", text.replace("`", "").replace("**", ""))
