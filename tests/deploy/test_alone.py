"""An installation of the base dependencies alone, without torch, pandas and the engines, judges frames."""

import csv
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from weldbench.deploy.bundle import Bundle
from weldbench.deploy.runtimes import open_session

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A virtual environment with weldbench and what its base dependencies bring, until the tests have ended."""
    folder, source = tmp_path_factory.mktemp("alone"), tmp_path_factory.mktemp("source")
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = [folder / "bin/pip", "install", "--quiet", "--no-compile", source]  # Python compiles what it imports
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode and "No matching distribution" in done.stderr:
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
def test_the_base_installation_judges_frames_as_the_whole_one_does(
    alone: Path, bundle: Bundle, frames: NDArray[np.uint8], tmp_path: Path
) -> None:
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / f"{number}.png")
    packages = subprocess.run([alone / "bin/pip", "list"], capture_output=True, text=True, check=True).stdout.lower()
    assert not {"torch", "snakemake", "dvc", "pandas", "pydantic"} & {line.split()[0] for line in packages.splitlines()}
    command = [alone / "bin/weldbench", "predict", bundle.folder, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    said = np.array([[float(row[f"p_{name}"]) for name in bundle.classes] for row in rows])
    np.testing.assert_allclose(said, open_session(bundle, "onnxruntime").run(frames).probabilities, atol=1e-5)
    size_mb = sum(path.stat().st_size for path in alone.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6
    assert size_mb < 700  # with torch and the engines it is 6 GB


@pytest.mark.slow
def test_what_needs_the_pipeline_says_what_to_install(alone: Path, tmp_path: Path) -> None:
    for subcommand in ("sync", "check", "verify"):
        done = subprocess.run([alone / "bin/weldbench", subcommand], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 2
        assert "pip install 'weldbench[pipeline]'" in done.stderr
        assert "Traceback" not in done.stderr
