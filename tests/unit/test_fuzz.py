"""Whatever stands in params.yaml and in the files of a stage: it works, or it ends with one message and exit code 2."""

import contextlib
import copy
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import URLError

import pytest
import yaml
from archives import published, small_dataset, write_zip
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weldbench.config import load_params
from weldbench.errors import InputError

ROOT = Path(__file__).parents[2]
PARAMS = """
dataset: mine
seeds: [0]
folds: [0]
datasets:
  mine:
    {source: local, path: frames.zip, classes: [good_weld, burn_through, contamination], run_pattern: '[^/]+(?=/)'}
  made: {source: simulated, seed: 0, width_px: 32, height_px: 18, train_frames: 40, valid_frames: 30, test_frames: 30,
    imbalance: 2}
per_dataset:
  mine: {ingest: {frame_size_px: 32}, split: {cap: 3}, models: {full_con6: {epochs: 1}}, compare: {balanced_cap: 2}}
hardware: {device: cpu, devices: 1, precision: fp32, threads: 1, compile: false}
ingest: {frame_size_px: 40, workers: 1, on_bad_frame: fail, max_bad_frames: 0}
split: {strategy: published, balance: undersample, cap: 5, on_leak: drop, fold_count: 3, seed: 0}
models:
  full_con6: {input_size_px: 16, hidden: [4, 4], epochs: 2, batch_size: 4, learning_rate: 0.01, loss: focal}
  conv6: {input_size_px: 16, channels: [2], kernel_size: 3, hidden: 4, epochs: 1, batch_size: 4, learning_rate: 0.01}
  resnet18: {input_size_px: 32, init: simulated, freeze: none, epochs: 1, batch_size: 4, learning_rate: 0.01}
train: {models: [full_con6, conv6], augment: {rotation_degrees: 5, scale: 0.1, mix_amplitudes: 0.1}}
finetune: {models: [resnet18]}
features: {models: []}
pretrain: {input_size_px: 32, steps: 1, batch_size: 4, workers: 1, seed: 0}
sweep: {models: [full_con6], epochs: [1], learning_rates: [0.01], batch_size: 4}
compare: {models: [full_con6], bootstrap_draws: 20, confidence: 0.9, false_reject_rates: [0.1], vote_frames: [1, 3]}
report: {title: A title}
export: {models: [conv6], vote_frames: 5}
"""
DATA, TRAINED, EVALUATED = (
    "data/mine",
    "models/mine/full_con6/fold0/seed0",
    "results/mine/evaluation/full_con6/fold0/seed0",
)
EVALUATIONS = "results/mine/evaluation"
SPLIT = f"{DATA}/split/fold0/split.csv"
INGESTED = [f"{DATA}/{name}" for name in ("frames.npy", "manifest.csv", "inventory.json")]
# What each stage is called with, what it reads, and how many examples are affordable.
STAGES = {
    "check": ("--output ok --overrides overrides", [], 60),
    "fetch": (f"--dataset mine --archive {DATA}/archive.zip", ["frames.zip"], 25),
    "ingest": (f"--dataset mine --archive {DATA}/archive.zip --output {DATA}", [f"{DATA}/archive.zip"], 25),
    "split": (f"--dataset mine --fold 0 --data {DATA} --output {DATA}/split/fold0", INGESTED, 25),
    "train": (
        f"--dataset mine --model full_con6 --seed 0 --data {DATA} --split {SPLIT} --output {TRAINED}",
        [*INGESTED, SPLIT],
        12,
    ),
    "evaluate": (
        f"--data {DATA} --split {SPLIT} --trained {TRAINED}/model.safetensors --output {EVALUATED}",
        [*INGESTED, SPLIT, f"{TRAINED}/model.safetensors"],
        15,
    ),
    "explain": (
        f"--data {DATA} --trained {TRAINED}/model.safetensors --predictions {EVALUATED}/predictions.csv --output a.png",
        [*INGESTED, f"{TRAINED}/model.safetensors", f"{EVALUATED}/predictions.csv"],
        8,
    ),
    "compare": (
        f"--dataset mine --data {DATA} --trained models/mine --evaluation {EVALUATIONS} --output results/mine",
        [*INGESTED, SPLIT, f"{DATA}/split/fold0/audit.json", f"{EVALUATED}/predictions.csv", f"{TRAINED}/training.json",
         f"{TRAINED}/history.csv", "reference/published.yaml"],
        6,
    ),
    "pretrain": ("--model resnet18 --output backbone.safetensors", [], 3),
    "report": ("--dataset mine --results results/mine --output report.html", ["results/mine/tables/comparison.csv"], 2),
}  # fmt: skip

usual_values = st.sampled_from([0, 1, 2, 3, 0.25, 0.5, False, True, "none", "balanced"])
odd_values = st.sampled_from(
    [None, -1, 2**31, 2**64, -0.5, 1e300, float("inf"), float("nan"), "", "mine", "7", "a/../b",
     "\0", "[", "(?P<run>x", "~nobody/x", "é\n", [], [0], [0, 0], ["mine"], [[]], {}, {"a": 1}, {1: 2}]
)  # fmt: skip


def places(tree: Any, place: tuple = ()) -> Iterator[tuple]:
    """Yield the path of every key and item in a tree."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in pairs:
        yield (*place, key)
        yield from places(value, (*place, key))


@st.composite
def edited_params(draw: st.DrawFn) -> str:
    """The text of params.yaml after some slips: a value that is odd, a key that is wrong, lost or there twice."""
    params = yaml.safe_load(PARAMS)
    for _ in range(draw(st.sampled_from([1, 1, 2]))):
        place = draw(st.sampled_from(list(places(params))))
        parent = params
        for step in place[:-1]:
            parent = parent[step]
        slip = draw(st.sampled_from(["number"] * 5 + ["value", "key", "lost"]))
        value = parent[place[-1]]
        if place[-1] == "devices":
            continue  # more than one starts processes
        if slip == "number" and type(value) in {int, float}:
            parent[place[-1]] = draw(st.sampled_from([0, 1, value + 1, 2 * value, value / 2]))
        elif slip in {"number", "value"}:
            parent[place[-1]] = copy.deepcopy(draw(usual_values | odd_values))
        elif slip == "key" and isinstance(parent, dict):
            parent[draw(st.sampled_from(["sed", "per_dataset", "1", ""]))] = parent.pop(place[-1])
        elif slip == "lost":
            del parent[place[-1]]
    text = yaml.safe_dump(params, sort_keys=False)
    if draw(st.integers(0, 5)):
        return text
    at = draw(st.integers(0, len(text)))
    typed = draw(
        st.sampled_from(["\t", "*", "&a ", "%", "'", '"', "{", ": ", "- ", "\n", "!!int ", "_", "é", "\ufeff"])
    )
    return text[:at] + typed + text[at + draw(st.integers(0, 2)) :]


def damage(path: Path, draw: st.DrawFn) -> None:
    content = path.read_bytes()
    match draw(st.sampled_from(["gone", "empty", "cut", "noise", "folder", "digit"])):
        case "gone":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "cut":
            path.write_bytes(content[: draw(st.integers(0, len(content)))])
        case "noise":
            at = draw(st.integers(0, len(content)))
            path.write_bytes(content[:at] + draw(st.binary(min_size=1, max_size=8)) + content[at + 1 :])
        case "folder":
            path.unlink()
            path.mkdir()
        case "digit":
            digits = [at for at, byte in enumerate(content) if byte in b"0123456789"] or [0]
            at = draw(st.sampled_from(digits))
            path.write_bytes(content[:at] + draw(st.sampled_from([b"-", b"x", b"9", b",", b"\n"])) + content[at + 1 :])


def script(stage: str) -> ModuleType:
    sys.modules.setdefault("own_source", ModuleType("own_source"))  # this process imports the project's code already
    spec = importlib.util.spec_from_file_location(f"script_{stage}", ROOT / "scripts" / f"{stage}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def exit_code(stage: str, arguments: str) -> int:
    """Run a stage in this process, in the working folder; what is no InputError comes through."""
    before, sys.argv = sys.argv, [f"{stage}.py", *arguments.split()]
    try:
        script(stage).main()
    except SystemExit as end:
        return end.code
    finally:
        sys.argv = before
    return 0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every stage up to compare has run on a tiny dataset."""
    folder = tmp_path_factory.mktemp("world")
    write_zip(folder / "frames.zip", published(small_dataset()))
    (folder / "params.yaml").write_text(PARAMS)
    shutil.copytree(ROOT / "reference", folder / "reference")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    shutil.copy(ROOT / "requirements.lock", folder)
    with contextlib.chdir(folder):
        for stage in ("fetch", "ingest", "split", "train", "evaluate", "compare"):
            assert exit_code(stage, STAGES[stage][0]) == 0
    return folder


@pytest.fixture(autouse=True)
def no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise URLError("no network in this test")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)


@settings(
    max_examples=300, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edited_params())
def test_any_params_yaml_is_valid_or_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    with contextlib.suppress(InputError):
        for dataset in (params := load_params(path)).datasets:
            params.for_dataset(dataset)


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_works_or_ends_with_one_message(
    stage: str, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    arguments, files, examples = STAGES[stage]
    number = iter(range(10_000))

    @settings(max_examples=examples, derandomize=True, deadline=None, database=None)
    @given(st.data())
    def run(data: st.DataObject) -> None:
        folder = Path(shutil.copytree(world, tmp_path / str(next(number))))
        if not files or data.draw(st.booleans()):
            (folder / "params.yaml").write_text(data.draw(edited_params()), encoding="utf-8")
        else:
            damage(folder / data.draw(st.sampled_from(files)), data.draw)
        capsys.readouterr()
        with contextlib.chdir(folder):
            code = exit_code(stage, arguments)
        assert code in {0, 2}
        if code == 2:
            assert capsys.readouterr().err.rpartition("error: ")[2].strip()

    run()
