"""What compare and report say to a user, run as the commands they are."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from made_up_predictions import World, write_records

from weldbench.config import load_params

ROOT = Path(__file__).parents[2]
COMPARE = ["--dataset", "weldsim", "--data", "data/weldsim", "--trained", "models/weldsim"]
COMPARE += ["--evaluation", "results/weldsim/evaluation", "--output", "results/weldsim"]
COMPARE += ["--published", str(ROOT / "reference/published.yaml"), "--lock", str(ROOT / "requirements.lock")]


@pytest.fixture
def folder(tmp_path):
    World(frames_per_run=5, seeds=(0,), skills={"full_con6": 0.6, "conv6": 0.9}).write(tmp_path)
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params |= {"seeds": [0], "compare": {"models": ["full_con6", "conv6"], "bootstrap_draws": 200}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    write_records(tmp_path, load_params(tmp_path / "params.yaml"))
    return tmp_path


def run(folder, script, *arguments, code=()):
    command = [sys.executable, *code, ROOT / "scripts" / f"{script}.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def assert_refused(finished, *words):
    assert finished.returncode == 2
    assert finished.stderr.startswith("error: ")
    assert "Traceback" not in finished.stderr
    for word in words:
        assert word in finished.stderr


def test_compare_works_and_never_imports_torch(folder):
    finished = run(folder, "compare", *COMPARE, code=["-X", "importtime"])
    assert finished.returncode == 0, finished.stderr[-2000:]
    imported = {line.rpartition("|")[2].strip() for line in finished.stderr.splitlines()}
    assert "sklearn.metrics" in imported
    assert not {name for name in imported if name.partition(".")[0] in {"torch", "captum", "lightning"}}
    assert (folder / "results/weldsim/tables/comparison.md").is_file()


def test_without_the_lock_no_table_is_written(folder):
    arguments = [*COMPARE, "--lock", "elsewhere.lock"]
    assert_refused(run(folder, "compare", *arguments), "elsewhere.lock", "there is no such file")
    assert not (folder / "results/weldsim/tables").exists()


def test_a_mix_of_splits_leaves_no_table_behind(folder):
    path = folder / "results/weldsim/evaluation/conv6/fold0/seed0/predictions.csv"
    split = (folder / "data/weldsim/split/fold0/split.csv").read_bytes()
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + "".join("0123456789ab" + line[12:] for line in lines[1:]))
    assert_refused(run(folder, "compare", *COMPARE), "conv6/fold0/seed0/predictions.csv", "changed since")
    assert not (folder / "results/weldsim/tables").exists()
    assert (folder / "data/weldsim/split/fold0/split.csv").read_bytes() == split


def test_verify_names_a_damaged_lineage(folder):
    (folder / "results/weldsim/lineage.json").write_text("<<<<<<< HEAD\n{}\n")
    verify = [sys.executable, "-c", "from weldbench.cli import main; main()", "verify"]
    finished = subprocess.run(verify, cwd=folder, capture_output=True, text=True, check=False)
    assert_refused(finished, "results/weldsim/lineage.json", "damaged", "delete it")


def test_a_report_without_tables_says_what_to_run(folder):
    arguments = ["--dataset", "weldsim", "--results", "results/weldsim", "--output", "report.html"]
    arguments += ["--notebook", ROOT / "notebooks/report.ipynb", "--template", ROOT / "notebooks/report_template"]
    assert_refused(run(folder, "report", *arguments), "summary.csv", "run the stage compare first")
    assert not (folder / "report.html").exists()
