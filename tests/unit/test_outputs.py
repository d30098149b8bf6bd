"""The registered tables and figures: their names and words, and what a wrong entry is told."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from weldbench.reporting.outputs import FIGURES, MODEL_FIGURES, TABLES, figure_names
from weldbench.reporting.registry import PAGE, Entry, Section, StageFigure, figure, table
from weldbench.reporting.sections.failures import EXPLANATION

CAPTIONS = Path(__file__).parents[2] / "workflow" / "report"
DRAWN = [*FIGURES.values(), *MODEL_FIGURES.values(), EXPLANATION]


@pytest.mark.parametrize("entry", TABLES.values(), ids=lambda entry: entry.name)
def test_every_table_has_a_caption(entry: Entry) -> None:
    assert len(entry.words.caption.split()) > 15


@pytest.mark.parametrize("name", ["report", "audit"])
def test_what_is_no_table_has_a_caption_too(name: str) -> None:
    assert len((CAPTIONS / f"{name}.rst").read_text(encoding="utf-8").split()) > 15


@pytest.mark.parametrize("entry", DRAWN, ids=lambda entry: entry.name)
def test_text_for_those_who_cannot_see_says_more_than_the_caption(entry: Entry) -> None:
    assert len(entry.words.alt) > 40
    assert entry.words.alt != entry.words.caption


def test_the_caption_of_explanations_holds_for_a_network_without_convolutions_too() -> None:
    assert "Grad-CAM" not in EXPLANATION.words.caption + EXPLANATION.words.alt


def test_figures_of_models_come_after_those_of_the_comparison() -> None:
    assert figure_names(["b", "a"])[len(FIGURES) :] == (
        *("confusion_b", "runs_b", "errors_b"),
        *("confusion_a", "runs_a", "errors_a"),
    )


def test_the_names_of_files_are_those_of_their_paths() -> None:
    models = ["conv6", "resnet18"]
    paths = [entry.path() for entry in FIGURES.values()]
    paths += [entry.path(model) for model in models for entry in MODEL_FIGURES.values()]
    assert tuple(path.stem for path in paths) == figure_names(models)


def test_the_page_shows_each_once_and_every_section_has_some() -> None:
    kinds = {id(entry) for entry in (*TABLES.values(), *FIGURES.values(), *MODEL_FIGURES.values(), EXPLANATION)}
    assert Counter(map(id, PAGE)) == dict.fromkeys(kinds, 1)
    assert {entry.section for entry in PAGE} == set(get_args(Section))
    failures = [entry for entry in PAGE if entry.section == "failures"]
    assert isinstance(failures[-1], StageFigure)


@pytest.mark.parametrize("register", [table, figure])
@pytest.mark.parametrize(
    ("name", "section", "told"),
    [("cost", "cost", "cost: there is one of this name already"), ("new", "costs", "no section `costs`, but .*cost")],
)
def test_a_wrong_entry_is_refused_and_leaves_nothing(register, name: str, section: str, told: str) -> None:
    before = dict(TABLES), dict(FIGURES), list(PAGE)
    words = {"caption": "x"} if register is table else {"caption": "x", "alt": "y"}
    with pytest.raises(ValueError, match=told):
        register(name, section=section, **words)(print)
    assert (dict(TABLES), dict(FIGURES), list(PAGE)) == before


def test_names_and_words_are_read_without_what_computes_them() -> None:
    code = "import sys, weldbench.reporting.outputs; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {"numpy", "pandas", "matplotlib", "torch", "jinja2"}
