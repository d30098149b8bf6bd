"""The page of `snakemake trust`: what a factory asks beyond the comparison, from drills that take minutes."""

from pathlib import Path

from weldbench.reporting.page import HTML, Page
from weldbench.reporting.registry import Words
from weldbench.reporting.tables import label_review, unknown
from weldbench.reporting.tables.robustness import ROBUSTNESS_WORDS

TABLES = ("unknown", "robustness", "robustness_escapes", "review")
FIGURES = ("unknown", "robustness", "review")
_TITLES = {
    "summary": "Summary",
    "unknown": "Something never seen",
    "robustness": "Another lamp, another camera",
    "review": "Labels to look at again",
    "reading": "How to read the tables",
}
_HEAD = (
    "The report of {dataset} says how good the models are on frames like those of test. This page asks what happens "
    "beyond them: with defects that were never learned, with a camera that changed, and with labels that are wrong. "
    "What can be promised about welds stands in the report itself."
)
_UNKNOWN = (
    "A network answers with one of its classes, whatever it sees. So an export also scores how strange a frame is, and "
    "calls it unknown above a threshold. Each defect in turn was left out of training, to see what becomes of it; so "
    "were frames without a weld."
)
_ROBUSTNESS = (
    "Test frames were changed as another lamp, another lens or a careless hand would change them, in three strengths. "
    "The networks and thresholds stayed as they are."
)


class TrustPage:
    """Reads the folder `trust` of one dataset's results; each method returns one section as HTML.

    Args:
        dataset: Its name.
        results: Folder of its results.

    Raises:
        InputError: A table is missing.
    """

    def __init__(self, dataset: str, results: Path | str) -> None:
        self.dataset, self._folder = dataset, Path(results) / "trust"
        self._page = Page(self._folder, TABLES, "run `snakemake --cores all trust`")

    def head(self) -> str:
        """Contents and title."""
        title = f"What can be relied on: {self.dataset}"
        return str(HTML.contents(_TITLES) + HTML.head(title, _HEAD.format(dataset=self.dataset), []))

    def unknown(self) -> str:
        """Frames of classes that were not learned, and frames without a weld."""
        words = Words(unknown.FIGURE_CAPTION, unknown.FIGURE_ALT)
        return self._section("unknown", _UNKNOWN, "unknown", words)

    def robustness(self) -> str:
        """Changed frames: macro F1, and what escapes."""
        words = ROBUSTNESS_WORDS["robustness_figure"]
        return self._section("robustness", _ROBUSTNESS, "robustness", words) + str(
            self._page.table("robustness_escapes", folded=True)
        )

    def review(self) -> str:
        """Labels that are probably wrong."""
        words = Words(label_review.GALLERY_CAPTION, label_review.GALLERY_ALT)
        return self._section("review", label_review.WHAT_IT_MEANS, "review", words)

    def reading(self) -> str:
        """What several tables have in common, once."""
        return self._page.reading()

    def _section(self, name: str, text: str, table: str, words: Words) -> str:
        figure = self._page.figure(self._folder / f"{name}.png", words, {"dataset": self.dataset})
        return str(HTML.section(name, _TITLES[name], text, self._page.table(table) + figure))
