"""The benchmark of simulated against real frames, in the smallest setting, on frames that the project makes itself."""

import importlib
import json
import subprocess
import sys

import numpy as np
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


@pytest.fixture
def sim_to_real(monkeypatch):
    monkeypatch.syspath_prepend("benchmarks")
    return importlib.import_module("sim_to_real")


def test_a_frame_takes_a_share_of_the_brightness_of_another_and_keeps_its_label(sim_to_real):
    frames = np.stack([np.full((8, 8), level, np.uint8) for level in (40, 120)])
    mixed = sim_to_real.amplitudes_mixed(sim_to_real.part_of(frames, np.array([3, 5])), 200, seed=0)
    assert mixed.labels.tolist() == [3] * 200 + [5] * 200
    levels = mixed.frames[:, 0, 0]
    assert (mixed.frames == levels[:, None, None]).all()  # a flat frame has one amplitude, its mean
    assert levels[:200].min() == 40  # where the other one is the frame itself
    assert levels[200:].max() == 120
    assert len(np.unique(levels)) > 60  # of the 81 levels from 40 to 120
    assert ((levels >= 40) & (levels <= 120)).all()


def test_the_only_frame_stays_as_it_is(sim_to_real):
    frames = np.random.default_rng(1).integers(0, 256, (1, 16, 16), dtype=np.uint8)
    mixed = sim_to_real.amplitudes_mixed(sim_to_real.part_of(frames, np.array([0])), 3, seed=0)
    assert (mixed.frames == frames).all()


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
