"""params.yaml: what is allowed, and what a person is told about what is not."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from weldbench.config import load_params
from weldbench.errors import InputError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def raw() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def problem(raw: dict, folder: Path) -> str:
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_params(path)
    return str(caught.value)


def test_the_projects_own_parameters_are_valid() -> None:
    params = load_params(ROOT / "params.yaml")
    assert params.dataset == "weldsim"
    assert params.for_dataset("ss304").models["resnet18"].init == "imagenet"
    assert params.for_dataset("weldsim").models["resnet18"].init == "simulated"


def test_a_dataset_of_ones_own_needs_two_keys(raw: dict, tmp_path: Path) -> None:
    raw["datasets"]["mine"] = {"source": "local", "path": "frames"}
    raw["dataset"] = "mine"
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    assert load_params(tmp_path / "params.yaml").dataset == "mine"


@pytest.mark.parametrize(
    ("place", "key", "value", "told"),
    [
        ("models.resnet18", "lerning_rate", 1, "`models.resnet18.lerning_rate` is an unknown key (did"),
        ("models.conv6", "hiden", 1, "`models.conv6.hiden` is an unknown key (did you mean `hidden`?); allowed: arch"),
        ("models.conv6", "freeze", "none", "`models.conv6.freeze` is an unknown key; allowed: architecture, input"),
        ("per_dataset.ss304.models", "conv6", {"epoch": 1}, "`per_dataset.ss304.models.conv6.epoch` is an unknown key"),
        ("", "datset", "weldsim", "`datset` is an unknown key (did you mean `dataset`?)"),
        ("", "dataset", "weldsin", "there is no `weldsin` in datasets"),
        ("split", "balance", "undersampel", "did you mean `undersample`?"),
        ("datasets", "mine", {"source": "locl"}, "`datasets.mine.source`: 'locl' is not allowed"),
        ("datasets", "mine", {"source": "local"}, "`datasets.mine.path` is missing"),
        ("models", "resnt18", {"epochs": 1}, "`models.resnt18`: 'resnt18' is not allowed (did you mean `resnet18`?)"),
        ("models", "conv6", [1], "`models.conv6`: Input should be a valid dictionary"),
        ("models", "resnet18", {"epochs": 1}, "`models.resnet18.input_size_px` is missing"),
        ("hardware", "threads", 0, "`hardware.threads`: Input should be greater than 0, not 0"),
        ("per_dataset", "weldsm", {"split": {"cap": 3}}, "per_dataset: there is no `weldsm` in datasets"),
        ("per_dataset.weldsim.models", "conv7", {"epochs": 3}, "weldsim.models: there is no `conv7` in models"),
        ("per_dataset.weldsim.split", "cap", None, "`per_dataset.weldsim.split`: cap: null overrides nothing"),
        ("per_dataset.weldsim", "split", {"seed": 1}, "`per_dataset.weldsim.split.seed` is an unknown key"),
        ("", "folds", [1], "there is no fold 1"),
        ("compare", "models", ["resnet50"], "there is no `resnet50` in train.models or finetune.models"),
        ("", "seeds", [1, 1], "`seeds`: each value may stand there once, not [1, 1]"),
        ("datasets", "my welds", {"source": "local", "path": "x"}, "`datasets.my welds`: a name consists of letters"),
        ("datasets", "mine", {"source": "local", "path": "data/mine/archive.zip"}, "an engine deletes what stood"),
        ("datasets", "mine", {"source": "local", "path": "data"}, "an engine deletes what stood"),
        ("finetune", "models", ["resnet18", "conv6"], "`conv6` starts from random weights"),
        ("train", "models", ["full_con6", "conv6", "resnet18"], "`resnet18` stands in train.models too"),
        ("per_dataset.weldsim.models", "conv6", {"init": "imagenet"}, "conv6: `init`: 'imagenet' is not allowed"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_key_and_what_was_meant(
    raw: dict, tmp_path: Path, place: str, key: str, value: object, told: str
) -> None:
    section = raw
    for step in filter(None, place.split(".")):
        section = section[step]
    section[key] = value
    message = problem(raw, tmp_path)
    assert told in message
    assert message.startswith(str(tmp_path / "params.yaml"))


def test_what_is_learnt_may_be_frozen_and_nothing_else(raw: dict, tmp_path: Path) -> None:
    raw["models"]["resnet18"]["freeze"] = "backbone"
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    assert load_params(tmp_path / "params.yaml").models["resnet18"].freeze == "backbone"
    raw["per_dataset"]["weldsim"]["models"]["resnet18"]["init"] = "scratch"
    told = "models.resnet18: freeze: with init: scratch there is nothing learned to keep; set freeze: none"
    assert problem(raw, tmp_path).endswith(told)


@pytest.mark.parametrize("change", [{"class_weights": "balanced"}, {"sampler": "balanced"}])
def test_rare_classes_are_raised_in_one_way(raw: dict, tmp_path: Path, change: dict) -> None:
    raw["models"]["conv6"] |= change
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    load_params(tmp_path / "params.yaml")
    raw["split"]["balance"] = "class_weights"
    assert "models.conv6: its class_weights or sampler raise rare classes" in problem(raw, tmp_path)
    raw["train"]["models"].append("conv7")
    assert "train.models: there is no `conv7` in models" in problem(raw, tmp_path)
    raw["models"]["conv6"] |= {"class_weights": "balanced", "sampler": "balanced"}
    assert "`models.conv6`: sampler: balanced and class_weights both raise rare classes" in problem(raw, tmp_path)


@pytest.mark.parametrize("section", ["folds", "ingest", "pretrain", "report", "train.augment", "finetune.models"])
def test_what_both_engines_read_may_not_be_absent(raw: dict, tmp_path: Path, section: str) -> None:
    *outer, last = section.split(".")
    del (raw[outer[0]] if outer else raw)[last]
    assert f"`{section}` is missing" in problem(raw, tmp_path)


def test_every_problem_is_listed(raw: dict, tmp_path: Path) -> None:
    raw["split"]["cap"] = -1
    raw["report"]["titel"] = "x"
    assert "2 problems" in problem(raw, tmp_path)


def test_a_missing_file_and_broken_yaml_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        load_params(tmp_path / "params.yaml")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    with (tmp_path / "params.yaml").open("a") as file:
        file.write("\n  : : broken")
    with pytest.raises(InputError, match="no valid YAML"):
        load_params(tmp_path / "params.yaml")
