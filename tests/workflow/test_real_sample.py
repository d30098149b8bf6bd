"""The whole line on real frames, where a folder of them is at hand."""

import os
from pathlib import Path

import pandas as pd
import pytest
from workflow.conftest import edit_params, run

SAMPLE = os.environ.get("WELDBENCH_SAMPLE")


def short_trainings_on_the_sample(params: dict) -> None:
    params["dataset"] = "mine"
    params["datasets"]["mine"] = {"source": "local", "path": SAMPLE}
    params["ingest"]["frame_size_px"] = 64
    params["models"]["full_con6"].update(input_size_px=32, epochs=2, min_steps=0)
    params["models"]["resnet18"].update(input_size_px=32, epochs=1, min_steps=0)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not SAMPLE, reason="WELDBENCH_SAMPLE names no folder of real frames")
def test_from_real_frames_to_the_table_and_the_report(project: Path) -> None:
    edit_params(project, short_trainings_on_the_sample)
    said = run(project, "snakemake", "--cores", "2")
    told = " ".join(line.strip() for line in said.splitlines())  # long lines are wrapped
    assert "test" in told.partition("split mine:")[2].partition("split mine:")[0]

    table = pd.read_csv(project / "results/mine/tables/comparison.csv")
    assert {"full_con6", "resnet18"} <= set(table["model"])
    said_in_words = table["f1"].isna() & (table["note"] == "not published")
    assert (table["f1"].between(0, 1) | said_in_words).all()
    assert table.loc[~table["model"].str.startswith("published"), "f1"].notna().all()
    assert (project / "results/mine/report.html").stat().st_size > 100_000
    test = pd.read_csv(project / "results/mine/evaluation/resnet18/fold0/seed0/predictions.csv").query(
        "split == 'test'"
    )
    assert test["label"].nunique() == 6
    train = pd.read_csv(project / "data/mine/split/fold0/split.csv").query("split == 'train'")
    manifest = pd.read_csv(project / "data/mine/manifest.csv")
    assert not set(manifest.loc[train["row"], "run"]) & set(test["run"])
