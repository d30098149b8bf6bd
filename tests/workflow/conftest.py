"""A copy of the project in a folder of its own, small enough to run both engines on it."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

ROOT = Path(__file__).parents[2]
FILES = ("dvc.yaml", ".dvcignore", ".gitignore", "params.yaml", "requirements.lock")
SNAKEMAKE = ("snakemake", "--quiet", "all", "--cores", "2")
COMPARED = ("models/**/model.safetensors", "models/**/*-simulated.safetensors", "results/**/predictions.csv")
TIMED = {"cost.csv", "cost.md", "cost.tex"}
FOLDERS = ("workflow", "rules", "scripts", "src", "notebooks", "reference", "corrections")


def edit_params(project: Path, change: Callable[[dict], None]) -> None:
    path = project / "params.yaml"
    params = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(params)
    path.write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


def edit_code(project: Path, file: str) -> None:
    """Change the text of a file with code, not what it does."""
    with (project / file).open("a", encoding="utf-8") as code:
        code.write("\n# edited\n")


def shrink(params: dict) -> None:
    """Few small frames, short trainings, three models, each trained in another way, one thread."""
    params["datasets"]["weldsim"].update(train_frames=60, valid_frames=40, test_frames=60, imbalance=4)
    params["datasets"]["weldsim"].update(width_px=128, height_px=70)
    params["seeds"] = [0]
    params["hardware"]["threads"] = 1
    overrides = params["per_dataset"]["weldsim"]
    overrides["ingest"] = {"frame_size_px": 32}
    params["pretrain"].update(steps=2, batch_size=8, input_size_px=32)
    params["train"]["models"] = ["full_con6"]
    params["compare"]["models"] = ["full_con6", "resnet18", "efficientnet_lite0"]
    params["compare"]["bootstrap_draws"] = 100
    params["models"]["full_con6"].update(epochs=2, min_steps=0)
    params["models"]["efficientnet_lite0"].update(
        other_sizes_px=[16], feature_stages=1, augment_views=1, simulated_frames=12
    )
    overrides["models"]["efficientnet_lite0"] = {"other_sizes_px": [16]}
    overrides["models"]["resnet18"] = {"epochs": 1, "min_steps": 0}
    for settings in (*params["models"].values(), *overrides["models"].values()):
        settings["input_size_px"] = 32


@pytest.fixture(scope="session")
def make_project() -> Callable[[Path], Path]:
    """Make the project with small parameters in a folder, under git and DVC, nothing run yet."""

    def make(parent: Path) -> Path:
        folder = parent / "project"
        folder.mkdir()
        for file in FILES:
            shutil.copy(ROOT / file, folder / file)
        for split in FOLDERS:
            shutil.copytree(ROOT / split, folder / split, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        edit_params(folder, shrink)
        run(folder, "git", "init", "--quiet")
        run(folder, "dvc", "init", "--quiet", "--force")
        commit(folder, "a small configuration")
        return folder

    return make


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, worker_id: str, make_project: Callable[[Path], Path]) -> Path:
    """The project after `snakemake`, run once for all processes of the tests; tests that change it copy it.

    What the terminal showed is said.log beside it.
    """
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "finished"
    with FileLock(f"{folder}.lock"):
        if not (folder / "said.log").exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a process whose run failed
            folder.mkdir()
            said = run(make_project(folder), "snakemake", "--cores", "2")
            (folder / "said.log").write_text(said, encoding="utf-8")
    return folder / "project"


@pytest.fixture
def after_snakemake(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "project", symlinks=True))


@pytest.fixture
def project(make_project: Callable[[Path], Path], tmp_path: Path) -> Path:
    return make_project(tmp_path)


def plan(project: Path) -> str:
    return run(project, "snakemake", "--cores", "2", "--dry-run", "--quiet", "rules")


def planned_rules(project: Path) -> set[str]:
    listing = run(project, "snakemake", "--cores", "2", "--detailed-summary")
    rows = [line.split("\t") for line in listing.splitlines() if line.startswith(("data/", "models/", "results/"))]
    return {row[2] for row in rows if row[-1] != "no update"}


def sums(project: Path) -> dict[str, str]:
    """Hash weights, predictions and tables; the table of costs holds times."""
    files = [path for pattern in (*COMPARED, "results/*/tables/*") for path in project.glob(pattern)]
    return {
        str(path.relative_to(project)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name not in TIMED
    }


def commit(project: Path, message: str) -> None:
    run(project, "git", "add", "--all")
    run(project, "git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", message)


def run(project: Path, *command: str, code: int | None = 0) -> str:
    """Run a command in the project with the interpreter of the tests; return its output, both streams together."""
    done = subprocess.run(
        command, cwd=project, env=environment(project), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert code is None or done.returncode == code, done.stdout
    return done.stdout


def start_and_kill(project: Path, command: tuple[str, ...], first_output: str, after_seconds: float) -> None:
    """Kill the engine and all that it started, some time after a file that matches `first_output` is there."""
    log = project.with_name("killed.log")
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=project, env=environment(project), start_new_session=True, stdout=output, stderr=output
        )
    while not any(project.glob(first_output)) and process.poll() is None:
        time.sleep(0.05)
    time.sleep(after_seconds)
    assert process.poll() is None, f"{command[0]} ended before it was killed:\n{log.read_text(encoding='utf-8')}"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def environment(project: Path) -> dict[str, str]:
    """Give the project's own modules and the interpreter's own programs precedence; DVC leaves nothing elsewhere."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PYTHONPATH": str(project / "src"), "DVC_SITE_CACHE_DIR": str(project.with_name("dvc-site-cache"))}
    return {**os.environ, "PATH": path, "DVC_NO_ANALYTICS": "1", **own}
