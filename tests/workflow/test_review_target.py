"""From labels in doubt to corrected ones: the target review, and what both engines do about a file of corrections."""

from pathlib import Path

import pandas as pd
import pytest
from workflow.conftest import edit_params, plan, run
from workflow.graphs import dvc_graph, graph_differences, snakemake_graph

from weldbench.splitting.corrections import Correction, write_corrections

FILE = "corrections/weldsim.csv"


def apply_file(params: dict) -> None:
    params["per_dataset"]["weldsim"]["split"] = {"cap": 120, "corrections": FILE}


def test_corrections_are_an_input_of_split_alone_in_both_engines(project: Path) -> None:
    write_corrections(project / FILE, [])
    before = snakemake_graph(project), dvc_graph(project)
    edit_params(project, apply_file)
    after = snakemake_graph(project), dvc_graph(project)
    assert graph_differences(*after) == []
    for old, new in zip(before, after, strict=True):
        changed = [command for command in new if "corrections" in str(new[command].inputs ^ old[command].inputs)]
        assert [command.split()[1] for command in changed] == ["scripts/split.py"]


@pytest.mark.long
def test_labels_are_listed_corrected_and_all_results_go_by_them(after_snakemake: Path) -> None:
    project = after_snakemake
    run(project, "snakemake", "--quiet", "all", "--cores", "2", "review")
    listed = pd.read_csv(project / "results/weldsim/review.csv", keep_default_na=False)
    manifest = pd.read_csv(project / "data/weldsim/manifest.csv", keep_default_na=False)
    assert set(zip(listed["path"], listed["given"], strict=True)) <= set(
        zip(manifest["path"], manifest["label"], strict=True)
    )
    names = {path.name for path in (project / "results/weldsim/trust").glob("review.*")}
    assert names == {f"review.{end}" for end in ("csv", "md", "tex", "png", "json")}

    # One good frame of test becomes a burn-through, and one of train goes.
    good = manifest[manifest["label"] == "good_weld"].drop_duplicates("published_split").set_index("published_split")
    test, train = good.at["test", "path"], good.at["train", "path"]
    lines = [Correction(test, "good_weld", "correct", "burn_through"), Correction(train, "good_weld", "drop", "")]
    write_corrections(project / FILE, lines)
    edit_params(project, apply_file)
    asked = plan(project)
    assert "split" in asked
    run(project, "snakemake", "--quiet", "all", "--cores", "2")
    told = (project / "results/weldsim/tables/distribution.md").read_text(encoding="utf-8")
    assert f"Labels of test corrected by {FILE}: good_weld -> burn_through (1 frame)." in told
    assert f"Labels of train corrected by {FILE}: good_weld, dropped (1 frame)." in told
    counts = pd.read_csv(project / "results/weldsim/tables/distribution.csv")
    of_test = counts[counts["split"] == "test"].pivot(index="class", columns="set", values="frames")
    moved = of_test["as used"] - of_test["as given"]
    assert moved[["good_weld", "burn_through"]].tolist() == [-1, 1]
    for predictions in project.glob("results/weldsim/evaluation/*/fold0/seed0/predictions.csv"):
        row = good.at["test", "row"]
        assert pd.read_csv(predictions).set_index("row").at[row, "label"] == "burn_through"
    assert "belongs to this code" in run(project, "weldbench", "verify")
    # Another content of the file makes all of it again, and until then the results do not belong to it.
    write_corrections(project / FILE, lines[1:])
    assert "split" in plan(project)
    assert f"audit.json: made from another {FILE} than" in run(project, "weldbench", "verify", code=2)
