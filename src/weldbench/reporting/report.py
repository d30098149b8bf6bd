"""The sections of the report, as HTML, from the tables and figures of one dataset; every number is read from there."""

import base64
import html
import re
from pathlib import Path

import pandas as pd
from nbconvert.filters.markdown import markdown2html_mistune

from weldbench.errors import InputError
from weldbench.pipeline.lineage import read_lineage
from weldbench.reporting.captions import FIGURE_CAPTIONS
from weldbench.reporting.narrative import (
    about_cost,
    about_data,
    about_leader,
    about_operating_points,
    about_pairs,
    about_published,
    about_start,
    about_vote,
    about_weakness,
)
from weldbench.reporting.outputs import FIGURE_FORMAT

_LONG_CELL = 60
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


class Report:
    """Reads `results`/tables and `results`/figures; each method returns one section of the report as HTML."""

    def __init__(self, dataset: str, results: Path | str, title: str) -> None:
        """Open the results of one dataset.

        Raises:
            InputError: A table is missing.
        """
        self.dataset, self.results, self.title = dataset, Path(results), title
        self.models = list(dict.fromkeys(self._numbers("summary")["model"]))

    def head(self) -> str:
        """Title and conclusion."""
        conclusion = about_leader(self._numbers("summary"), self._numbers("pairs"), self.dataset)
        return f"<h1>{html.escape(self.title)}</h1>\n" + _paragraph(conclusion, "lead")

    def question(self) -> str:
        """What was asked."""
        models = ", ".join(self.models)
        count = "one model" if len(self.models) == 1 else f"{len(self.models)} models"
        return _section(
            "What was asked",
            f"Which of {count} ({models}) classifies the weld frames of {self.dataset} best, how sure is that, and can "
            f"a factory rely on it? All learned from the same frames of {self.dataset}, were chosen by their score on "
            f"valid, and were scored once on the same test frames; {about_start(self._numbers('cost'))}.",
        )

    def data(self) -> str:
        """The data with its audit."""
        return _section(
            "The data", about_data(self._numbers("distribution"), self.dataset), self._table("distribution")
        ) + self._figures("classes", "class_distribution")

    def comparison(self) -> str:
        """Table 3 on both test sets, and the summary."""
        sections = about_published(self._numbers("published"), self.dataset)
        return (
            _section("The comparison", sections, self._table("comparison"))
            + self._figures("macro_f1")
            + self._table("comparison_balanced")
            + self._table("summary")
            + self._table("published")
        )

    def certainty(self) -> str:
        """Who is better, and how sure."""
        text = about_pairs(self._numbers("pairs"), self._numbers("summary"))
        return _section("Who is better, and how sure", text, self._table("pairs")) + self._figures("learning_curves")

    def failures(self) -> str:
        """Where the models fail: classes, runs, frames."""
        text = about_weakness(self._numbers("per_class"))
        parts = [_section("Where the models fail", text, self._table("per_class"))]
        parts += [self._figures("confusion", model=model) for model in self.models]
        parts += [self._figures("precision_recall", "reliability")]
        parts += [self._table("runs"), *(self._figures("runs", model=model) for model in self.models)]
        parts += [self._figures("errors", model=model) for model in self.models]
        parts += [self._explained(model) for model in self.models]
        return "".join(parts)

    def factory(self) -> str:
        """What a factory would see: escapes, and a vote over the film."""
        return (
            _section(
                "In the factory",
                about_operating_points(self._numbers("operating_points")),
                self._table("operating_points"),
            )
            + _paragraph(about_vote(self._numbers("temporal_vote")))
            + self._table("temporal_vote")
        )

    def cost(self) -> str:
        """What it cost."""
        return _section("What it cost", about_cost(self._numbers("cost")), self._table("cost")) + self._figures("cost")

    def reproduction(self) -> str:
        """How to get the same again."""
        path = self.results / "lineage.json"
        lineage = read_lineage(path) if path.is_file() else {}
        rows = "".join(
            f'<tr><th scope="row">{title}</th><td><code>{_value(lineage.get(key))}</code></td></tr>'
            for key, title in _LINEAGE.items()
        )
        text = (
            f"Set `dataset: {self.dataset}` in params.yaml and run `snakemake --cores all` or `dvc repro` at this "
            "commit with the locked packages. The same seed, machine and number of threads give the same bytes; the "
            "times differ."
        )
        return _section("How to reproduce it", text, f'<div class="scroll"><table class="facts">{rows}</table></div>')

    def _numbers(self, table: str) -> pd.DataFrame:
        path = self._existing(self.results / "tables" / f"{table}.csv")
        return pd.read_csv(path, keep_default_na=False, na_values=[""])  # a class may be called None

    def _table(self, name: str) -> str:
        title, _, body = self._existing(self.results / "tables" / f"{name}.md").read_text("utf-8").partition("\n\n")
        title = title.strip("*")
        rows, rendered = body.partition("\n\n")[0], markdown2html_mistune(body)
        label = html.escape(title, quote=True)
        region = f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">'
        kind = ' class="prose"' if max(map(len, re.split(r"[ -]*\|[ :-]*", rows))) > _LONG_CELL else ""
        opening = f"{region}<table{kind}><caption>{label}</caption>"
        return rendered.replace("<table>", opening).replace("</table>", "</table></div>")

    def _figures(self, *names: str, model: str = "") -> str:
        files = {name: f"{name}_{model}" if model else name for name in names}
        folder = self.results / "figures"
        return "".join(
            _figure(self._existing(folder / f"{file}.{FIGURE_FORMAT}"), name, model) for name, file in files.items()
        )

    def _explained(self, model: str) -> str:
        path = self.results / "explain" / f"{model}.{FIGURE_FORMAT}"
        return _figure(path, "explain", model) if path.is_file() else ""

    def _existing(self, path: Path) -> Path:
        if not path.is_file():
            raise InputError(f"{path}: there is no such file; run the stage compare first")
        return path


def _figure(path: Path, name: str, model: str) -> str:
    caption, alt = (html.escape(text.format(model=model), quote=True) for text in FIGURE_CAPTIONS[name])
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    image = f'<img alt="{alt}" src="data:image/{FIGURE_FORMAT};base64,{data}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>\n"


def _section(title: str, text: str, body: str = "") -> str:
    return f"<h2>{title}</h2>\n{_paragraph(text)}{body}"


def _paragraph(text: str, kind: str = "") -> str:
    opening = f'<p class="{kind}">' if kind else "<p>"
    return markdown2html_mistune(text).replace("<p>", opening)


def _value(value: object) -> str:
    if value is None or value == "":
        return "not recorded"
    if isinstance(value, dict):
        return html.escape(", ".join(f"{name} {version}" for name, version in value.items()))
    return html.escape({True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value))
