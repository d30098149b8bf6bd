"""The workflow as jobs of a real Slurm: `make test-slurm` starts one and runs this."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from workflow.conftest import environment, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        "weldbench-slurm" not in os.environ.get("SLURM_CONF", ""), reason="needs a Slurm of its own: make test-slurm"
    ),
]

SNAKEMAKE = (
    "snakemake", "--workflow-profile", "slurm", "--slurm-status-command", "squeue",
    "--slurm-init-seconds-before-status-checks", "3", "--seconds-between-status-checks", "3", "--max-threads", "2",
)  # fmt: skip
ON_GPU = {"pretrain", "train", "finetune", "evaluate"}
ON_CPU = {"fetch", "ingest", "split", "explain", "compare", "report"}


def slurm_jobs() -> Iterator[dict[str, str]]:
    """Read what Slurm knows of its jobs, the first submitted first; `Rule` is the rule of the workflow."""
    listing = subprocess.run(["scontrol", "show", "job", "--oneliner"], capture_output=True, text=True, check=True)
    for line in listing.stdout.splitlines():
        if "Comment=" in line:
            job = dict(re.findall(r"(\w+)=(\S+)", line))
            yield {**job, "Rule": re.match(r"rule_([a-z]+)", job["Comment"])[1]}


def cancel_first_training(snakemake: subprocess.Popen) -> str:
    """Take the first training from its node, as a cluster does that needs the place."""
    while snakemake.poll() is None:
        for job in slurm_jobs():
            if job["Rule"] == "train" and job["JobState"] == "RUNNING":
                subprocess.run(["scancel", job["JobId"]], check=True)
                return job["JobId"]
        time.sleep(0.5)
    raise AssertionError("no training ran")


def test_the_workflow_runs_on_slurm_and_a_lost_training_is_tried_again(make_project, tmp_path: Path) -> None:
    project = make_project(tmp_path)
    with (tmp_path / "snakemake.log").open("w") as log:
        snakemake = subprocess.Popen(
            SNAKEMAKE, cwd=project, env=environment(project), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            lost = cancel_first_training(snakemake)
            snakemake.wait()
        finally:
            snakemake.kill()
    said = (tmp_path / "snakemake.log").read_text(encoding="utf-8")
    assert snakemake.returncode == 0, said
    assert "resnet18" in (project / "results/weldsim/tables/comparison.md").read_text(encoding="utf-8")
    assert "up to date" in run(project, "dvc", "status")

    jobs = list(slurm_jobs())
    for job in jobs:
        print(job["JobId"], job["Rule"], job["JobState"], job["TRES"], job.get("TresPerJob", ""))
    assert {job["Rule"] for job in jobs if job.get("TresPerJob") == "gres:gpu:1"} == ON_GPU
    assert {job["Rule"] for job in jobs if "TresPerJob" not in job} == ON_CPU
    first, second = (job for job in jobs if job["Rule"] == "train")
    assert (first["JobId"], first["JobState"], first["MinMemoryNode"]) == (lost, "CANCELLED", "16000M")
    assert (second["JobState"], second["MinMemoryNode"]) == ("COMPLETED", "32000M")
