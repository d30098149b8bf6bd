"""The whole comparison at the published size: 45,058 frames of 1280 x 700, from the zip to the report.

    python benchmarks/full_size.py FOLDER [--scale 1.0] [--archive-only] [--record]

FOLDER keeps the archive, whose rendering takes half an hour or more, and gets a clone of the last commit, in which
Snakemake runs: Full-con6, Conv6 and EfficientNet-Lite0, whose backbone is frozen, three seeds each, on a list of
at most 788 frames of each class (4,728; the paper had 4,729), with tables, figures, export and report. The archive is
weldsim's, in the published layout with the published numbers of frames. `weldbench plan` is asked first there.

For each stage: seconds of its jobs, the seconds that were planned, and what one process had for itself at most
(anonymous pages; mapped files apart). Of ResNet-18 two epochs are trained after that, and the rest is extrapolated.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import yaml
from published_size import PUBLISHED
from results import Measured, machine, print_lines, write_section
from watched_run import Run, watched

from weldbench.config import load_params
from weldbench.config.data import SS304_CLASSES, SimulatedDataset
from weldbench.data.dataset import read_split
from weldbench.pipeline.command import command
from weldbench.runtime import atomic
from weldbench.runtime.hardware import prepare
from weldbench.weldsim.archive import write_archive

ROOT = Path(__file__).parents[1]
MODELS = ["full_con6", "conv6", "efficientnet_lite0"]
CAP = 788
RESNET, RESNET_EPOCHS = "resnet18_scratch", 2


INTRODUCTION = """\
The line from a zip of 45,058 frames of 1280 x 700 to the report (`full_size.py`, which says what it is). A round is a
job; `_planned` is what `weldbench plan` said of one that runs alone, and here two run at a time; `_memory` is what a
process had for itself at most. ResNet-18 was trained for two epochs; 30 on all training frames are extrapolated."""


@command
def main() -> None:
    """Make the archive, run the workflow, print the lines."""
    arguments = parse_arguments()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    archive = arguments.folder.resolve() / f"archive-{arguments.scale:g}.zip"
    if not archive.exists():
        counts = {f"{split}_frames": int(count * arguments.scale) for split, count in PUBLISHED.items()}
        with atomic.replacing(archive) as partial:
            write_archive(SimulatedDataset(source="simulated", width_px=1280, height_px=700, **counts), partial)
    if arguments.archive_only:
        return
    project = fresh_clone(arguments.folder.resolve() / "project", archive)
    os.environ["PYTHONPATH"] = "src"  # the clone's weldbench, whatever is installed
    planned = json.loads(output_of(["weldbench", "plan", "--json"], project))
    run = watched(["snakemake", "--cores", "all"], project)
    measured = [
        Measured("whole_run", [run.seconds / 60], "min"),
        Measured("whole_run_planned", [planned["seconds"] / 60], "min"),
        Measured("report_html", [(project / "results/ss304/report.html").stat().st_size / 1e6], "MB"),
        *lines_of_stages(run, planned),
        *resnet18(project),
    ]
    print_lines(measured)
    if arguments.record:
        hardware = load_params(project / "params.yaml").hardware
        introduction = f"{INTRODUCTION}\n{machine(hardware, prepare(hardware))}"
        write_section("The whole comparison at the published size", introduction, measured)


def fresh_clone(project: Path, archive: Path) -> Path:
    """Clone the last commit and let its params.yaml ask for the archive, with the settings of ss304."""
    shutil.rmtree(project, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", ROOT, project], check=True)
    given = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    given["dataset"] = "ss304"
    given["datasets"]["ss304"] = {"source": "local", "path": str(archive), "classes": SS304_CLASSES}
    given["split"]["cap"] = CAP
    given["train"]["models"], given["finetune"]["models"] = MODELS[:2], []
    given["compare"]["models"] = MODELS
    for model in MODELS[:2]:
        given["per_dataset"]["ss304"]["models"][model]["cap"] = CAP
    (project / "params.yaml").write_text(yaml.safe_dump(given, sort_keys=False), encoding="utf-8")
    return project


def lines_of_stages(run: Run, planned: dict) -> Iterator[Measured]:
    """Yield, for each stage and model, seconds, planned seconds and memory; a round is a job."""
    plans = {(stage["name"], stage["model"]): stage["seconds"] for stage in planned["stages"]}
    for stage, model in dict.fromkeys((job.stage, job.model) for job in run.jobs):
        jobs = [job for job in run.jobs if (job.stage, job.model) == (stage, model)]
        name = "_".join(filter(None, (stage, model)))
        yield Measured(name, [job.seconds for job in jobs], "s")
        if (stage, model) in plans:
            yield Measured(f"{name}_planned", [plans[stage, model]], "s")
        yield Measured(f"{name}_memory", [job.own_memory_bytes / 2**30 for job in jobs], "GiB")


def resnet18(project: Path) -> Iterator[Measured]:
    """Train two epochs of ResNet-18 on the short list, and extrapolate to the published training on all frames."""
    given = yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))
    settings = given["per_dataset"]["ss304"]["models"][RESNET]
    published_epochs = settings["epochs"]
    settings |= {"epochs": RESNET_EPOCHS, "min_steps": 1, "balance": "undersample", "cap": CAP}
    params, trained = project / "two-epochs.yaml", project / "two-epochs"
    params.write_text(yaml.safe_dump(given, sort_keys=False), encoding="utf-8")
    where = ["--data", "data/ss304", "--split", "data/ss304/split/fold0/split.csv", "--output", trained]
    named = ["--params", params, "--dataset", "ss304", "--model", RESNET, "--seed", "0"]
    output_of([sys.executable, "scripts/train.py", *named, *where], project)
    history = pd.read_csv(trained / "history.csv")
    seconds = json.loads((trained / "training.json").read_text(encoding="utf-8"))["training_seconds"]
    scoring = (seconds - history["seconds"].sum()) / RESNET_EPOCHS
    train_frames = (read_split(project / "data/ss304/split/fold0/split.csv")["split"] == "train").sum()
    epochs = [train_frames / rate + scoring for rate in history["frames_per_second"]]
    yield Measured("resnet18_rate", history["frames_per_second"].tolist(), "frames/s")
    yield Measured("resnet18_training_extrapolated", [published_epochs * epoch / 3600 for epoch in epochs], "h")


def output_of(line: list[str], folder: Path) -> str:
    """Run a command and return what it prints."""
    return subprocess.run(line, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the published number of frames")
    parser.add_argument("--archive-only", action="store_true", help="render the archive, nothing else")
    parser.add_argument("--record", action="store_true", help="write the section of RESULTS.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
