"""What the Slurm profile asks for; this needs no Slurm."""

import re
from pathlib import Path

import pytest
from workflow.conftest import run

PROFILE = "workflow/profiles/slurm/config.yaml"
ON_GPU = {"pretrain", "features", "train", "finetune", "train_head", "evaluate"}


@pytest.fixture
def project(make_project, tmp_path: Path) -> Path:
    return make_project(tmp_path)


def resources(project: Path) -> dict[str, dict[str, str]]:
    """Map each rule of the plan to what its jobs ask for."""
    plan = run(project, "snakemake", "--workflow-profile", "slurm", "--dry-run")
    found = re.findall(r"^rule (\w+):\n(?:    .*\n)*?    resources: (.*)$", plan, re.MULTILINE)
    return {rule: dict(split.split("=", 1) for split in asked.split(", ")) for rule, asked in found}


def test_a_training_has_one_gpu_and_nothing_else_has_any(project: Path) -> None:
    asked = resources(project)
    assert {rule for rule in asked if asked[rule].get("gpu", "0") == "1"} == ON_GPU
    assert asked.keys() - ON_GPU == {"fetch", "ingest", "split", "explain", "compare", "report", "export", "all"}
    assert (asked["train"]["mem_mb"], asked["train"]["runtime"]) == ("16000", "240")
    assert (asked["compare"]["mem_mb"], asked["compare"]["runtime"]) == ("4000", "60")


def test_one_line_switches_all_gpus_off(project: Path) -> None:
    profile = (project / PROFILE).read_text(encoding="utf-8")
    assert profile.count("gpu: 1") == 1
    (project / PROFILE).write_text(profile.replace("gpu: 1", "gpu: 0"), encoding="utf-8")
    assert {asked.get("gpu", "0") for asked in resources(project).values()} == {"0"}
