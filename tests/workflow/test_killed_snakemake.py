"""Snakemake killed for real, again and again: a plain re-run continues, and ends with the same bytes."""

import random
from pathlib import Path

import pytest
from workflow.conftest import SNAKEMAKE, run, start_and_kill, sums

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


def test_snakemake_killed_at_random_moments_ends_with_the_same_bytes(
    finished: Path, make_project, tmp_path: Path
) -> None:
    project = make_project(tmp_path)
    moments = random.Random(7)
    for first_output in ("data/weldsim/archive.zip", "models/weldsim/**/training.json", "results/**/predictions.csv"):
        start_and_kill(project, SNAKEMAKE, first_output, moments.uniform(0, 1.5))
        run(project, "snakemake", "--unlock")
    run(project, *SNAKEMAKE)
    assert sums(project) == sums(finished)
