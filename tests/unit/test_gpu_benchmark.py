"""The benchmark for a GPU, on a CPU and in the smallest setting: it goes to machines that have little installed."""

import subprocess
import sys

import pytest

NOT_THERE = [
    "snakemake", "dvc", "kaggle", "sklearn", "scipy", "matplotlib", "papermill", "nbconvert", "captum", "imagehash",
    "kornia_rs", "rich", "ruamel", "tabulate",
]  # fmt: skip
BARE = f"""
import runpy, sys
for name in {NOT_THERE}:
    sys.modules[name] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_on_a_gpu_it_does_not_even_need_what_changes_frames_on_a_cpu():
    bare = BARE.replace("for name in [", "for name in ['numba', ")
    done = subprocess.run([sys.executable, "-c", bare, "benchmarks/gpu.py", "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_it_runs_from_a_checkout_with_little_more_than_torch():
    command = [sys.executable, "-c", BARE, "benchmarks/gpu.py", "--device", "cpu", "--modes", "eager", "free"]
    command += ["--batch-sizes", "4", "--frames", "12", "--size", "32", "--epochs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = {name: float(value) for name, value, _ in (line.split("\t") for line in done.stdout.splitlines())}
    per_mode = {f"{what}_4_{mode}" for what in ("rate", "resident", "minutes", "warmup") for mode in ("eager", "free")}
    assert set(lines) == per_mode | {"peak_memory"}
    assert lines["minutes_4_eager"] == pytest.approx(30 * 24_204 / lines["rate_4_eager"] / 60, rel=0.05, abs=0.01)
