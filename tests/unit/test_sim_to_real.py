"""The benchmark of simulated against real frames, in the smallest setting, on frames that the project makes itself."""

import json
import subprocess
import sys

import pytest
from PIL import Image

from weldbench.weldsim import CLASSES, render_batch
from weldbench.weldsim.domain import PLANT


def write_part(folder, seed):
    frames, labels = render_batch(seed, 12, 128, 70, PLANT)
    folder.mkdir()
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"image-{number:04d}.png")
    names = {f"image-{number:04d}.png": int(label) for number, label in enumerate(labels)}
    (folder / f"{folder.name}.json").write_text(json.dumps(names))


@pytest.mark.slow
def test_it_prints_every_score(tmp_path):
    write_part(tmp_path / "train", 1)
    write_part(tmp_path / "valid", 2)
    command = [sys.executable, "benchmarks/sim_to_real.py", "--train", tmp_path / "train", "--test", tmp_path / "valid"]
    command += ["--steps", "2", "--epochs", "2", "--seeds", "1"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert all(len(line) == 3 for line in lines)
    scores = {name: float(value) for name, value, _ in lines}
    expected = {f"{name}_macro_f1" for name in ("sim_only", "scratch", "transfer")}
    expected |= {f"transfer_f1_{name}" for name in CLASSES} | {"real_or_simulated_auc", "fine_detail_auc"}
    assert expected <= set(scores)
    assert all(0 <= value <= 1 for value in scores.values())
