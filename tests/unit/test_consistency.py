"""Outputs that were made from something else than what is asked for are named, whatever an engine thinks of them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from made_up_predictions import World, write_records

from weldbench.config import load_params
from weldbench.errors import InputError
from weldbench.pipeline import records as records_module
from weldbench.pipeline.consistency import contradictions, deviations, missing, refuse
from weldbench.pipeline.provenance import Project
from weldbench.pipeline.records import Record, off_lock

ROOT = Path(__file__).parents[2]
TRAINING = Path("models/weldsim/conv6/fold0/seed0/training.json")
EVALUATION = Path("results/weldsim/evaluation/conv6/fold0/seed0/evaluation.json")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models, seeds 0 and 1, with records of the parameters that lie here."""
    World(frames_per_run=5, seeds=(0, 1), skills={"full_con6": 0.6, "conv6": 0.9}).write(tmp_path)
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params |= {"seeds": [0, 1], "compare": {"models": ["full_con6", "conv6"], "bootstrap_draws": 100}}
    params["finetune"] = {"models": []}
    params["export"] = {"models": ["conv6"]}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    for file in ("requirements.lock", "reference/published.yaml"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    write_records(tmp_path, load_params(tmp_path / "params.yaml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked() -> list[Record]:
    params = load_params()
    return list(Project.here(params, "weldsim").records(params.compare.models))


def edit_params(*keys: str, value: object) -> None:
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    section = params
    for key in keys[:-1]:
        section = section[key]
    section[keys[-1]] = value
    Path("params.yaml").write_text(yaml.safe_dump(params))


def edit_record(path: Path, *keys: str, value: object) -> None:
    whole = json.loads(path.read_text(encoding="utf-8"))
    section = whole["made_from"]
    for key in keys[:-1]:
        section = section[key]
    section[keys[-1]] = value
    path.write_text(json.dumps(whole))


def test_what_belongs_together_is_let_pass(project: Path) -> None:
    assert contradictions(asked(), large_files=True) == {}
    assert deviations(asked(), Path("requirements.lock")) == []
    edit_params("per_dataset", "ss304", "models", "conv6", value={"epochs": 7})  # concerns another dataset
    edit_params("ingest", "workers", value=7)
    edit_params("sweep", "epochs", value=[7])
    assert contradictions(asked(), large_files=True) == {}


@pytest.mark.parametrize(
    ("keys", "value", "path", "said"),
    [
        (
            ("models", "conv6", "learning_rate"), 0.2, TRAINING,
            "models.conv6.learning_rate was 0.02, params.yaml says 0.2",
        ),
        (("models", "conv6", "hidden"), 9, TRAINING, "models.conv6.hidden was 256, params.yaml says 9"),
        (("train", "augment", "noise"), 0.5, TRAINING, "train.augment.noise was 0.01, params.yaml says 0.5"),
        (("hardware", "threads"), 2, TRAINING, "hardware.threads was 1, params.yaml says 2"),
        (("hardware", "threads"), 2, EVALUATION, "hardware.threads was 1, params.yaml says 2"),
        (("split", "on_leak"), "warn", Path("data/weldsim/split/fold0/audit.json"), 'split.on_leak was "drop"'),
        (("ingest", "max_bad_frames"), 3, Path("data/weldsim/inventory.json"), "ingest.max_bad_frames was 0"),
        (("datasets", "weldsim", "imbalance"), 9, Path("data/weldsim/inventory.json"), "imbalance was 75"),
    ],
)  # fmt: skip
def test_settings_other_than_those_of_params_yaml_are_named(
    project: Path, keys: tuple[str, ...], value: object, path: Path, said: str
) -> None:
    edit_params(*keys, value=value)
    assert any(said in sentence for sentence in contradictions(asked(), large_files=False)[path])


@pytest.mark.parametrize(
    ("file", "path", "said"),
    [
        ("data/weldsim/split/fold0/split.csv", TRAINING, "made from another data/weldsim/split/fold0/split.csv"),
        ("data/weldsim/manifest.csv", TRAINING, "made from another data/weldsim/manifest.csv"),
        ("data/weldsim/frames.npy", Path("data/weldsim/inventory.json"), "it does not belong to data/weldsim"),
        ("models/weldsim/conv6/fold0/seed0/model.safetensors", EVALUATION, "made from another models/weldsim/conv6"),
        ("models/weldsim/conv6/fold0/seed0/model.safetensors", TRAINING, "it does not belong to models/weldsim/conv6"),
        ("models/weldsim/conv6/fold0/seed0/history.csv", TRAINING, "it does not belong to models/weldsim/conv6"),
        ("results/weldsim/evaluation/conv6/fold0/seed0/predictions.csv", EVALUATION, "it does not belong to results/"),
    ],
)
def test_another_file_behind_a_result_is_named(project: Path, file: str, path: Path, said: str) -> None:
    with Path(file).open("a", encoding="utf-8") as changed:
        changed.write(" ")
    assert any(said in sentence for sentence in contradictions(asked(), large_files=True)[path])


def test_the_network_of_another_training_is_found_without_hashing_networks(project: Path) -> None:
    for name in ("training.json", "model.safetensors", "history.csv"):
        shutil.copy(TRAINING.with_name(name), TRAINING.parents[1] / "seed1" / name)
    found = contradictions(asked(), large_files=False)
    assert "seed was 0, params.yaml says 1" in found[TRAINING.parents[1] / "seed1" / "training.json"][0]
    assert "made from another" in found[EVALUATION.parents[1] / "seed1" / "evaluation.json"][0]


def test_a_file_of_an_earlier_version_says_nothing_and_is_refused(project: Path) -> None:
    TRAINING.write_text("{}")
    with pytest.raises(InputError, match=r"it does not say what it was made from(.|\n)*delete the files named here"):
        refuse(contradictions(asked(), large_files=False), "nothing was compared")


def test_predictions_without_a_record_are_refused(project: Path) -> None:
    EVALUATION.unlink()
    (said,) = contradictions(asked(), large_files=False)[EVALUATION]
    assert said.startswith(
        "it is missing, so nothing says what results/weldsim/evaluation/conv6/fold0/seed0/predictions"
    )


def test_versions_mixed_within_a_comparison_are_named(project: Path) -> None:
    edit_record(TRAINING, "versions", "torch", value="9.9.9")
    (said,) = contradictions(asked(), large_files=False)[TRAINING]
    assert "made with torch 9.9.9, but models/weldsim/full_con6/fold0/seed0/training.json with torch" in said


def test_one_set_of_versions_off_the_lock_is_allowed_and_stands_below_every_table(project: Path) -> None:
    for record in asked():
        if record.stage == "train":
            edit_record(record.path, "versions", "torch", value="9.9.9")
    assert contradictions(asked(), large_files=False) == {}
    (said,) = deviations(asked(), Path("requirements.lock"))
    assert said.startswith("Made with other packages than the locked ones, torch 9.9.9 (requirements.lock: ==2.14.1): ")
    finished = compare(project)
    assert finished.returncode == 0, finished.stderr
    assert said in finished.stderr
    tables = list((project / "results/weldsim/tables").glob("*.md"))
    assert len(tables) > 5
    assert all(said in table.read_text(encoding="utf-8") for table in tables)


def test_other_code_is_told_and_comments_do_not_count(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "code_sha256", lambda *modules: "0" * 64)
    (said,) = deviations(asked(), Path("requirements.lock"))
    assert said.startswith("Made by other code than that in src/weldbench")


def test_compare_refuses_what_params_yaml_does_not_say(project: Path) -> None:
    edit_params("models", "conv6", "learning_rate", value=0.2)
    finished = compare(project)
    assert finished.returncode == 2
    assert "models.conv6.learning_rate was 0.02, params.yaml says 0.2" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not (project / "results/weldsim/tables").exists()


def compare(project: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "scripts/compare.py", "--dataset", "weldsim", "--data", "data/weldsim"]
    command += ["--trained", "models/weldsim", "--evaluation", "results/weldsim/evaluation"]
    return subprocess.run(
        [*command, "--output", "results/weldsim"], cwd=project, capture_output=True, text=True, check=False
    )


def test_what_is_asked_for_and_not_here_is_named(project: Path) -> None:
    TRAINING.with_name("model.safetensors").unlink()
    assert f"{TRAINING.with_name('model.safetensors')} is missing" in missing(asked())


def test_of_many_missing_files_in_a_folder_the_first_are_named(project: Path) -> None:
    before = missing(asked())
    shutil.rmtree("models")
    (told,) = [sentence for sentence in missing(asked()) if sentence not in before and "models/weldsim" in sentence]
    assert told == (
        "models/weldsim: 12 files are missing, models/weldsim/full_con6/fold0/seed0/training.json, "
        "models/weldsim/full_con6/fold0/seed0/model.safetensors, models/weldsim/full_con6/fold0/seed0/history.csv and "
        "9 more"
    )


@pytest.mark.parametrize(
    ("versions", "found"),
    [
        ({"python": "3.11.7", "torch": "2.1", "numpy": "2.4.6"}, []),
        ({"python": "3.12.1", "torch": "2.1", "numpy": "2.5.5"}, []),
        ({"python": "3.12.1", "numpy": "2.4.6"}, ["numpy 2.4.6 (a.lock: ==2.5.5)"]),
        ({"python": "3.11.7", "torch": "2.1+cu130"}, []),
        ({"python": "3.11.7", "torch": "2.2"}, ["torch 2.2 (a.lock: ==2.1)"]),
        ({"python": "3.11.7", "unheard-of": "1"}, []),
    ],
)
def test_the_lock_is_read_as_pip_reads_it(tmp_path: Path, versions: dict[str, str], found: list[str]) -> None:
    lock = tmp_path / "a.lock"
    lock.write_text(
        "# made by uv\ntorch==2.1\nnumpy==2.4.6 ; python_full_version < '3.12'\n"
        "numpy==2.5.5 ; python_full_version >= '3.12'\n"
    )
    assert off_lock(versions, lock) == found


@pytest.mark.parametrize("damage", ["3", "[3]", '{"settings": {}}', '{"settings": 1, "inputs": {}, "versions": {}}'])
def test_a_record_that_lacks_a_part_is_damaged(project: Path, damage: str) -> None:
    TRAINING.write_text(f'{{"made_from": {damage}, "outputs": {{}}}}')
    with pytest.raises(InputError, match=r"training\.json: this file is damaged"):
        contradictions(asked(), large_files=True)
