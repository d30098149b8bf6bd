"""Whether results belong to what lies here."""

import hashlib
import shutil
from pathlib import Path

import pytest

from weldbench.config import load_params
from weldbench.errors import InputError
from weldbench.pipeline.lineage import differences, lineage
from weldbench.runtime.atomic import write_json

ROOT = Path(__file__).parents[2]
RECORD = Path("results/weldsim/lineage.json")


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for folder in ("src/weldbench", "scripts", "data/weldsim", "results/weldsim/tables"):
        Path(folder).mkdir(parents=True)
    Path("scripts/train.py").write_text("print(1)\n")
    Path("requirements.lock").write_text("torch==1\n")
    Path("data/weldsim/manifest.csv").write_text("row,sha256\n0,aa\n")
    Path("results/weldsim/tables/comparison.md").write_text("| 0.5 |\n")
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    write_json(RECORD, lineage("weldsim"))
    return tmp_path


def test_nothing_changed(recorded: Path) -> None:
    assert differences("weldsim", RECORD) == []
    params = Path("params.yaml")
    # No result depends on the sweep, nor on a comment, nor on another dataset.
    text = params.read_text(encoding="utf-8").replace("epochs: [10, 30]", "epochs: [15]")
    text = text.replace("learning_rate: 0.006\n", "learning_rate: 0.007\n", 1)
    text = text.replace("datasets:\n", "datasets:\n  mine: {source: local, path: frames}\n", 1)
    params.write_text(text + "# a comment\n", encoding="utf-8")
    assert load_params().sweep.epochs == [15]
    assert load_params().for_dataset("ss304").models["resnet18"].learning_rate == 0.007
    assert "mine" in load_params().datasets
    Path("scripts/.ipynb_checkpoints").mkdir()
    Path("scripts/.ipynb_checkpoints/train-checkpoint.py").write_text("print(1)\n")
    assert differences("weldsim", RECORD) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("scripts/train.py", "1", "2", "the code"),
        ("params.yaml", "seeds: [0, 1, 2]", "seeds: [0, 1]", "params.yaml changed"),
        ("data/weldsim/manifest.csv", "aa", "bb", "manifest.csv changed"),
        ("results/weldsim/tables/comparison.md", "0.5", "0.9", "comparison.md is not as that run wrote it"),
    ],
)
def test_each_change_is_told(recorded: Path, file: str, old: str, new: str, told: str) -> None:
    path = Path(file)
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    (found,) = differences("weldsim", RECORD)
    assert told in found


def test_sums_of_single_files_are_those_that_sha256sum_prints(recorded: Path) -> None:
    found = lineage("weldsim")
    assert found["lock_sha256"] == hashlib.sha256(b"torch==1\n").hexdigest()
    assert found["data_sha256"] == hashlib.sha256(b"row,sha256\n0,aa\n").hexdigest()


def test_missing_and_foreign_results_are_told(recorded: Path) -> None:
    Path("results/weldsim/tables/comparison.md").rename("results/weldsim/tables/other.md")
    assert len(differences("weldsim", RECORD)) == 2
    RECORD.unlink()
    with pytest.raises(InputError, match="no record of a run"):
        differences("weldsim", RECORD)


@pytest.mark.parametrize("content", [b"", b"<<<<<<< HEAD\n{}\n=======\n", b"\xff", b"[]", b"{}"])
def test_a_damaged_record_says_what_to_do(recorded: Path, content: bytes) -> None:
    RECORD.write_bytes(content)
    with pytest.raises(InputError, match=r"^results/weldsim/lineage\.json: .*delete it, and `snakemake --cores all`"):
        differences("weldsim", RECORD)


def test_many_missing_results_are_one_sentence(recorded: Path) -> None:
    for number in range(5):
        Path(f"results/weldsim/tables/{number}.md").write_text("| 0.5 |\n")
    write_json(RECORD, lineage("weldsim"))
    shutil.rmtree("results/weldsim/tables")
    (found,) = differences("weldsim", RECORD)
    assert found.endswith("tables/2.md and 3 more are missing")
