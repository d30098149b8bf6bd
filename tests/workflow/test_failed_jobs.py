"""What a job that failed or a process that was killed leaves: it is made again, and by one process at a time."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from workflow.conftest import SNAKEMAKE, edit_code, edit_params, environment, planned_rules, run

pytestmark = pytest.mark.timeout(1800)


@pytest.mark.parametrize(
    ("file", "lost"),
    [
        pytest.param("src/weldbench/weldsim/pool.py", "fetch", marks=pytest.mark.long),
        pytest.param("src/weldbench/training/losses.py", "train", marks=pytest.mark.long),
        pytest.param("scripts/evaluate.py", "evaluate", marks=pytest.mark.slow),
    ],
)
def test_what_a_failed_job_has_lost_is_made_again(after_snakemake: Path, file: str, lost: str) -> None:
    project, usual = after_snakemake, environment(after_snakemake)
    edit_code(project, file)
    broken = project / "broken" / "python"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    without_python = {**usual, "PATH": f"{broken.parent}{os.pathsep}{usual['PATH']}"}
    failed = subprocess.run(SNAKEMAKE, cwd=project, env=without_python, capture_output=True)
    assert failed.returncode == 1
    assert {lost, "compare", "report"} <= planned_rules(project)
    run(project, *SNAKEMAKE)
    assert "up to date" in run(project, "dvc", "status")


@pytest.mark.slow
def test_the_second_engine_stops_with_a_word(after_snakemake: Path) -> None:
    project = after_snakemake
    edit_params(project, lambda params: params["models"]["full_con6"].update(epochs=2000))
    log = project / "logs/weldsim/full_con6-fold0-seed0-train.log"
    log.unlink()
    first = subprocess.Popen(
        (*SNAKEMAKE, "models/weldsim/full_con6/fold0/seed0/model.safetensors"), cwd=project, env=environment(project),
        start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not log.exists():
            assert first.poll() is None
            time.sleep(0.2)
        said = run(project, "dvc", "repro", code=255)
        assert "wait until it has ended" in said
        assert "wait until it has ended" in run(project, "weldbench", "sync", code=2)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()


@pytest.mark.long
def test_a_training_that_outlives_its_snakemake_is_not_joined_by_another(after_snakemake: Path) -> None:
    project, network = after_snakemake, "models/weldsim/full_con6/fold0/seed0/model.safetensors"
    edit_params(project, lambda params: params["models"]["full_con6"].update(epochs=100_000))
    first = subprocess.Popen(
        (*SNAKEMAKE, network), cwd=project, env=environment(project), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    state = project / "models/weldsim/full_con6/fold0/seed0/.checkpoint.safetensors"
    try:
        while not state.exists():
            assert first.poll() is None
            time.sleep(0.2)
        first.kill()
        first.wait()
        run(project, "snakemake", "--unlock")
        said = run(project, "snakemake", "--cores", "2", network, code=1)
        assert "another process is writing it" in said
        assert "Traceback" not in said
    finally:
        os.killpg(first.pid, signal.SIGKILL)
