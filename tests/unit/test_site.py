"""The site that `make docs` builds, with a broken link as a failure."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_site_builds_without_a_broken_link_and_can_be_searched(tmp_path):
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "-c", "docs", "-d", tmp_path / "trees"]
    done = subprocess.run([*command, ".", tmp_path / "site"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = {path.relative_to(tmp_path / "site").as_posix() for path in (tmp_path / "site").rglob("*.html")}
    assert {f"docs/{path.stem}.html" for path in (ROOT / "docs").glob("*.md")} <= pages
    assert {"README.html", "CONTRIBUTING.html", "autoapi/weldbench/evaluation/bootstrap/index.html"} <= pages
    found = (tmp_path / "site/searchindex.js").read_text(encoding="utf-8")
    assert "weldbench.training.losses" in found
    assert not (ROOT / "autoapi").exists()
