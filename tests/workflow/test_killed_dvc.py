"""DVC killed for real: a plain re-run continues, and makes the bytes that Snakemake makes."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from workflow.conftest import ROOT, edit_params, plan, planned_rules, run, start_and_kill, sums

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
# What DVC says when the kill before struck while it wrote this file.
TORN, TORN_FILE = "Unable to read RWLock-file '.dvc/tmp/rwlock'", ".dvc/tmp/rwlock"


def test_dvc_killed_at_random_moments_makes_the_same_bytes_and_snakemake_takes_them(
    finished: Path, make_project, tmp_path: Path
) -> None:
    project = make_project(tmp_path)
    moments = random.Random(8)
    for first_output in ("data/weldsim/archive.zip", "models/weldsim/**/training.json"):
        mending(start_and_kill, project, ("dvc", "repro"), first_output, moments.uniform(0, 3))
    mending(run, project, "dvc", "repro")
    assert sums(project) == sums(finished)

    run(project, "weldbench", "sync")
    assert "Nothing to be done" in plan(project)
    edit_params(project, lambda params: params["report"].update(title="Another title"))
    assert planned_rules(project) == {"report"}


def mending(step: Callable[..., object], project: Path, *arguments: object) -> None:
    """Do a step; where DVC says that its own lock is torn, do what docs/troubleshooting.md says, and the step again."""
    try:
        step(project, *arguments)
    except AssertionError as ended:
        if TORN not in str(ended):
            raise
        (project / TORN_FILE).unlink()
        step(project, *arguments)


# As a kill leaves it: opened and not yet written, or written in part.
@pytest.mark.parametrize("content", ["", '{"write": {}, "read": {"/a/params.yaml": [{"pid": 17, "c'])
def test_a_lock_of_dvc_that_a_kill_left_torn_is_told_and_mended_as_the_docs_say(
    after_snakemake: Path, content: str
) -> None:
    project = after_snakemake
    (project / TORN_FILE).write_text(content, encoding="utf-8")
    assert TORN in run(project, "dvc", "repro", code=255)
    said = run(project, "weldbench", "sync", code=2)
    assert said.startswith(f"error: DVC: {TORN}")
    assert "delete it, then run `weldbench sync` again" in said
    assert "belongs to" in run(project, "weldbench", "verify")

    advice = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    assert f"`{TORN}`" in advice
    assert f"`rm {TORN_FILE}`" in advice
    mending(run, project, "dvc", "repro")
    run(project, "weldbench", "sync")
    assert "up to date" in run(project, "dvc", "status")
    assert "Nothing to be done" in plan(project)
