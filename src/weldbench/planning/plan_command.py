"""The command `weldbench plan`."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from weldbench.errors import InputError

if TYPE_CHECKING:
    from weldbench.planning.plan import Plan

_EPILOG = """\
The first plan measures this machine for some 15 seconds, or minutes where it is busy, and keeps that in
.weldbench/calibration.json; delete the file to measure again. Nothing else is written, and nothing runs. Exit codes:
0; 2 for bad input."""


def add_plan(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to those of `weldbench`."""
    parser = commands.add_parser(
        "plan", help="how long will a run take on this machine, and how much disk and memory?", epilog=_EPILOG
    )
    parser.add_argument("--dataset", metavar="NAME", help="default: the one that params.yaml names")
    parser.add_argument("--cores", type=int, metavar="N", help="that the engine will be given; default: all")
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")
    parser.set_defaults(run=_plan)


def _plan(arguments: argparse.Namespace) -> None:
    from weldbench.config import load_params
    from weldbench.planning.calibration import FILE, Calibration
    from weldbench.planning.dataset_size import require_pictures
    from weldbench.planning.plan import make_plan
    from weldbench.runtime.hardware import choose_device
    from weldbench.runtime.processor import usable_cores

    if arguments.cores is not None and arguments.cores < 1:
        raise InputError(f"--cores is {arguments.cores}; it has to be at least 1")
    params = load_params()
    params = params.for_dataset(arguments.dataset or params.dataset)
    require_pictures(params, Path("data", params.dataset))
    device, calibration = choose_device(params.hardware.device), Calibration()
    print(
        "measuring this machine, where that was not done before: some 15 seconds, minutes where it is busy ...",
        file=sys.stderr,
    )
    plan = make_plan(params, calibration, arguments.cores or usable_cores(), device)
    told = f"{len(calibration.measured)} measurements made" if calibration.measured else "measured before"
    print(f"{told}; {FILE} keeps them, delete it to measure again", file=sys.stderr)
    print(json.dumps(plan.as_json(), indent=2, ensure_ascii=False) if arguments.json else table_of(plan))


def table_of(plan: "Plan") -> str:
    """Return a plan as text: a line for each stage, the total, the notes."""
    from weldbench.planning.finding import gib
    from weldbench.planning.plan import duration

    rows = [("stage", "model", "jobs", "each", "all", "disk", "memory", "device")]
    for stage in plan.stages:
        each, all_jobs = duration(stage.seconds), duration(stage.jobs * stage.seconds)
        sizes = gib(stage.disk_bytes), gib(stage.memory_bytes)
        rows.append((stage.name, stage.model, str(stage.jobs), each, all_jobs, *sizes, stage.device))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    total = (
        f"{plan.dataset} on {plan.cores} cores, networks on {plan.device}: about {duration(plan.seconds)} in all, "
        f"{gib(plan.disk_bytes)} of disk with DVC's copies, {gib(plan.memory_bytes)} of memory"
    )
    return "\n".join([*lines, "", total, *(f"- {note}" for note in plan.notes)])
