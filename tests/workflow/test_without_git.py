"""From an unpacked archive: no git, and no DVC until `dvc init`; what cannot work says so in a sentence."""

import shutil
import tarfile
from pathlib import Path

import pytest
from workflow.conftest import run

SPLIT = "data/weldsim/split/fold0/split.csv"


@pytest.fixture
def unpacked(project: Path, tmp_path: Path) -> Path:
    """The files of the small project, as someone gets them who downloads an archive."""
    for repository in (".git", ".dvc"):
        shutil.rmtree(project / repository)
    with tarfile.open(tmp_path / "project.tar", "w") as archive:
        archive.add(project, "unpacked")
    with tarfile.open(tmp_path / "project.tar") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "unpacked"


def test_the_workflow_is_planned(unpacked: Path) -> None:
    assert "train" in run(unpacked, "snakemake", "--cores", "2", "--dry-run", "--quiet", "rules")


def test_sync_says_that_dvc_is_not_set_up(unpacked: Path) -> None:
    said = run(unpacked, "weldbench", "sync", code=2)
    assert "`dvc init` (with `--no-scm` where there is no git) sets it up" in said
    assert "Traceback" not in said


def test_verify_says_that_nothing_was_run(unpacked: Path) -> None:
    said = run(unpacked, "weldbench", "verify", code=2)
    assert "there is no record of a run" in said
    assert "Traceback" not in said


def test_dvc_says_how_to_set_it_up(unpacked: Path) -> None:
    said = run(unpacked, "dvc", "repro", code=253)
    assert "you are not inside of a DVC repository" in said
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_workflow_runs_and_its_results_are_verified(unpacked: Path) -> None:
    said = run(unpacked, "snakemake", "--quiet", "rules", "--cores", "2")
    assert "DVC is not set up in this folder" in said
    assert "Traceback" not in said
    assert "belongs to" in run(unpacked, "weldbench", "verify")

    # DVC set up afterwards takes what is there.
    run(unpacked, "dvc", "init", "--quiet", "--no-scm")
    run(unpacked, "weldbench", "sync")
    assert "up to date" in run(unpacked, "dvc", "status")
