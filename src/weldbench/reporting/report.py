"""The sections of the report, as HTML, from the tables and figures of one dataset; every number is read from there."""

import base64
import importlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbconvert.filters.markdown import markdown2html_mistune

from weldbench.errors import InputError
from weldbench.evaluation.training_records import about_preference
from weldbench.pipeline.lineage import read_lineage
from weldbench.reporting.narrative import (
    about_choice,
    about_cost,
    about_data,
    about_frames,
    about_leader,
    about_operating_points,
    about_pairs,
    about_pretraining,
    about_published,
    about_start,
    about_vote,
    about_weakness,
)
from weldbench.reporting.promises_in_words import about_promises
from weldbench.reporting.registry import FIGURE_FORMAT, PAGE, Entry, FigureEntry, Section, StageFigure, TableEntry
from weldbench.reporting.summary_card import summary_card

# By its name, as an import would make the report depend on all code that compare computes with. It fills PAGE.
importlib.import_module("weldbench.reporting.sections")

_LONG_CELL = 60
_TITLES = {
    "summary": "Summary",
    "question": "What was asked",
    "data": "The data",
    "comparison": "The comparison",
    "certainty": "Who is better, and how sure",
    "failures": "Where the models fail",
    "factory": "In the factory",
    "trust": "What can be promised",
    "cost": "What it cost",
    "reading": "How to read the tables",
    "reproduction": "How to reproduce it",
}
_LINEAGE = {
    "commit": "commit",
    "dirty": "code or parameters changed after that commit",
    "params_sha256": "sha256 of the checked parameters",
    "data_sha256": "sha256 of the data's manifest",
    "lock_sha256": "sha256 of requirements.lock",
    "created_utc": "made (UTC)",
    "machine": "machine",
    "versions": "versions",
}


def _markdown(text: str, css_class: str = "") -> Markup:
    opening = f'<p class="{css_class}">' if css_class else "<p>"
    return Markup(markdown2html_mistune(text).replace("<p>", opening))


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    trim_blocks=True,
    undefined=StrictUndefined,
)
_TEMPLATES.filters["markdown"] = _markdown
_HTML: Any = _TEMPLATES.get_template("report.html.j2").module


class Report:
    """Reads `results`/tables and `results`/figures; each method returns one section of the report as HTML."""

    def __init__(self, dataset: str, results: Path | str, title: str, exported: Sequence[str] = ()) -> None:
        """Open the results of one dataset; `exported` are the models that a factory gets.

        Raises:
            InputError: A table is missing.
        """
        self.dataset, self.results, self.title, self.exported = dataset, Path(results), title, exported
        self.models = list(dict.fromkeys(self._numbers("summary")["model"]))
        tables = [entry.name for entry in PAGE if isinstance(entry, TableEntry)]
        counts = Counter(note for name in tables for note in dict.fromkeys(self._parts(name)[2]))
        self._shared_notes = [note for note, count in counts.items() if count > 1]

    def head(self) -> str:
        """Contents, title, and the card with the conclusion."""
        summary, pairs = self._numbers("summary"), self._numbers("pairs")
        others = map(self._numbers, ("per_class", "operating_points", "promises", "cost"))
        conclusion = about_leader(summary, pairs, self.dataset)
        card = _HTML.head(self.title, conclusion, summary_card(summary, pairs, *others))
        return str(_HTML.contents(_TITLES) + card)

    def question(self) -> str:
        """What was asked."""
        models, cost = ", ".join(self.models), self._numbers("cost")
        count = "one model" if len(self.models) == 1 else f"{len(self.models)} models"
        text = (
            f"Which of {count} ({models}) classifies the weld frames of {self.dataset} best, how sure is that, and can "
            f"a factory rely on it? {about_frames(cost)} {about_start(cost)}. {about_choice(cost)} All were "
            "scored once on the same test frames."
        )
        return str(_HTML.section("question", _TITLES["question"], text, ""))

    def data(self) -> str:
        """The data with its audit."""
        return self._section("data", about_data(self._numbers("distribution"), self.dataset))

    def comparison(self) -> str:
        """Table 3 on both test sets, and the summary."""
        text = about_published(self._numbers("published"), self.dataset)
        return self._section("comparison", text)

    def certainty(self) -> str:
        """Who is better, and how sure."""
        pairs = about_pairs(self._numbers("pairs"), self._numbers("summary"))
        return self._section("certainty", f"{pairs} {about_pretraining(self._numbers('pretraining'))}".strip())

    def failures(self) -> str:
        """Where the models fail: classes, runs, frames."""
        return self._section("failures", about_weakness(self._numbers("per_class")))

    def factory(self) -> str:
        """What a factory would see: escapes, and a vote over the film."""
        escapes = about_operating_points(self._numbers("operating_points"))
        cost = self._numbers("cost")
        valid = dict(zip(cost["model"], cost["valid_macro_f1"].astype(float), strict=True))
        preferred = about_preference(valid, self.exported, cost.loc[cost["valid_doubted"], "model"].tolist())
        return self._section("factory", f"{escapes} {preferred}".strip()) + self._section(
            "vote", about_vote(self._numbers("temporal_vote"))
        )

    def trust(self) -> str:
        """What can be promised about escapes."""
        return self._section("trust", about_promises(self._numbers("promises")))

    def cost(self) -> str:
        """What it cost."""
        return self._section("cost", about_cost(self._numbers("cost")))

    def reading(self) -> str:
        """What several tables have in common, once."""
        notes = _markdown("\n".join(f"- {note}" for note in self._shared_notes))
        return str(_HTML.section("reading", _TITLES["reading"], "These notes belong to several tables.", notes))

    def reproduction(self) -> str:
        """How to get the same again."""
        path = self.results / "lineage.json"
        lineage = read_lineage(path) if path.is_file() else {}
        text = (
            f"Set `dataset: {self.dataset}` in params.yaml and run `snakemake --cores all` or `dvc repro` at this "
            "commit with the locked packages. The same seed, machine and number of threads give the same bytes; the "
            "times differ."
        )
        facts = _HTML.facts({title: _value(lineage.get(key)) for key, title in _LINEAGE.items()})
        folded = _HTML.folded("Commit, data, machine and versions of this run", facts)
        return str(_HTML.section("reproduction", _TITLES["reproduction"], text, folded))

    def _section(self, name: Section, text: str) -> str:
        pieces = [piece for entry in PAGE if entry.section == name for piece in self._shown(entry)]
        return str(_HTML.section(name, _TITLES.get(name, ""), text, Markup().join(pieces)))

    def _shown(self, entry: Entry) -> Iterator[Markup]:
        """Yield the HTML of a registered table or figure, of each model where it is about one."""
        match entry:
            case TableEntry():
                yield self._table(entry)
            case FigureEntry(per_model=False):
                yield self._figure(entry, entry.path())
            case FigureEntry():
                for model in self.models:
                    yield self._figure(entry, entry.path(model), model)
            case StageFigure():
                for model in self.models:
                    if (self.results / entry.path(model)).is_file():
                        yield self._figure(entry, entry.path(model), model)

    def _numbers(self, table: str) -> pd.DataFrame:
        path = self._existing(self.results / "tables" / f"{table}.csv")
        return pd.read_csv(path, keep_default_na=False, na_values=[""])  # a class may be called None

    def _parts(self, name: str) -> tuple[str, str, list[str]]:
        """Return the title, the rows as Markdown, and the notes of a table."""
        text = self._existing(self.results / "tables" / f"{name}.md").read_text("utf-8")
        title, rows, *rest = text.split("\n\n", 2)
        return title.strip("*"), rows, [line.removeprefix("- ") for line in "".join(rest).splitlines()]

    def _table(self, entry: TableEntry) -> Markup:
        title, rows, notes = self._parts(entry.name)
        own = "\n".join(f"- {note}" for note in notes if note not in self._shared_notes)
        body = _unbroken(_markdown(rows).removeprefix("<table>").partition("</table>")[0])
        longest = max(map(len, re.split(r"[ -]*\|[ :-]*", rows)))
        html: Markup = _HTML.table(title, body, _markdown(own) if own else "", longest > _LONG_CELL)
        return _HTML.folded(title, html) if entry.folded else html

    def _figure(self, entry: FigureEntry | StageFigure, path: Path, model: str = "") -> Markup:
        names = {"dataset": self.dataset, "model": model}
        caption, alt = (text.format(**names) for text in (entry.words.caption, entry.words.alt))
        data = base64.b64encode(self._existing(self.results / path).read_bytes()).decode("ascii")
        html: Markup = _HTML.figure(caption, alt, FIGURE_FORMAT, data)
        return html

    def _existing(self, path: Path) -> Path:
        if not path.is_file():
            raise InputError(f"{path}: there is no such file; run the stage compare first")
        return path


def _unbroken(rows: str) -> Markup:
    """Let a cell such as `0.74 ± 0.05 ≈` break before its ± alone, where a table must become narrower."""
    return Markup(rows.replace(" ± ", " ±\N{NO-BREAK SPACE}").replace(" ≈", "\N{NO-BREAK SPACE}≈"))


def _value(value: object) -> str:
    match value:
        case None | "":
            return "not recorded"
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{name} {version}" for name, version in value.items())
        case _:
            return str(value)
