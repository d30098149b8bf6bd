"""A training that is killed, again and again, and started again ends with the bytes of an undisturbed one."""

import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from blobs import write_blobs, write_params

TRAIN = Path(__file__).parents[2] / "scripts" / "train.py"
# Epochs long enough to be hit, and all that has a state: momenta, a moving average, an early best epoch.
SETTINGS = "{input_size_px: 32, epochs: 16, batch_size: 8, learning_rate: 0.005, ema_decay: 0.9}"


@pytest.mark.long
def test_training_killed_at_random_moments_ends_with_the_same_bytes(tmp_path):
    split = write_blobs(tmp_path / "data", (192, 30, 30))
    params = write_params(tmp_path, conv6=SETTINGS)
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    _finish(_start(params, split, undisturbed))

    chance = random.Random(0)
    state = killed / ".checkpoint.safetensors"
    for _ in range(3):
        before = state.stat().st_mtime_ns if state.exists() else None
        process = _start(params, split, killed)
        while not state.exists() or state.stat().st_mtime_ns == before:
            assert process.poll() is None
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, 0.1))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "the training was faster than the kill: make it longer"
        assert not (killed / "model.safetensors").exists()
    _finish(_start(params, split, killed))

    assert _sha256(killed / "model.safetensors") == _sha256(undisturbed / "model.safetensors")
    run = json.loads((killed / "training.json").read_text())
    assert run["seconds"] > run["training_seconds"]  # those of the killed processes count too
    pd.testing.assert_frame_equal(_timeless_history(killed), _timeless_history(undisturbed))
    assert sorted(path.name for path in killed.iterdir()) == ["history.csv", "model.safetensors", "training.json"]


def _start(params: Path, split: Path, output: Path) -> subprocess.Popen:
    command = [sys.executable, TRAIN, "--params", params, "--dataset", "blobs", "--model", "conv6", "--seed", "3"]
    command += ["--data", split.parents[2], "--split", split, "--output", output]
    return subprocess.Popen([str(split) for split in command], stderr=subprocess.PIPE, text=True)


def _finish(process: subprocess.Popen) -> None:
    _, errors = process.communicate()
    assert process.returncode == 0, errors


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _timeless_history(output: Path) -> pd.DataFrame:
    return pd.read_csv(output / "history.csv").drop(columns=["seconds", "frames_per_second"])
