"""DVC killed for real: a plain re-run continues, and makes the bytes that Snakemake makes."""

import random
from pathlib import Path

import pytest
from workflow.conftest import edit_params, plan, planned_rules, run, start_and_kill, sums

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_dvc_killed_at_random_moments_makes_the_same_bytes_and_snakemake_takes_them(
    finished: Path, make_project, tmp_path: Path
) -> None:
    project = make_project(tmp_path)
    moments = random.Random(8)
    for first_output in ("data/weldsim/archive.zip", "models/weldsim/**/training.json"):
        start_and_kill(project, ("dvc", "repro"), first_output, moments.uniform(0, 3))
    run(project, "dvc", "repro")
    assert sums(project) == sums(finished)

    run(project, "weldbench", "sync")
    assert "Nothing to be done" in plan(project)
    edit_params(project, lambda params: params["report"].update(title="Another title"))
    assert planned_rules(project) == {"report"}
