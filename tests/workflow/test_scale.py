"""A thousand trainings are planned in little memory; benchmarks/overhead.py says how fast."""

import re
import sys
import time
from pathlib import Path

import pytest
from workflow.conftest import edit_params, run

pytestmark = pytest.mark.long

SEEDS = 334  # of three models
# The peak of this process alone: what getrusage says of a child counts its parent, whose copy it was.
PLAN = r"""
import re
from pathlib import Path
from snakemake.cli import main
try:
    main(["--dry-run", "--quiet", "rules"])
finally:
    print("peak_mib", int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


def grow(params: dict) -> None:
    params["seeds"] = list(range(SEEDS))
    params["train"]["models"] = ["full_con6", "conv6"]
    params["compare"]["models"] = ["full_con6", "conv6", "resnet18"]


def test_a_thousand_trainings_are_planned_within_one_gibibyte(project: Path) -> None:
    edit_params(project, grow)
    started = time.monotonic()
    said = run(project, sys.executable, "-c", PLAN)
    found = {name: int(number) for name, number in re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE)}
    print(f"{time.monotonic() - started:.1f} s, {found['peak_mib']} MiB")
    assert found["train"] + found["finetune"] == 3 * SEEDS
    assert found["peak_mib"] <= 1024
