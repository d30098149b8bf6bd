"""Both engines for real, on a small configuration: the same bytes, and each takes what the other has made."""

import re
import shutil
from pathlib import Path

import pytest
from workflow.conftest import SNAKEMAKE, commit, edit_code, edit_params, plan, planned_rules, run, sums

pytestmark = pytest.mark.timeout(1800)


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.long
def test_a_cap_of_one_model_takes_frames_of_its_training_and_of_no_split(after_snakemake: Path) -> None:
    project, split = after_snakemake, after_snakemake / "data/weldsim/split/fold0/split.csv"
    splits, others = split.read_bytes(), made(project, "resnet18")
    edit_params(project, lambda params: params["models"]["full_con6"].update(balance="undersample", cap=3))
    run(project, *SNAKEMAKE)
    assert split.read_bytes() == splits
    assert made(project, "resnet18") == others
    text = (project / "results/weldsim/report.html").read_text(encoding="utf-8")
    assert "Not all models learned from the same frames: full_con6 from at most 3 frames of each class of train" in text


def made(project: Path, model: str) -> dict[str, int]:
    """When each file of the trainings of a model was written, and the backbone."""
    files = [*project.glob(f"models/weldsim/{model}/**/*"), *project.glob("models/pretrained/*.safetensors")]
    return {str(path.relative_to(project)): path.stat().st_mtime_ns for path in files if path.is_file()}


@pytest.mark.slow
def test_the_table_alone_trains_nothing(after_snakemake: Path) -> None:
    (after_snakemake / "results/weldsim/tables/comparison.md").unlink()
    table = "results/weldsim/tables/comparison.md"
    said = run(after_snakemake, "snakemake", "--cores", "2", "--dry-run", "--quiet", "rules", "--", table)
    assert set(re.findall(r"^(\w+) +\d+$", said, re.MULTILINE)) == {"compare", "total"}
    assert "train.py" not in run(after_snakemake, "dvc", "repro", "--dry", "compare")


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_change_of_the_code_reruns_what_uses_it_in_both_engines(after_snakemake: Path) -> None:
    project = after_snakemake

    def dvc_stages() -> set[str]:
        return set(re.findall(r"python (scripts/\w+\.py)", run(project, "dvc", "repro", "--dry")))

    edit_code(project, "src/weldbench/evaluation/bootstrap.py")
    assert planned_rules(project) == {"compare", "report"}
    # The card of the export has intervals too; report follows if compare then writes something else.
    assert dvc_stages() == {"scripts/compare.py", "scripts/export.py"}

    edit_code(project, "src/weldbench/training/losses.py")
    trained = {"pretrain", "features", "train", "finetune", "train_head"}
    assert planned_rules(project) == {*trained, "evaluate", "explain", "compare", "report"}
    learning = {"scripts/pretrain.py", "scripts/features.py", "scripts/train.py"}
    assert dvc_stages() == {*learning, "scripts/compare.py", "scripts/export.py"}
