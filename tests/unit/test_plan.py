"""`weldbench plan`: what a run takes, from measurements that are made up, and from real ones."""

import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from weldbench.config import Params, load_params
from weldbench.config.data import LocalDataset
from weldbench.planning.calibration import Calibration, NotMeasuredError, shortest
from weldbench.planning.dataset_size import dataset_size
from weldbench.planning.plan import Plan, duration, make_plan, total_seconds
from weldbench.planning.stages import Stage
from weldbench.planning.summary import summary
from weldbench.training.length import training_length

ROOT = Path(__file__).parents[2]
WELDBENCH = Path(sys.executable).parent / "weldbench"


class MadeUp(Calibration):
    """A machine on which everything takes a second, save for what is named."""

    def __init__(self, **seconds: float):
        super().__init__(Path("none.json"))
        self.asked: list[str] = []
        self._given = {name.replace("_", " "): value for name, value in seconds.items()}

    def seconds(self, what: str, settings: Any, measure: Callable[[], float]) -> float:
        self.asked.append(what)
        return next((value for name, value in self._given.items() if what.startswith(name)), 1.0)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def params_of(dataset: str = "weldsim", **changes: Any) -> Params:
    params = load_params(ROOT / "params.yaml")
    return params.model_copy(update={"dataset": dataset, **changes}).for_dataset(dataset)


def stage_of(plan: Plan, name: str, model: str = "") -> Stage:
    return next(stage for stage in plan.stages if (stage.name, stage.model) == (name, model))


def test_a_training_has_the_steps_that_the_training_itself_has() -> None:
    params, calibration = params_of(), MadeUp(step=2, scored_frame=0, start=0, resize=0)
    plan = make_plan(params, calibration, 2, "cpu")
    # At most 120 frames of each class: of 432, 192, 192, 204, 60 and 120 there are 120 * 4 + 60 + 120 = 660.
    length = training_length(params.models["conv6"], 660)
    assert length.steps == 1260
    training = stage_of(plan, "train", "conv6")
    assert training.seconds == 2 * 1260
    assert training.jobs == 3
    # 1,200 steps of pretraining, while two cores also render 1,200 batches of 32 frames, each a second.
    assert stage_of(plan, "pretrain", "resnet18").seconds == (2 * 1200 + 1200 * 32) / 2


def test_every_epoch_scores_valid_and_measures_batch_norms() -> None:
    plan = make_plan(params_of(), MadeUp(scored_frame=1, step=0, start=0, resize=0), 2, "cpu")
    epochs, timed = 60, 11 * 65
    assert stage_of(plan, "train", "conv6").seconds == epochs * 480 + timed
    epochs = 10  # of ResNet-18, whose norms are measured on its 660 frames
    assert stage_of(plan, "train", "resnet18_scratch").seconds == epochs * (480 + 660) + timed


def test_a_frozen_backbone_sees_each_frame_and_its_views_once() -> None:
    plan = make_plan(params_of(), MadeUp(scored_frame=1, render=0, start=0, resize=0), 2, "cpu")
    features = stage_of(plan, "features", "efficientnet_lite0")
    assert features.seconds == 2780 + 8 * 660 + 960
    # Two sizes of each frame, each with the last three stages: 2 * (1280 + 320 + 192) numbers of 4 bytes.
    assert features.disk_bytes == (2780 + 8 * 660 + 960) * 3584 * 4


def test_more_decoders_make_ingest_shorter_but_not_cheaper() -> None:
    two, four = (stage_of(make_plan(params_of(), MadeUp(start=0), cores, "cpu"), "ingest") for cores in (2, 4))
    assert two.seconds == pytest.approx(2 * four.seconds)
    assert two.core_seconds == four.core_seconds


def stage(
    phase: str, jobs: int, seconds: float, model: str = "", device: str = "cpu", core_seconds: float = 0
) -> Stage:
    return Stage("a stage", model, phase, jobs, seconds, core_seconds or seconds, device, 0, 0)  # type: ignore[arg-type]


def test_the_total_is_that_of_what_is_scarce() -> None:
    data, conclusion = stage("data", 1, 10), stage("conclusions", 1, 5)
    many = [data, stage("models", 8, 100, "conv6"), conclusion]
    assert total_seconds(many, 1) == 10 + 800 + 5
    assert total_seconds(many, 4) == 10 + 1.25 * 200 + 5  # four at a time, in each other's way
    assert total_seconds(many, 100) == 10 + 100 + 5  # the way through the model
    on_gpu = [data, stage("models", 8, 100, "conv6", "cuda"), conclusion]
    assert total_seconds(on_gpu, 100) == 10 + 800 + 5  # one GPU, one training at a time
    assert total_seconds([stage("data", 5, 10)], 2) == 25  # five folds on two cores


STAGES = st.lists(
    st.builds(
        stage,
        st.sampled_from(["data", "models", "conclusions"]),
        st.integers(1, 9),
        st.floats(0.1, 1e4),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["cpu", "cuda"]),
    ),
    min_size=1,
)


@given(STAGES, st.integers(1, 64))
def test_a_run_is_no_longer_than_one_job_after_the_other_and_no_shorter_than_its_longest(
    stages: list[Stage], cores: int
) -> None:
    total = total_seconds(stages, cores)
    assert total <= 1.25 * sum(stage.jobs * stage.seconds for stage in stages) + 1e-6
    assert total >= max(stage.seconds for stage in stages) - 1e-6
    assert total_seconds(stages, cores + 100) <= 1.25 * total + 1e-6


@given(st.floats(0, 1e7))
def test_a_duration_says_about_what_it_is(seconds: float) -> None:
    units = {"s": 1, "min": 60, "h": 3600, "d": 86400}
    words = duration(seconds).split()
    said = sum(float(number) * units[unit] for number, unit in zip(words[::2], words[1::2], strict=True))
    assert said == pytest.approx(seconds, rel=0.34, abs=1)


def test_a_training_of_hours_names_the_way_around_it() -> None:
    slow = make_plan(params_of("ss304"), MadeUp(step=1, scored_frame=0.001, start=1, resize=0), 2, "cpu")
    told = next(note for note in slow.notes if note.startswith("resnet18: "))
    assert told.startswith(
        "resnet18: about 6.4 h here for each of 3 trainings; efficientnet_lite0 with freeze: backbone"
    )
    assert told.endswith("on a GPU minutes.")
    quick = make_plan(params_of(), MadeUp(step=0.01, scored_frame=0.001, start=1, resize=0), 2, "cpu")
    assert not [note for note in quick.notes if "on a GPU" in note]


def test_frames_are_those_of_params_before_a_download_and_the_plan_says_so() -> None:
    plan = make_plan(params_of("ss304"), MadeUp(), 2, "cpu")
    assert plan.notes[0].startswith(
        "45,058 frames (24,204 train, 9,694 valid, 11,160 test), as published; the download"
    )
    assert "planned with 20 MB/s" in plan.notes[1]
    aluminum = dataset_size(params_of("al5083"), Path("data/al5083"))
    assert aluminum.splits(params_of("al5083").split) == {"train": 21333, "valid": 5333, "test": 6588}


def test_after_ingest_its_own_counts_hold(folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    counts = {"train": {"good": 70, "bad": 30}, "valid": {"good": 5, "bad": 5}, "test": {"good": 8, "bad": 2}}
    (data / "inventory.json").write_text(json.dumps({"classes": ["good", "bad"], "counts": counts}))
    (data / "archive.json").write_text(json.dumps({"bytes": 12345}))
    columns = "row,path,run,label,published_split,width_px,height_px,sha256"
    (data / "manifest.csv").write_text(f'{columns}\n0,"a, b/1.png","a, b",good,train,800,600,ab\n')
    size = dataset_size(params_of(), data)
    assert (size.frames, size.width_px, size.height_px, size.archive_bytes) == (120, 800, 600, 12345)
    params = params_of()
    model = params.models["conv6"].model_copy(update={"balance": "oversample"})
    assert size.learned_frames(params.split, model) == 140
    assert size.learned_frames(params.split, model.model_copy(update={"balance": "undersample", "cap": 40})) == 70
    assert size.learned_frames(params.split, model.model_copy(update={"balance": "none"})) == 100
    (data / "inventory.json").write_text("half of it")
    assert dataset_size(params, data).frames == 2780


@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_or_zip_of_ones_own_is_counted(folder: Path, packed: bool) -> None:
    for split, frames in {"train": 6, "valid": 2, "test": 3}.items():
        for number in range(frames):
            path = folder / "own" / split / ("good" if number % 2 else "bad") / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x" * 1000)
    (folder / "own/notes.txt").touch()
    place = folder / "own"
    if packed:
        place = folder / "own.zip"
        with zipfile.ZipFile(place, "w") as archive:
            for path in (folder / "own").rglob("*.*"):
                archive.write(path, path.relative_to(folder))
    params = params_of()
    own = LocalDataset(source="local", path=str(place))
    params = params.model_copy(update={"dataset": "mine", "datasets": {"mine": own}})
    size = dataset_size(params, folder / "data")
    assert size.splits(params.split) == {"train": 6, "valid": 2, "test": 3}
    assert size.archive_bytes == 11_000
    assert size.told_by == f"as counted in {place}"


@pytest.mark.parametrize(
    ("place", "told"), [("nowhere", "there is no such folder or zip"), ("empty", "no picture in it")]
)
def test_a_place_without_frames_is_refused_before_anything_is_measured(folder: Path, place: str, told: str) -> None:
    (folder / "empty").mkdir()
    settings = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    settings["dataset"] = "mine"
    settings["datasets"]["mine"] = {"source": "local", "path": place}
    (folder / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    done = subprocess.run([WELDBENCH, "plan"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: params.yaml: datasets.mine.path: {place}: ")
    assert told in done.stderr
    assert "measuring" not in done.stderr
    assert not (folder / ".weldbench").exists()
    checked = subprocess.run([WELDBENCH, "check"], capture_output=True, text=True)
    assert checked.returncode == 0
    assert ("names no folder or zip of this machine: nowhere" in checked.stdout) == (place == "nowhere")


def test_a_measurement_is_made_once_for_its_settings_and_kept(folder: Path) -> None:
    path, made = folder / "kept.json", []

    def measure() -> float:
        made.append(1)
        return 0.25

    first = Calibration(path)
    assert first.seconds("step", {"size": 1}, measure) == 0.25
    again = Calibration(path, measures=False)
    assert again.seconds("step", {"size": 1}, measure) == 0.25
    assert len(made) == 1
    with pytest.raises(NotMeasuredError):
        again.seconds("step", {"size": 2}, measure)
    assert Calibration(path).seconds("step", {"size": 2}, measure) == 0.25
    assert len(made) == 2


@given(st.one_of(st.binary(max_size=30), st.sampled_from([b"[1]", b'{"a": "b"}', b'{"a": NaN}', b"[" * 5000])))
def test_a_damaged_file_of_measurements_counts_as_none(damage: bytes) -> None:
    path = Path("damaged.json")
    path.write_bytes(damage)
    with pytest.raises(NotMeasuredError):
        Calibration(path, measures=False).seconds("step", {}, lambda: 1.0)


def test_the_shortest_of_several_tries_counts_and_the_first_warms_up() -> None:
    waits = iter([0.05, 0.02, 0.0, 0.02, 0.02, 0.02])

    def work() -> None:
        time.sleep(next(waits))

    assert shortest(work, on_cpu=False) < 0.02
    # What others do while this process waits is not its own time.
    assert shortest(lambda: time.sleep(0.05)) < 0.04


def test_snakemakes_line_asks_for_a_plan_where_nothing_was_measured_and_measures_nothing(folder: Path) -> None:
    line = summary(load_params(ROOT / "params.yaml"), 2)
    assert line == "plan: how long weldsim takes here is not measured yet; `weldbench plan` measures it"
    assert list(folder.iterdir()) == []


def test_the_command_measures_once_and_snakemake_then_says_the_total(folder: Path) -> None:
    import yaml

    raw = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    raw["train"]["models"], raw["finetune"]["models"], raw["features"]["models"] = ["full_con6"], [], []
    raw["compare"]["models"], raw["export"]["models"] = ["full_con6"], []
    (folder / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([WELDBENCH, "plan", *arguments], capture_output=True, text=True, env=environment)

    first, again = run("--json"), run("--json", "--cores", "1")
    assert first.returncode == 0, first.stderr
    assert "measurements made" in first.stderr
    assert "measured before" in again.stderr
    plan, narrower = json.loads(first.stdout), json.loads(again.stdout)
    assert [stage["name"] for stage in plan["stages"]] == [
        "fetch", "ingest", "split", "train", "evaluate", "explain", "compare", "report",
    ]  # fmt: skip
    assert narrower["seconds"] >= plan["seconds"] > 5
    assert f"{plan['dataset']} on {plan['cores']} cores" in run().stdout
    code = "import sys, weldbench.config as c, weldbench.planning.summary as s; print(s.summary(c.load_params(), 2))"
    said = subprocess.run(
        [sys.executable, "-c", f"{code}; print('torch' in sys.modules)"], capture_output=True, text=True
    )
    line, torch = said.stdout.splitlines()
    assert line.startswith("plan: a whole run of weldsim takes about ")
    assert torch == "False"
    wrong = run("--dataset", "nothing")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert run("--cores", "0").returncode == 2


def test_a_batch_larger_than_the_frames_allow_is_timed_as_the_training_makes_it() -> None:
    params = params_of()
    large = params.models["conv6"].model_copy(update={"batch_size": 10_000_000})
    params = params.model_copy(update={"models": params.models | {"conv6": large}})
    sizes = []

    class Recording(MadeUp):
        def seconds(self, what: str, settings: Any, measure: Callable[[], float]) -> float:
            sizes.extend([settings[1]] if what == "step of conv6" else [])
            return super().seconds(what, settings, measure)

    make_plan(params, Recording(), 2, "cpu")
    assert sizes == [165]  # a quarter of 660 frames
