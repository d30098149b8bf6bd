"""From an unpacked archive: no git, and no DVC until `dvc init`; what cannot work says so in a sentence."""

import json
import re
import shutil
import tarfile
from pathlib import Path

import pytest
from workflow.conftest import edit_params, run

SPLIT = "data/weldsim/split/fold0/split.csv"


def unpacked(project: Path, without: tuple[str, ...] = (".git", ".dvc")) -> Path:
    """The files of a project as someone gets them who unpacks an archive of it; that of `git archive` has a .dvc."""
    for repository in without:
        shutil.rmtree(project / repository)
    with tarfile.open(project.parent / "project.tar", "w") as archive:
        archive.add(project, "unpacked")
    with tarfile.open(project.parent / "project.tar") as archive:
        archive.extractall(project.parent, filter="data")
    return project.parent / "unpacked"


@pytest.fixture
def fresh(project: Path) -> Path:
    return unpacked(project)


def test_the_workflow_is_planned(fresh: Path) -> None:
    assert "train" in run(fresh, "snakemake", "--cores", "2", "--dry-run", "--quiet", "rules")


def test_sync_says_that_dvc_is_not_set_up(fresh: Path) -> None:
    said = run(fresh, "weldbench", "sync", code=2)
    assert "`dvc init --no-scm` sets it up" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("without", [(".git", ".dvc"), (".git",), (".dvc",)], ids=["no-git-no-dvc", "no-git", "no-dvc"])
def test_what_sync_advises_sets_dvc_up(project: Path, without: tuple[str, ...]) -> None:
    folder = unpacked(project, without)
    advised = re.search("`(dvc init.*?)`", run(folder, "weldbench", "sync", code=2))
    run(folder, *advised[1].split())
    said = run(folder, "weldbench", "sync")
    assert "Snakemake has nothing to learn from DVC" in said


@pytest.mark.parametrize("seeds", [0, None, "0, 1"])
def test_weldbench_check_names_the_key_that_dvc_trips_over(project: Path, seeds: object) -> None:
    edit_params(project, lambda params: params.update(seeds=seeds))
    for command in ("check", "sync"):
        said = run(project, "weldbench", command, code=2)
        assert said.startswith("error: params.yaml: ")
        assert "`seeds`" in said
        assert "Traceback" not in said


def test_verify_says_that_nothing_was_run(fresh: Path) -> None:
    said = run(fresh, "weldbench", "verify", code=2)
    assert "there is no record of a run" in said
    assert "Traceback" not in said


def test_dvc_says_how_to_set_it_up(fresh: Path) -> None:
    said = run(fresh, "dvc", "repro", code=253)
    assert "you are not inside of a DVC repository" in said
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_workflow_runs_and_its_results_are_verified(after_snakemake: Path) -> None:
    folder = unpacked(after_snakemake)
    edit_params(folder, lambda params: params["report"].update(title="Without git"))
    said = run(folder, "snakemake", "--quiet", "rules", "--cores", "2")
    assert "DVC is not set up in this folder" in said
    assert "Traceback" not in said
    assert "belongs to" in run(folder, "weldbench", "verify")
    assert json.loads((folder / "results/weldsim/lineage.json").read_text(encoding="utf-8"))["commit"] is None

    # DVC set up afterwards takes what is there.
    run(folder, "dvc", "init", "--quiet", "--no-scm")
    run(folder, "weldbench", "sync")
    assert "up to date" in run(folder, "dvc", "status")
