"""The benchmark for a GPU, on a CPU and in the smallest setting: it goes to machines that have little installed."""

import subprocess
import sys

import pytest

NOT_THERE = [
    "snakemake", "dvc", "kaggle", "sklearn", "scipy", "matplotlib", "papermill", "nbconvert", "captum", "imagehash",
    "kornia_rs", "rich", "ruamel", "tabulate",
]  # fmt: skip
BARE = """
import runpy, sys
for name in sys.argv[1].split():
    sys.modules[name] = None
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_without(packages: list[str], *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", BARE, " ".join(packages), "benchmarks/gpu.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_what_changes_frames_on_a_cpu_is_not_needed_for_a_gpu():
    done = run_without([*NOT_THERE, "numba"], "--help")
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_it_runs_from_a_checkout_with_little_more_than_torch():
    arguments = ["--device", "cpu", "--modes", "recorded", "free", "--batch-sizes", "4", "--frames", "12"]
    done = run_without(NOT_THERE, *arguments, "--size", "32", "--epochs", "1")
    assert done.returncode == 0, done.stderr
    lines = {name: float(value) for name, value, _ in (line.split("\t") for line in done.stdout.splitlines())}
    per_mode = {
        f"{what}_4_{mode}" for what in ("rate", "resident", "minutes", "warmup") for mode in ("recorded", "free")
    }
    assert set(lines) == per_mode | {"peak_memory"}
    assert lines["minutes_4_recorded"] == pytest.approx(30 * 24_204 / lines["rate_4_recorded"] / 60, rel=0.05, abs=0.01)
