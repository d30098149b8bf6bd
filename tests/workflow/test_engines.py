"""Both engines for real, on a small configuration: the same bytes, and each takes what the other has made."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from workflow.conftest import SNAKEMAKE, commit, edit_params, environment, plan, planned_rules, run, sums

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_after_snakemake_dvc_is_clean_and_reruns_only_what_a_change_concerns(after_snakemake: Path) -> None:
    project = after_snakemake
    assert "up to date" in run(project, "dvc", "status")
    assert "Nothing to be done" in plan(project)

    edit_params(project, lambda params: params["models"]["full_con6"].update(learning_rate=0.02))
    assert planned_rules(project) == {"train", "evaluate", "explain", "compare", "report"}
    stages = run(project, "dvc", "repro", "--dry")
    assert "scripts/train.py --dataset weldsim --model full_con6" in stages
    assert "--model resnet18 --seed" not in stages

    # A partial run: what is finished is told to DVC, what is not stays open.
    run(project, *SNAKEMAKE, "models/weldsim/full_con6/fold0/seed0/model.safetensors")
    status = run(project, "dvc", "status")
    assert "train@" not in status
    assert "evaluate@" in status


def test_other_frames_for_one_model_train_that_model_alone_in_both_engines(
    after_snakemake: Path, tmp_path: Path
) -> None:
    with_dvc = Path(shutil.copytree(after_snakemake, tmp_path / "with_dvc", symlinks=True))
    both = (after_snakemake, with_dvc)
    others = {project: made(project, "resnet18") for project in both}
    for project in both:
        edit_params(project, lambda params: params["models"]["full_con6"].update(balance="none"))
    run(after_snakemake, *SNAKEMAKE)
    stages = run(with_dvc, "dvc", "repro")
    assert re.findall(r"--model (\w+)", stages) == ["full_con6"]
    assert {project: made(project, "resnet18") for project in both} == others
    assert sums(after_snakemake) == sums(with_dvc)
    for project in both:
        text = (project / "results/weldsim/tables/distribution.md").read_text(encoding="utf-8")
        # The cap that the section split has is above the few frames here, so all learn from the same ones.
        assert "- full_con6, resnet18, efficientnet_lite0 learned from all frames of train." in text
        assert "up to date" in run(project, "dvc", "status")
    # Of these frames, a cap takes some; of the splits none.
    splits = (after_snakemake / "data/weldsim/split/fold0/split.csv").read_bytes()
    edit_params(after_snakemake, lambda params: params["models"]["full_con6"].update(balance="undersample", cap=3))
    run(after_snakemake, *SNAKEMAKE)
    assert (after_snakemake / "data/weldsim/split/fold0/split.csv").read_bytes() == splits
    assert made(after_snakemake, "resnet18") == others[after_snakemake]
    text = (after_snakemake / "results/weldsim/report.html").read_text(encoding="utf-8")
    assert "Not all models learned from the same frames: full_con6 from at most 3 frames of each class of train" in text


def made(project: Path, model: str) -> dict[str, int]:
    """When each file of the trainings of a model was written, and the backbone."""
    files = [*project.glob(f"models/weldsim/{model}/**/*"), *project.glob("models/pretrained/*.safetensors")]
    return {str(path.relative_to(project)): path.stat().st_mtime_ns for path in files if path.is_file()}


def test_the_table_alone_trains_nothing(after_snakemake: Path) -> None:
    (after_snakemake / "results/weldsim/tables/comparison.md").unlink()
    table = "results/weldsim/tables/comparison.md"
    said = run(after_snakemake, "snakemake", "--cores", "2", "--dry-run", "--quiet", "rules", "--", table)
    assert set(re.findall(r"^(\w+) +\d+$", said, re.MULTILINE)) == {"compare", "total"}
    assert "train.py" not in run(after_snakemake, "dvc", "repro", "--dry", "compare")


def test_clone_and_pull_leave_nothing_to_do(after_snakemake: Path, tmp_path: Path) -> None:
    run(after_snakemake, "dvc", "remote", "add", "--default", "storage", str(tmp_path / "remote"))
    commit(after_snakemake, "results")
    run(after_snakemake, "dvc", "push", "--quiet")
    run(tmp_path, "git", "clone", "--quiet", str(after_snakemake), str(tmp_path / "clone"))
    clone = tmp_path / "clone"
    run(clone, "dvc", "pull", "--quiet")
    run(clone, "weldbench", "sync")
    assert "Nothing to be done" in plan(clone)
    assert sums(clone) == sums(after_snakemake)


def test_a_change_of_the_code_reruns_what_uses_it_in_both_engines(after_snakemake: Path) -> None:
    project = after_snakemake

    def dvc_stages() -> set[str]:
        return set(re.findall(r"python (scripts/\w+\.py)", run(project, "dvc", "repro", "--dry")))

    edit_module(project, "evaluation/bootstrap.py")
    assert planned_rules(project) == {"compare", "report"}
    # The card of the export has intervals too; report follows if compare then writes something else.
    assert dvc_stages() == {"scripts/compare.py", "scripts/export.py"}

    edit_module(project, "training/losses.py")
    trained = {"pretrain", "features", "train", "finetune", "train_head"}
    assert planned_rules(project) == {*trained, "evaluate", "explain", "compare", "report"}
    learning = {"scripts/pretrain.py", "scripts/features.py", "scripts/train.py"}
    assert dvc_stages() == {*learning, "scripts/compare.py", "scripts/export.py"}


@pytest.mark.parametrize(("module", "lost"), [("weldsim/pool.py", "fetch"), ("training/losses.py", "train")])
def test_what_a_failed_job_has_lost_is_made_again(after_snakemake: Path, module: str, lost: str) -> None:
    project, usual = after_snakemake, environment(after_snakemake)
    edit_module(project, module)
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


def edit_module(project: Path, name: str) -> None:
    with (project / "src/weldbench" / name).open("a", encoding="utf-8") as module:
        module.write("\n# edited\n")


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
        (lambda params: params["split"].update(on_leak="warn"), 'split.on_leak was "drop", params.yaml says "warn"'),
        (lambda params: params["pretrain"].update(steps=3), "pretrain.steps was 2, params.yaml says 3"),
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
