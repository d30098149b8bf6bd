"""The project's own files hold together, and its style holds."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def names_and_pins(lines: list[str]) -> dict[str, str]:
    found = (re.match(r"([A-Za-z0-9._-]+)\s*(==\s*[^;\s]+)?", line) for line in lines)
    return {match[1].lower().replace("_", "-"): (match[2] or "").replace(" ", "") for match in found if match}


def test_every_requirement_stands_in_the_lock_with_the_same_pin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = names_and_pins(sum(project["optional-dependencies"].values(), project["dependencies"]))
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    locked = names_and_pins([line for line in lock if not line.startswith("#")])
    assert wanted.keys() <= locked.keys()
    assert {name: pin for name, pin in wanted.items() if pin and locked[name] != pin} == {}


def test_conda_users_get_the_same_packages(tmp_path: Path) -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    # conda gives pip's lines to pip as a file, which allows less than the command line.
    lines = tmp_path / "lines.txt"
    lines.write_text("\n".join(pip["pip"]).replace("requirements.lock", str(ROOT / "requirements.lock")))
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--no-build-isolation", "-r", lines]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"Would install weldbench-[\d.]+", done.stdout.strip().splitlines()[-1])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [package for package in conda if package.startswith("python=")] == ["python=3.11"]
    assert project["requires-python"] == ">=3.11"


def checks_of_make_lint() -> list[str]:
    """Return its commands but for pytest's, as pytest runs those tests and examples anyway."""
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    return [line.strip() for line in recipe[1].splitlines() if not line.startswith("\tpytest")]


@pytest.mark.parametrize("command", checks_of_make_lint())
def test_lint(command: str) -> None:
    tool, *arguments = command.split()
    done = subprocess.run([BIN / tool, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_make_alone_names_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()
    command = ["make", "--no-print-directory"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    sentences = dict(line.split(maxsplit=1) for line in shown)
    assert list(sentences) == targets
    assert all(re.fullmatch(r"[A-Z].*[.]", sentence) for sentence in sentences.values())


def test_functions_stay_small() -> None:
    long = [
        f"{path.name} {node.name}"
        for path in [*(ROOT / "src").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= 60
    ]
    assert long == []


def test_files_stay_small() -> None:
    scripts = {path.name: len(path.read_text("utf-8").splitlines()) for path in (ROOT / "scripts").glob("*.py")}
    modules = {path.name: len(path.read_text("utf-8").splitlines()) for path in (ROOT / "src").rglob("*.py")}
    assert {name: lines for name, lines in scripts.items() if lines > 60} == {}
    assert {name: lines for name, lines in modules.items() if lines > 260} == {}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="an unpacked archive has no index of git")
def test_git_keeps_nothing_that_it_is_told_to_ignore() -> None:
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="an unpacked archive has no index of git")
def test_the_small_results_of_every_dataset_are_for_git() -> None:
    small = ["tables/comparison.md", "figures/macro_f1.png", "evaluation/conv6/fold0/seed0/metrics.json"]
    large = ["report.html", "explain/conv6.png", "evaluation/conv6/fold0/seed0/predictions.csv"]
    paths = [f"results/mine/{name}" for name in (*small, *large)]
    done = subprocess.run(["git", "check-ignore", *paths], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == [f"results/mine/{name}" for name in large]


def test_snakemake_lint_has_only_the_remarks_that_contributing_explains() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    remarks = {line.strip(" *:") for line in (done.stdout + done.stderr).splitlines() if line.startswith("    * ")}
    assert remarks == {
        "Specify a conda environment or container for each rule.",
        "Mixed rules and functions in same snakefile.",
        "Shell command directly uses variable INTO from outside of the rule",
    }
