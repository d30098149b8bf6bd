from pathlib import Path

import pytest

from weldbench.reporting.captions import FIGURE_CAPTIONS
from weldbench.reporting.outputs import FIGURES, MODEL_FIGURES, TABLES, figure_names

FOLDER = Path(__file__).parents[2] / "workflow" / "report"


@pytest.mark.parametrize("name", [*FIGURES, *MODEL_FIGURES, "explain"])
def test_every_figure_has_the_same_caption_in_both_reports(name):
    path = FOLDER / (f"{name}.rst" if name == "explain" else f"{name}_figure.rst")
    assert path.read_text(encoding="utf-8").startswith(FIGURE_CAPTIONS[name].caption.format(model="one model"))


@pytest.mark.parametrize("name", [*TABLES, "report", "audit"])
def test_every_table_and_page_has_a_caption(name):
    path = FOLDER / (f"{name}_table.rst" if name in TABLES else f"{name}.rst")
    assert len(path.read_text(encoding="utf-8").split()) > 15


@pytest.mark.parametrize("name", [*FIGURES, *MODEL_FIGURES])
def test_text_for_those_who_cannot_see_says_more_than_the_caption(name):
    caption, alt = FIGURE_CAPTIONS[name]
    assert len(alt) > 40
    assert alt != caption


def test_the_caption_of_explanations_holds_for_a_network_without_convolutions_too():
    assert not any("Grad-CAM" in text for text in FIGURE_CAPTIONS["explain"])


def test_figures_of_models_come_after_those_of_the_comparison():
    assert figure_names(["b", "a"])[len(FIGURES) :] == (
        *("confusion_b", "runs_b", "errors_b"),
        *("confusion_a", "runs_a", "errors_a"),
    )
