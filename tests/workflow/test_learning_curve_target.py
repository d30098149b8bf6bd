"""The target learning_curve: trainings on shares of the runs, and their table."""

from pathlib import Path

import pandas as pd
import pytest
from workflow.conftest import edit_params, run

TARGET = ("snakemake", "--quiet", "all", "--cores", "2", "learning_curve")
MODELS = ["full_con6", "resnet18", "resnet18_scratch", "efficientnet_lite0"]


def three_starts(params: dict) -> None:
    """Random weights, a backbone and a frozen one, with a cap that makes fewer runs give more frames each."""
    params["train"]["models"] = ["full_con6", "resnet18_scratch"]
    params["compare"].update(models=MODELS, train_shares=[0.25, 1.0])
    overrides = params["per_dataset"]["weldsim"]
    overrides["models"]["resnet18_scratch"] = dict(overrides["models"]["resnet18"])
    overrides["split"] = {"cap": 6}


def plan(project: Path, *more: str) -> str:
    return run(project, *TARGET, "--dry-run", *more)


@pytest.mark.long
def test_the_target_trains_every_model_on_every_share_and_only_what_lacks(project: Path) -> None:
    edit_params(project, three_starts)
    run(project, *TARGET)
    said = "".join(path.read_text(encoding="utf-8") for path in project.glob("logs/weldsim/learning_curve-*.log"))
    folder = project / "results/weldsim/learning_curve"
    table = pd.read_csv(folder / "learning_curve.csv")
    assert table.groupby("model", sort=False)["share"].agg(list).to_dict() == {model: [0.25, 1.0] for model in MODELS}
    assert (table.groupby("model")["train_runs"].agg(["min", "max"]).nunique() == 1).all()
    assert (table.loc[table["share"] == 0.25, "train_runs"] < table["train_runs"].max()).all()
    assert table["macro_f1"].between(0, 1).all()
    assert "efficientnet_lite0.safetensors lacks frames of this share of train" in said
    told = (folder / "learning_curve.md").read_text(encoding="utf-8")
    assert "With a start from simulated frames" in told
    assert "from random weights (macro F1" in told
    assert (folder / "learning_curve.png").stat().st_size > 10_000
    assert not list(folder.rglob("*.safetensors"))  # the weights of the points are not kept

    # What was trained for it serves the comparison, and a share that is dropped trains nothing.
    edit_params(project, lambda params: params["compare"].update(train_shares=[0.25]))
    assert "learning_curve_point" not in plan(project)
    assert "learning_curve_table" in plan(project)
    edit_params(project, lambda params: params["compare"].update(train_shares=[0.25, 0.5, 1.0]))
    asked = plan(project).splitlines()  # which prints the table of jobs first and last
    assert {line.split()[-1] for line in asked if line.startswith("learning_curve_point ")} == {str(len(MODELS))}
    assert not [line for line in asked if line.startswith(("train ", "finetune ", "train_head ", "evaluate "))]
