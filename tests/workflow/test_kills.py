"""Both engines killed for real, again and again: a plain re-run continues, and ends with the same bytes."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from workflow.conftest import SNAKEMAKE, edit_params, environment, plan, planned_rules, run, sums

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def start_and_kill(project: Path, command: tuple[str, ...], after_seconds: float) -> None:
    """Kill the engine and all that it started."""
    process = subprocess.Popen(
        command, cwd=project, env=environment(project), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(after_seconds)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the run was faster than the kill"


def test_snakemake_killed_at_random_moments_ends_with_the_same_bytes(
    finished: Path, make_project, tmp_path: Path
) -> None:
    project = make_project(tmp_path)
    moments = random.Random(7)
    for _ in range(3):
        start_and_kill(project, SNAKEMAKE, moments.uniform(8, 20))
        run(project, "snakemake", "--unlock")
    run(project, *SNAKEMAKE)
    assert sums(project) == sums(finished)


def test_dvc_killed_at_random_moments_makes_the_same_bytes_and_snakemake_takes_them(
    finished: Path, make_project, tmp_path: Path
) -> None:
    project = make_project(tmp_path)
    moments = random.Random(8)
    for _ in range(2):
        start_and_kill(project, ("dvc", "repro"), moments.uniform(8, 25))
    run(project, "dvc", "repro")
    assert sums(project) == sums(finished)

    run(project, "weldbench", "sync")
    assert "Nothing to be done" in plan(project)
    edit_params(project, lambda params: params["report"].update(title="Another title"))
    assert planned_rules(project) == {"report"}
