"""The README shows what the default run wrote, and its links lead somewhere."""

import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_table_of_the_readme_is_that_of_the_default_run() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [\w -]+, [\w -]+ \| (0\.\d{3}) \| (0\.\d{3}) to (0\.\d{3}) \|$", readme, re.MULTILINE)
    summary = pd.read_csv(ROOT / "results/weldsim/tables/summary.csv")
    everywhere = summary[summary["test_set"] == summary["test_set"].iloc[0]]
    columns = ["macro_f1", "macro_f1_low", "macro_f1_high"]
    assert rows == [tuple(f"{value:.3f}" for value in row) for row in everywhere[columns].itertuples(index=False)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_files_that_the_readme_names_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## Where things are")[2]
    named = [name for name in re.findall(r"`([\w./]+/[\w./]*|\w+\.(?:yaml|cff))`", section) if "*" not in name]
    package = ROOT / "src/weldbench"
    assert named
    assert [name for name in named if not (ROOT / name).exists() and not (package / name).exists()] == []
