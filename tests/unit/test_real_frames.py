"""The benchmarks on real frames, in the smallest setting, on frames that the project makes itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

from weldbench.weldsim import CLASSES, render_batch
from weldbench.weldsim.domain import PLANT

ROOT = Path(__file__).parents[2]
# Enough to tell classes, at a tenth of the passes.
SMALLER = {"input_size_px": 112, "other_sizes_px": [64], "augment_views": 2, "simulated_frames": 120}


def write_part(folder, seed):
    frames, labels = render_batch(seed, 12, 128, 70, PLANT)
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"image-{number:04d}.png")
    names = {f"image-{number:04d}.png": int(label) for number, label in enumerate(labels)}
    (folder / f"{folder.name}.json").write_text(json.dumps(names))


@pytest.fixture
def frames(tmp_path):
    for seed, name in enumerate(("train", "valid"), start=1):
        write_part(tmp_path / "frames" / name, seed)
    return tmp_path / "frames"


def lines_of(benchmark, *arguments, folder=ROOT) -> dict[str, float]:
    command = [sys.executable, ROOT / "benchmarks" / benchmark, *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600, cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert all(len(line) == 3 for line in lines)
    return {name: float(value) for name, value, _ in lines}


@pytest.mark.slow
def test_a_way_to_learn_is_scored_in_both_directions(frames, tmp_path):
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["models"]["efficientnet_lite0"].update(SMALLER)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    way = "imagenet_frozen_simulated"
    scores = lines_of("real_frames.py", frames, "--seeds", "1", "--only", way, folder=tmp_path)
    expected = {f"{way}_{what}" for what in ("macro_f1", "train_valid", "valid_train", "seconds")}
    assert set(scores) == expected | {f"{way}_f1_{name}" for name in CLASSES}
    mean = (scores[f"{way}_train_valid"] + scores[f"{way}_valid_train"]) / 2
    assert scores[f"{way}_macro_f1"] == pytest.approx(mean, rel=0.01)
    assert scores[f"{way}_macro_f1"] > 1 / len(CLASSES)


@pytest.mark.slow
def test_real_and_simulated_crops_are_told_apart_or_not(frames):
    parts = ("--train", frames / "train", "--test", frames / "valid")
    scores = lines_of("realism.py", *parts, "--epochs", "2", "--seeds", "1")
    assert set(scores) == {"real_or_simulated_auc", "fine_detail_auc"}
    assert all(0 <= value <= 1 for value in scores.values())
