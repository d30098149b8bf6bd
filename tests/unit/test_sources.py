"""Which files a script computes with."""

import json
from pathlib import Path

import pytest

from weldbench.sources import files_used_by


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "src/weldbench"
    (package / "weldsim").mkdir(parents=True)
    (tmp_path / "scripts").mkdir()
    files = {
        "src/weldbench/__init__.py": "",
        "src/weldbench/atomic.py": "from weldbench.secret import x",
        "src/weldbench/secret.py": "",
        "src/weldbench/far.py": "import numpy",
        "src/weldbench/near.py": "def later():\n    from weldbench.far import y",
        "src/weldbench/unused.py": "",
        "src/weldbench/weldsim/__init__.py": "from weldbench.weldsim.film import z",
        "src/weldbench/weldsim/film.py": "",
        "scripts/one.py": "from weldbench.atomic import a\nfrom weldbench import near\nfrom weldbench.weldsim import z",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_modules_are_followed_into_functions_and_packages_but_not_into_plumbing(project: Path) -> None:
    assert files_used_by("scripts/one.py") == [
        "scripts/one.py",
        "src/weldbench/far.py",
        "src/weldbench/near.py",
        "src/weldbench/weldsim/__init__.py",
        "src/weldbench/weldsim/film.py",
    ]


def test_a_notebook_is_read_by_its_code_cells(project: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["import weldbench.unused"]},
        {"cell_type": "code", "source": ["import os\n", "from weldbench.far import y"]},
    ]
    (project / "book.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert files_used_by("book.ipynb") == ["book.ipynb", "src/weldbench/far.py"]
