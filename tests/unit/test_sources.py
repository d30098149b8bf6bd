"""Which files a script computes with."""

import json
from pathlib import Path

import pytest

from weldbench.pipeline import sources
from weldbench.pipeline.sources import code_sha256, files_used_by, places_used_by


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "src/weldbench/__init__.py": "",
        "src/weldbench/errors.py": "",
        "src/weldbench/runtime/__init__.py": "",
        "src/weldbench/runtime/atomic.py": "from weldbench.secret import x",
        "src/weldbench/runtime/hardware.py": "",
        "src/weldbench/secret/x.py": "",
        "src/weldbench/evaluation/__init__.py": "",
        "src/weldbench/evaluation/far.py": "import numpy",
        "src/weldbench/evaluation/other.py": "",
        "src/weldbench/deploy/__init__.py": "",
        "src/weldbench/deploy/alone.py": "",
        "src/weldbench/deploy/pages/__init__.py": "",
        "src/weldbench/deploy/pages/one.py": "from weldbench.deploy.pages import two",
        "src/weldbench/deploy/pages/two.py": "",
        "src/weldbench/near/__init__.py": "",
        "src/weldbench/near/one.py": "def later():\n    from weldbench.evaluation.far import y",
        "src/weldbench/near/page.html.j2": "",
        "src/weldbench/near/two.py": "",
        "src/weldbench/weldsim/__init__.py": "from weldbench.weldsim.film import z",
        "src/weldbench/weldsim/film.py": "",
        "scripts/one.py": (
            "from weldbench.runtime.atomic import a\nfrom weldbench.near import one\nfrom weldbench.weldsim import z"
        ),
        "scripts/all.py": "from weldbench.evaluation import far, other",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_modules_are_followed_into_functions_and_packages_but_not_into_plumbing(project: Path) -> None:
    assert places_used_by("scripts/one.py") == [
        "scripts/one.py",
        "src/weldbench/evaluation/far.py",
        "src/weldbench/near",
        "src/weldbench/weldsim",
    ]


def test_a_wide_room_is_named_whole_where_all_of_it_is_used(project: Path) -> None:
    assert places_used_by("scripts/all.py") == ["scripts/all.py", "src/weldbench/evaluation"]


def test_a_folder_of_a_wide_room_is_named_whole_where_all_of_it_is_used(project: Path) -> None:
    (project / "scripts/some.py").write_text("from weldbench.deploy.pages.two import x", encoding="utf-8")
    assert places_used_by("scripts/some.py") == ["scripts/some.py", "src/weldbench/deploy/pages/two.py"]
    (project / "scripts/more.py").write_text("from weldbench.deploy.pages.one import x", encoding="utf-8")
    assert places_used_by("scripts/more.py") == ["scripts/more.py", "src/weldbench/deploy/pages"]


def test_an_engine_that_watches_no_folders_gets_their_files(project: Path) -> None:
    assert files_used_by("scripts/one.py") == [
        "scripts/one.py",
        "src/weldbench/evaluation/far.py",
        "src/weldbench/near/__init__.py",
        "src/weldbench/near/one.py",
        "src/weldbench/near/page.html.j2",
        "src/weldbench/near/two.py",
        "src/weldbench/weldsim/__init__.py",
        "src/weldbench/weldsim/film.py",
    ]


def test_a_notebook_is_read_by_its_code_cells(project: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["import weldbench.near.one"]},
        {"cell_type": "code", "source": ["import os\n", "from weldbench.evaluation.far import y"]},
    ]
    (project / "book.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert places_used_by("book.ipynb") == ["book.ipynb", "src/weldbench/evaluation/far.py"]


@pytest.mark.parametrize(
    ("module", "text", "same"),
    [
        ("near/one.py", "# why\nx = 1  # what\n", True),
        ("near/one.py", '"""Doc."""\nx = (\n    1\n)\n', True),
        ("near/one.py", "x = 2\n", False),
        ("near/one.py", "x = 1.0\n", False),
        ("near/one.py", "x: int = 1\n", False),
        ("far/two.py", "def f():\n    return 1\n", False),
        ("far/three.py", "nobody = 'uses me'\n", True),
    ],
)
def test_the_sum_of_code_changes_with_what_is_computed_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, text: str, same: bool
) -> None:
    monkeypatch.setattr(sources, "__file__", str(tmp_path / "pipeline/sources.py"))
    files = {"start.py": "from weldbench.near import one\nfrom weldbench.far.two import f", "near/one.py": "x = 1\n"}
    for name, code in {**files, "far/two.py": 'def f():\n    """Say 2."""\n    return 2\n'}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code)
    code_sha256.cache_clear()
    before = code_sha256("start.py")
    (tmp_path / module).write_text(text)
    code_sha256.cache_clear()
    assert (code_sha256("start.py") == before) is same
    code_sha256.cache_clear()
