"""The code that runs is the code that the engines watch: the src of the project that a script belongs to."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path for path in (ROOT / "scripts").glob("*.py") if path.name != "own_source.py")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Another checkout of the project, whose check of params.yaml says who it is."""
    folder = tmp_path / "checkout"
    for name in ("src", "scripts", "rules", "workflow", "reference", "notebooks", "corrections"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("params.yaml", "requirements.lock"):
        shutil.copy(ROOT / name, folder / name)
    with (folder / "src/weldbench/config/params.py").open("a", encoding="utf-8") as module:
        module.write('\n\ndef load_params(path="params.yaml"):\n    raise InputError("I am the checkout")\n')
    return folder


def run(folder: Path, *command: str | Path, **environment: str) -> subprocess.CompletedProcess:
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=folder, env=usual | environment, capture_output=True, text=True, check=False)


def test_a_script_runs_the_code_beside_it_whatever_is_installed(checkout: Path, tmp_path: Path) -> None:
    for folder, script in ((checkout, "scripts/check.py"), (tmp_path, checkout / "scripts/check.py")):
        done = run(folder, sys.executable, script, "--output", "checked")
        assert (done.returncode, done.stderr) == (2, "error: I am the checkout\n")


def test_the_code_beside_a_script_comes_before_that_of_the_environment(checkout: Path) -> None:
    done = run(checkout, sys.executable, "scripts/check.py", "--output", "checked", PYTHONPATH=str(ROOT / "src"))
    assert "I am the checkout" in done.stderr


def test_snakemake_plans_with_the_code_of_its_project(checkout: Path) -> None:
    done = run(checkout, sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1")
    assert done.returncode == 1
    assert "I am the checkout" in done.stdout + done.stderr


@pytest.mark.parametrize("subcommand", ["sync", "verify"])
def test_the_command_of_another_checkout_stops_with_a_sentence(checkout: Path, subcommand: str) -> None:
    weldbench = [sys.executable, "-c", "from weldbench.cli import main; main()", subcommand]
    done = run(checkout, *weldbench)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {ROOT}/src/weldbench: this weldbench is installed from elsewhere")
    assert "pip install --no-deps -e ." in done.stderr
    # What the sentence advises.
    assert "I am the checkout" in run(checkout, *weldbench, PYTHONPATH="src").stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_script_begins_with_its_own_source(script: Path) -> None:
    imports = [line for line in script.read_text(encoding="utf-8").splitlines() if line.startswith(("import", "from"))]
    assert imports[0].startswith("import own_source")
