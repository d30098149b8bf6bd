"""params.yaml: what is allowed, and what a person is told about what is not."""

import contextlib
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from weldbench.config import load_params
from weldbench.config.base import Section
from weldbench.config.strict_yaml import read_yaml
from weldbench.errors import InputError
from weldbench.ingest.kaggle import _OR_BY_HAND

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


@pytest.mark.parametrize("name", ["ss304", "al5083"])
def test_a_zip_of_kaggle_that_was_downloaded_by_hand_is_named_as_the_message_says(
    raw: dict, tmp_path: Path, name: str
) -> None:
    entry = raw["datasets"][name]
    for removed in re.findall(r"`(\w+)(?:: kaggle)?`", _OR_BY_HAND.partition(" in place of ")[2]):
        entry.pop(removed, None)
    raw["datasets"][name] = entry | {"source": "local", "path": "by-hand.zip"}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw | {"dataset": name}), encoding="utf-8")
    assert load_params(tmp_path / "params.yaml").datasets[name].path.endswith("by-hand.zip")


@pytest.mark.parametrize(
    ("place", "key", "value", "told"),
    [
        ("models.resnet18", "lerning_rate", 1, "`models.resnet18.lerning_rate` is an unknown key (did"),
        ("models.conv6", "hiden", 1, "`models.conv6.hiden` is an unknown key (did you mean `hidden`?); allowed: arch"),
        ("models.conv6", "freeze", "backbone", "`models.conv6.freeze`: 'backbone' is not allowed; allowed: none"),
        ("per_dataset.ss304.models", "conv6", {"epoch": 1}, "`per_dataset.ss304.models.conv6.epoch` is an unknown key"),
        ("", "datset", "weldsim", "`datset` is an unknown key (did you mean `dataset`?)"),
        ("", "dataset", "weldsin", "there is no `weldsin` in datasets"),
        ("split", "balance", "undersampel", "did you mean `undersample`?"),
        ("datasets", "mine", {"source": "locl"}, "`datasets.mine.source`: 'locl' is not allowed"),
        ("datasets", "mine", {"source": "local"}, "`datasets.mine.path` is missing"),
        ("models", "resnt18", {"epochs": 1}, "(did you mean `resnet18`?); known: full_con6, conv6, resnet18,"),
        ("models", "my_net", {"epochs": 1}, "`models.my_net`: there is no architecture 'my_net', and a model of ano"),
        ("models", "my_net", {"epochs": 1}, "needs a line `architecture: ...` that says which network it is; known: f"),
        ("models", "my_net", {"architecture": "resnt18"}, "`models.my_net.architecture`: there is no architecture 'r"),
        ("models", "my_net", {"architecture": "resnt18"}, "(did you mean `resnet18`?); known: full_con6"),
        ("models", "my_net", {"architecture": 18}, "`models.my_net.architecture`: there is no architecture '18'"),
        ("models", "my_net", {"architecture": None}, "`models.my_net.architecture`: there is no architecture 'None'"),
        ("models", "my_net", {"architecture": "conv6", "hiden": 1}, "`models.my_net.hiden` is an unknown key (did you"),
        ("models", "my_net", {"architecture": "conv6"}, "`models.my_net.input_size_px` is missing"),
        ("models", "my net", {"architecture": "conv6"}, "`models.my net`: a name consists of letters"),
        ("models", "Class", {"architecture": "conv6"}, "`models.Class`: a model cannot be called class"),
        ("models.conv6", "name", "conv6", "models.conv6.name: a model is named by its key; delete this line"),
        ("per_dataset.ss304.models", "conv6", {"architecture": "conv6"}, "`per_dataset.ss304.models.conv6.archit"),
        ("finetune", "models", ["resnet18", "resnet18_scratch"], "`resnet18_scratch` starts from random weights"),
        ("models.resnet18", "init", "scratch", "finetune.models: `resnet18` starts from random weights; name it in tr"),
        ("models.resnet18_scratch", "init", "simulated", "models.resnet18_scratch.init: simulated needs a backb"),
        ("per_dataset.weldsim.models", "resnet18_scratch", {"init": "simulated"}, "is trained without one"),
        ("models", "conv6", [1], "`models.conv6`: Input should be a valid dictionary"),
        ("models", "resnet18", {"epochs": 1}, "`models.resnet18.input_size_px` is missing"),
        ("hardware", "threads", 0, "`hardware.threads`: Input should be greater than 0, not 0"),
        ("per_dataset", "weldsm", {"split": {"cap": 3}}, "per_dataset: there is no `weldsm` in datasets"),
        ("per_dataset.weldsim.models", "conv7", {"epochs": 3}, "weldsim.models: there is no `conv7` in models"),
        ("per_dataset.weldsim.split", "cap", None, "`per_dataset.weldsim.split`: cap: null overrides nothing"),
        ("per_dataset.weldsim", "split", {"seed": 1}, "`per_dataset.weldsim.split.seed` is an unknown key"),
        ("", "folds", [1], "there is no fold 1"),
        ("export", "models", ["resnet50"], "there is no `resnet50` in train.models, finetune.models or f"),
        ("export", "vote_frames", 4, "the length has to be odd"),
        ("compare", "models", ["resnet50"], "there is no `resnet50` in train.models, finetune.models or f"),
        ("", "seeds", [1, 1], "`seeds`: each value may be listed once, not [1, 1]"),
        ("datasets", "my welds", {"source": "local", "path": "x"}, "`datasets.my welds`: a name consists of letters"),
        ("datasets", "mine", {"source": "local", "path": "data/mine/archive.zip"}, "an engine deletes what stood"),
        ("datasets", "mine", {"source": "local", "path": "data"}, "an engine deletes what stood"),
        ("finetune", "models", ["resnet18", "conv6"], "`conv6` starts from random weights"),
        ("train", "models", ["full_con6", "resnet18_scratch", "conv6", "resnet18"], "`resnet18` is in train.models"),
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


def test_several_models_may_have_one_architecture(raw: dict, tmp_path: Path) -> None:
    settings = {"input_size_px": 64, "epochs": 1, "learning_rate": 0.1, "kernel_size": 3}
    raw["models"]["my_conv"] = {"architecture": "conv6", **settings}
    raw["per_dataset"]["weldsim"]["models"]["my_conv"] = {"epochs": 2}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    params = load_params(tmp_path / "params.yaml").for_dataset("weldsim")
    own, conv6 = params.models["my_conv"], params.models["conv6"]
    assert (own.name, own.architecture, own.kernel_size, own.epochs) == ("my_conv", "conv6", 3, 2)
    assert (conv6.name, conv6.architecture, conv6.kernel_size, conv6.epochs) == ("conv6", "conv6", 5, 60)


def test_models_whose_files_some_systems_take_for_one_are_refused(raw: dict, tmp_path: Path) -> None:
    raw["models"]["Conv6"] = {"architecture": "conv6", "input_size_px": 64, "epochs": 1, "learning_rate": 0.1}
    assert "its files could not be told from those of" in problem(raw, tmp_path)


def test_what_is_learned_may_be_frozen_and_nothing_else(raw: dict, tmp_path: Path) -> None:
    raw["models"]["resnet18"]["freeze"] = "backbone"
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    assert load_params(tmp_path / "params.yaml").models["resnet18"].freeze == "backbone"
    raw["per_dataset"]["weldsim"]["models"]["resnet18"] = {"init": "scratch"}
    told = "models.resnet18: freeze: with init: scratch there is nothing learned to keep; set freeze: none"
    assert problem(raw, tmp_path).endswith(told)


def test_a_model_s_balance_goes_before_that_of_the_section_split(raw: dict, tmp_path: Path) -> None:
    raw["models"]["conv6"]["balance"] = "oversample"
    raw["models"]["full_con6"]["cap"] = 70
    raw["per_dataset"]["ss304"]["models"]["full_con6"] = {"cap": 90}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    params = load_params(tmp_path / "params.yaml")
    names = ("full_con6", "conv6", "resnet18")

    def balance(dataset: str) -> list[tuple]:
        models = params.for_dataset(dataset).models
        return [(models[name].balance, models[name].cap) for name in names]

    assert balance("weldsim") == [("undersample", 70), ("oversample", None), ("undersample", 120)]
    assert balance("ss304") == [("undersample", 90), ("undersample", 1000), ("none", None)]


def test_the_published_protocol_is_that_of_ss304() -> None:
    models = load_params(ROOT / "params.yaml").for_dataset("ss304").models
    assert [(models[name].balance, models[name].cap) for name in ("full_con6", "conv6")] == [("undersample", 1000)] * 2
    resnet = models["resnet18"]
    assert (resnet.balance, resnet.init, resnet.epochs, resnet.optimizer) == ("none", "imagenet", 30, "sgd")
    assert (resnet.learning_rate, resnet.input_size_px) == (0.006, 224)
    scratch = models["resnet18_scratch"]
    assert (scratch.architecture, scratch.init, scratch.balance) == ("resnet18", "scratch", "none")
    assert (scratch.epochs, scratch.input_size_px) == (resnet.epochs, resnet.input_size_px)


@pytest.mark.parametrize("balance", ["class_weights", "oversample"])
@pytest.mark.parametrize("change", [{"class_weights": "balanced"}, {"sampler": "balanced"}])
@pytest.mark.parametrize("place", ["split", "models.conv6", "per_dataset.weldsim.models.conv6"])
def test_no_balance_raises_what_a_model_raises_already(
    raw: dict, tmp_path: Path, place: str, change: dict, balance: str
) -> None:
    raw["models"]["conv6"] |= change
    section = raw
    for step in place.split("."):
        section = section[step]
    section["balance"] = balance
    key = "models.conv6" if place == "split" else place
    told = f"{key}: its class_weights or sampler raise rare classes, as balance: {balance} does already"
    assert told in problem(raw, tmp_path)


@pytest.mark.parametrize("balance", ["none", "oversample", "class_weights"])
@pytest.mark.parametrize("place", ["models.conv6", "per_dataset.weldsim.models.conv6"])
def test_a_cap_without_undersampling_is_refused_where_it_stands(
    raw: dict, tmp_path: Path, place: str, balance: str
) -> None:
    section = raw
    for step in place.split("."):
        section = section[step]
    section["cap"] = 7
    for place_of_balance in (section, raw["models"]["conv6"], raw["split"]):
        place_of_balance["balance"] = balance
        assert f"{place}.cap: balance is {balance}, which has no cap; delete it" in problem(raw, tmp_path)
        del place_of_balance["balance"]


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


def refusal(text: str, folder: Path) -> str:
    path = folder / "params.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_params(path)
    return str(caught.value)


def own_text(old: str, new: str) -> str:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("seeds: [0, 1, 2]", "seeds: [010]", "`seeds.0`: 010 is the number 8 to Snakemake and the number 10 to DVC"),
        ("seeds: [0, 1, 2]", "seeds: [yes]", "`seeds.0`: yes is true to Snakemake and the text 'yes' to DVC"),
        ("seeds: [0, 1, 2]", "seeds: ['00']", "`seeds.0`: Input should be a valid integer, not '00'"),
        ("seeds: [0, 1, 2]", "seeds: [1.0]", "`seeds.0`: Input should be a valid integer, not 1.0"),
        ("seeds: [0, 1, 2]", "seeds: [true]", "`seeds.0`: Input should be a valid integer, not true"),
        ("seeds: [0, 1, 2]", "seeds: [2020-01-01]", "`seeds.0`: Input should be a valid integer, not 2020-01-01"),
        ("seeds: [0, 1, 2]", "seeds: [4294967296]", "`seeds.0`: Input should be less than or equal to 4294967295"),
        ("seeds: [0, 1, 2]", "seeds: [-1]", "`seeds.0`: Input should be greater than or equal to 0, not -1"),
        ("seeds: [0, 1, 2]", "seeds:", "`seeds`: Input should be a valid list, and it is empty"),
        ("seeds: [0, 1, 2]", "seeds: &all [0]", "an anchor (&name) has no place here"),
        ("seeds: [0, 1, 2]", "seeds: !!set {1, 2}", "a tag (!name) has no place here"),
        ("seed: 0", "seed: -1", "`datasets.weldsim.seed`: Input should be greater than or equal to 0, not -1"),
        ("\n  cap: 1000", "\n  cap: 1_000", "`split.cap`: 1_000 is an unusual way to write a number; write 1000"),
        ("\n  cap: 1000", "\n  cap: 0x3E8", "`split.cap`: 0x3E8 is an unusual way to write a number; write 1000"),
        ("\n  cap: 1000", "\n  cap: 0o17", "`split.cap`: 0o17 is the text '0o17' to Snakemake and the number 15"),
        ("\n  cap: 1000", "\n  cap: 1:30", "`split.cap`: 1:30 is the number 90 to Snakemake and the text '1:30'"),
        ("\n  cap: 1000", "\n  cap: 1e3", "`split.cap`: 1e3 is the text '1e3' to Snakemake and the number 1000 to DVC"),
        ("\n  cap: 1000", "\n  cap: 1000.0", "`split.cap`: Input should be a valid integer, not 1000.0"),
        ("flip: true", "flip: on", "`train.augment.flip`: on is true to Snakemake and the text 'on' to DVC"),
        ("flip: true", "flip: 1", "`train.augment.flip`: Input should be a valid boolean, not 1"),
        ("learning_rate: 0.002", "learning_rate: 2e-3", "write 0.002 or '2e-3'"),
        ("learning_rate: 0.002", "learning_rate: .inf", "`pretrain.learning_rate`: Input should be a finite number"),
        ("learning_rate: 0.002", "learning_rate: '0.002'", "`pretrain.learning_rate`: Input should be a valid number"),
        ("dataset: weldsim", "dataset: ~", "`dataset`: Input should be a valid string, not ~"),
        ("hardware:\n", "hardware: ~\nhardwear:\n", "`hardware`: Input should be a valid dictionary"),
        ("  threads: 1", "  threads: 1\n  threads: 2", "`hardware.threads`: the key is already in line"),
        ("  threads: 1", "  'threads': 1\n  threads: 2", "`hardware.threads`: the key is already in line"),
        ("  resnet50:", "  'resnet34':", "`models.resnet34`: the key is already in line"),
        ("report:", "folds: [0]\nreport:", "`folds`: the key is already in line"),
        ("  threads: 1", "  <<: {threads: 1}", "`hardware.<<`: a key is a name"),
        ("  threads: 1", "\tthreads: 1", "this is no valid YAML: found character"),
        ("  threads: 1", " threads: 1", "keys of one section begin in the same column"),
    ],
)  # fmt: skip
def test_what_the_engines_read_differently_or_a_wrong_type_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    text = own_text(old, new)
    message = refusal(text, tmp_path)
    assert told in message
    first = text[: text.index(new)].count("\n") + 1
    assert any(f"line {line}: " in message for line in range(first, first + 1 + new.count("\n")))


def test_a_directive_and_a_second_document_are_refused(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert "line 1: a directive (%NAME) has no place here" in refusal(f"%YAML 1.1\n---\n{text}", tmp_path)
    assert "this is no valid YAML: but found another document" in refusal(f"{text}\n---\na: 1\n", tmp_path)


def test_a_whole_number_serves_where_a_number_is_meant(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(own_text("rotation_degrees: 5", "rotation_degrees: 4"), encoding="utf-8")
    degrees = load_params(tmp_path / "params.yaml").train.augment.rotation_degrees
    assert (degrees, type(degrees)) == (4.0, float)


PLAIN = st.text("0123456789_.:xobeE+-~=<yYnNoOaAfFtTrRuUlLsS", min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PLAIN)
def test_what_is_accepted_is_the_same_in_both_versions_of_yaml(tmp_path: Path, scalar: str) -> None:
    path = tmp_path / "any.yaml"
    path.write_text(f"key: {scalar}\n", encoding="utf-8")
    with contextlib.suppress(InputError):
        values = read_yaml(path).values
        assert repr(values) == repr(yaml.safe_load(path.read_text())) == repr(YAML(typ="safe").load(path))


def test_overrides_of_one_dataset_change_nothing_in_another(raw: dict, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    raw["datasets"]["mine"] = {"source": "local", "path": "frames"}
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    before = load_params(path)
    raw["per_dataset"]["mine"] = {"split": {"cap": 7}, "models": {"conv6": {"epochs": 3}}}
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    after = load_params(path)
    assert after.for_dataset("weldsim") == before.for_dataset("weldsim")
    assert (after.for_dataset("mine").split.cap, before.for_dataset("mine").split.cap) == (7, 1000)
    assert after.for_dataset("mine").models["conv6"].epochs == 3
    with pytest.raises(InputError, match="there is no dataset `yours`"):
        after.for_dataset("yours")


def sections(model: type[Section] = Section) -> list[type[Section]]:
    return [kind for child in model.__subclasses__() for kind in (child, *sections(child))]


def test_every_value_is_described() -> None:
    described = [(kind, name, value) for kind in sections() for name, value in kind.model_fields.items()]
    described = [field for field in described if field[0].__module__.startswith("weldbench.config.")]
    assert len(described) > 100
    bare = [f"{kind.__name__}.{name}" for kind, name, value in described if not value.description]
    assert [name for name in bare if not name.endswith((".source", ".architecture")) and "Params." not in name] == []


def test_a_missing_file_and_broken_yaml_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        load_params(tmp_path / "params.yaml")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    with (tmp_path / "params.yaml").open("a") as file:
        file.write("\n  : : broken")
    with pytest.raises(InputError, match="no valid YAML"):
        load_params(tmp_path / "params.yaml")
