"""A few frames in class folders are enough for the defaults to show what pretraining is worth."""

import json
from pathlib import Path

import pytest
import yaml
from fresh_process import run_script
from PIL import Image

from weldbench.weldsim import CLASSES, render_batch
from weldbench.weldsim.domain import PLANT

ROOT = Path(__file__).parents[2]


def write_class_folders(folder: Path, split: str, frames: int, seed: int) -> None:
    """Write so many frames of every class as `split/class/number.png`."""
    left = dict.fromkeys(range(len(CLASSES)), frames)
    while any(left.values()):
        for frame, label in zip(*render_batch(seed, 48, 128, 70, PLANT), strict=True):
            if left[int(label)]:
                left[int(label)] -= 1
                path = folder / split / CLASSES[label] / f"{seed}-{left[int(label)]}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(frame).save(path)
        seed += 1


def script(name: str, folder: Path, *arguments: object) -> str:
    return run_script(f"{name}.py", "--params", folder / "params.yaml", *arguments, folder=folder)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Six frames of each class to learn from, read as a user gives them; and a backbone after a short pretraining."""
    folder = tmp_path_factory.mktemp("small")
    for split, frames, seed in (("train", 6, 1), ("valid", 1, 1001), ("test", 8, 2001)):
        write_class_folders(folder / "frames", split, frames, seed)
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["dataset"] = "mine"
    params["datasets"]["mine"] = {"source": "local", "path": str(folder / "frames")}
    params["hardware"] = {"device": "cpu", "precision": "fp32", "threads": 1}
    params["pretrain"].update(steps=250, input_size_px=32)
    params["models"]["resnet18"].update(input_size_px=32, min_steps=100)
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    script("fetch", folder, "--dataset", "mine", "--archive", "archive.zip")
    script("ingest", folder, "--dataset", "mine", "--archive", "archive.zip", "--output", "data")
    script("split", folder, "--dataset", "mine", "--fold", 0, "--data", "data", "--output", "data/split/fold0")
    script("pretrain", folder, "--model", "resnet18", "--output", "backbone.safetensors")
    return folder


def trained(folder: Path, init: str) -> tuple[float, dict, str]:
    """Return macro F1 on test, training.json, and what the terminal said."""
    params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    params["models"]["resnet18"]["init"] = init
    lists = {section: {**params[section], "models": []} for section in ("train", "finetune", "features")}
    lists["finetune" if init == "simulated" else "train"]["models"] = ["resnet18"]
    params |= lists | {name: {**params[name], "models": ["resnet18"]} for name in ("compare", "export")}
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    split, output = ("--split", "data/split/fold0/split.csv"), folder / init
    start = ["--pretrained", "backbone.safetensors"] if init == "simulated" else []
    model = ("--dataset", "mine", "--model", "resnet18", "--seed", 0)
    said = script("train", folder, *model, "--data", "data", *split, *start, "--output", output)
    script(
        "evaluate", folder, "--data", "data", *split, "--trained", output / "model.safetensors", "--output", output
    )  # fmt: skip
    facts = json.loads((output / "training.json").read_text())
    return json.loads((output / "metrics.json").read_text())["macro_f1"], facts, said


@pytest.mark.slow
def test_a_simulated_backbone_beats_random_weights_on_six_frames_per_class(small):
    start, facts, said = trained(small, "simulated")
    scratch, _, _ = trained(small, "scratch")
    assert start > scratch + 0.1
    assert start > 0.5
    assert facts["length"]["steps"] == 100
    assert facts["length"]["batch_size"] == 9
    assert facts["selection"]["by"] == "last"
    assert "36 frames to learn from, 10 epochs of 10 steps, batches of 9 frames" in said
    assert "valid cannot choose: valid has 2 runs or more of no class" in said
