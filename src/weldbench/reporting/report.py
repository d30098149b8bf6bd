"""The sections of the report, as HTML, from the tables and figures of one dataset; every number is read from there."""

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from markupsafe import Markup

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
from weldbench.reporting.page import HTML, Page
from weldbench.reporting.promises_in_words import about_promises
from weldbench.reporting.registry import PAGE, Entry, FigureEntry, Section, StageFigure, TableEntry
from weldbench.reporting.summary_card import leader, summary_card

# By its name, as an import would make the report depend on all code that compare computes with. It fills PAGE.
importlib.import_module("weldbench.reporting.sections")

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
_WORDS = [
    "Run: one recorded weld; its frames are near copies of each other.",
    "Train, valid, test: the frames to learn from, those that choose weights and thresholds, those that are scored.",
    "Recall of a class: the share of its frames that get its name. Precision: the share of the frames with that name "
    "that are of it. F1: their harmonic mean, from 0 to 1 (flawless). Macro F1: the mean of the classes, all alike.",
    "Seed: of the random numbers of a training. Each model is trained once with each seed.",
    "p: how probable a difference at least so large would be if both models were equally good.",
    "Escape: a defect that is taken for good. False reject: good, but taken for a defect.",
]
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

    def __init__(self, dataset: str, results: Path | str, title: str, exported: Sequence[str] = ()) -> None:
        """Open the results of one dataset; `exported` are the models that a factory gets.

        Raises:
            InputError: A table is missing.
        """
        self.dataset, self.results, self.title, self.exported = dataset, Path(results), title, exported
        tables = [entry.name for entry in PAGE if isinstance(entry, TableEntry)]
        self._page = Page(self.results / "tables", tables, "run the stage compare first")
        self.models = list(dict.fromkeys(self._numbers("summary")["model"]))

    def head(self) -> str:
        """Contents, title, and the card with the conclusion."""
        summary, pairs = self._numbers("summary"), self._numbers("pairs")
        others = map(self._numbers, ("per_class", "operating_points", "promises", "cost"))
        conclusion = about_leader(summary, pairs, self.dataset)
        card = HTML.head(self.title, conclusion, summary_card(summary, pairs, *others))
        return str(HTML.contents(_TITLES) + card)

    def question(self) -> str:
        """What was asked."""
        models, cost = ", ".join(self.models), self._numbers("cost")
        one = len(self.models) == 1
        asked = (
            f"How well does {models} classify the weld frames of {self.dataset}"
            if one
            else f"Which of {len(self.models)} models ({models}) classifies the weld frames of {self.dataset} best"
        )
        text = (
            f"{asked}, how sure is that, and can a factory rely on it? {about_frames(cost)} {about_start(cost)}. "
            f"{about_choice(cost)} {'It was scored once on the' if one else 'All were scored once on the same'} test "
            "frames."
        )
        return str(HTML.section("question", _TITLES["question"], text, ""))

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
        best = leader(self._numbers("summary"))["model"]
        return self._section("trust", about_promises(self._numbers("promises"), best))

    def cost(self) -> str:
        """What it cost."""
        return self._section("cost", about_cost(self._numbers("cost")))

    def reading(self) -> str:
        """What several tables have in common, once."""
        return self._page.reading(_WORDS)

    def reproduction(self) -> str:
        """How to get the same again."""
        path = self.results / "lineage.json"
        lineage = read_lineage(path) if path.is_file() else {}
        text = (
            f"Set `dataset: {self.dataset}` in params.yaml and run `snakemake --cores all` or `dvc repro` at this "
            "commit with the locked packages. The same seed, machine and number of threads give the same bytes; the "
            "times differ. `docs/citing.md` says how to compare your results with these, and how to cite a number; "
            f"every table is also in LaTeX, in results/{self.dataset}/tables."
        )
        facts = HTML.facts({title: _value(lineage.get(key)) for key, title in _LINEAGE.items()})
        folded = HTML.folded("Commit, data, machine and versions of this run", facts)
        return str(HTML.section("reproduction", _TITLES["reproduction"], text, folded))

    def _section(self, name: Section, text: str) -> str:
        pieces = [piece for entry in PAGE if entry.section == name for piece in self._shown(entry)]
        return str(HTML.section(name, _TITLES.get(name, ""), text, Markup().join(pieces)))

    def _shown(self, entry: Entry) -> Iterator[Markup]:
        """Yield the HTML of a registered table or figure, of each model where it is about one."""
        match entry:
            case TableEntry():
                yield self._page.table(entry.name, entry.folded)
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
        path = self._page.existing(self.results / "tables" / f"{table}.csv")
        return pd.read_csv(path, keep_default_na=False, na_values=[""])  # a class may be called None

    def _figure(self, entry: FigureEntry | StageFigure, path: Path, model: str = "") -> Markup:
        return self._page.figure(self.results / path, entry.words, {"dataset": self.dataset, "model": model})


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
