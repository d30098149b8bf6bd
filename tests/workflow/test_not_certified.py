"""What does not belong to params.yaml and the code is not certified, whatever the times of the files say."""

from collections.abc import Callable
from pathlib import Path

import pytest
from workflow.conftest import SNAKEMAKE, commit, edit_params, plan, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_networks_of_other_settings_are_not_certified(after_snakemake: Path) -> None:
    """As after `dvc exp run` and `git checkout .`: the small files come back, the networks do not."""
    project = after_snakemake
    commit(project, "a run")
    train = "train@full_con6-0-0"
    edit_params(project, lambda params: params["models"]["full_con6"].update(learning_rate=0.5))
    run(project, "dvc", "repro", "--single-item", train)
    run(project, "git", "checkout", "--quiet", ".")
    lock = (project / "dvc.lock").read_bytes()
    for command in ("sync", "verify"):
        said = run(project, "weldbench", command, code=2)
        assert "full_con6/fold0/seed0/training.json: made with other settings" in said
        assert "models.full_con6.learning_rate was 0.5, params.yaml says 0.01" in said
    assert "changed outs" in run(project, "dvc", "status", train)
    assert (project / "dvc.lock").read_bytes() == lock
    assert "learning_rate was 0.5" in run(project, "dvc", "repro", "--force", "--single-item", "compare", code=255)
    # What the message advises.
    run(project, "git", "checkout", "--quiet", ".")
    run(project, "dvc", "checkout", "--quiet")
    run(project, "weldbench", "sync")
    assert "belongs to" in run(project, "weldbench", "verify")
    assert "Nothing to be done" in plan(project)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda params: params["models"]["full_con6"].update(learning_rate=0.5), "learning_rate was 0.01"),
        pytest.param(
            lambda params: params["split"].update(on_leak="warn"),
            'split.on_leak was "drop", params.yaml says "warn"',
            marks=pytest.mark.long,
        ),
        pytest.param(
            lambda params: params["pretrain"].update(steps=3),
            "pretrain.steps was 2, params.yaml says 3",
            marks=pytest.mark.long,
        ),
        (lambda params: params["datasets"]["weldsim"].update(imbalance=3), "imbalance was 4.0, params.yaml says 3.0"),
    ],
    ids=["model", "split", "backbone", "frames"],
)
def test_a_touch_after_an_edit_is_not_certified(after_snakemake: Path, edit: Callable[[dict], None], said: str) -> None:
    edit_params(after_snakemake, edit)
    run(after_snakemake, *SNAKEMAKE, "--touch", "--no-hooks")
    assert "Nothing to be done" in plan(after_snakemake)
    assert said in run(after_snakemake, "weldbench", "sync", code=2)
    assert said in run(after_snakemake, "weldbench", "verify", code=2)


def test_code_that_was_edited_and_touched_is_not_certified(after_snakemake: Path) -> None:
    with (after_snakemake / "src/weldbench/training/losses.py").open("a", encoding="utf-8") as module:
        module.write("\nEDITED = True\n")
    run(after_snakemake, *SNAKEMAKE, "--touch", "--no-hooks")
    assert "made by other code" in run(after_snakemake, "weldbench", "sync", code=2)
    assert "Made by other code" in run(after_snakemake, "weldbench", "verify", code=2)
