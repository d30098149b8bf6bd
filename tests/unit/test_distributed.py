"""Several processes share each batch and reach the weights of one process."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from blobs import write_blobs, write_params
from safetensors.torch import load_file

TRAIN = Path(__file__).parents[2] / "scripts" / "train.py"


@pytest.mark.slow
def test_two_processes_reach_the_weights_of_one(tmp_path):
    split = write_blobs(tmp_path / "data")
    trained = {}
    for devices in (1, 2):
        folder = tmp_path / str(devices)
        folder.mkdir()
        command = [sys.executable, TRAIN, "--params", write_params(folder, devices=devices), "--dataset", "blobs"]
        command += ["--model", "conv6", "--seed", "0", "--data", split.parents[2], "--split", split]
        command += ["--output", folder]
        result = subprocess.run([str(split) for split in command], capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        trained[devices] = load_file(folder / "model.safetensors")
    for name, weights in trained[1].items():
        torch.testing.assert_close(trained[2][name], weights, rtol=0, atol=1e-5)
