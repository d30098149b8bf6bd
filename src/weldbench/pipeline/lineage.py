"""Where results come from: the code, parameters, data and lock behind them, and whether they still belong together."""

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from weldbench.config import load_params
from weldbench.errors import InputError
from weldbench.pipeline.sources import CODE
from weldbench.runtime.processor import processor_name
from weldbench.runtime.text import some

_AGAIN = "delete it, and `snakemake --cores all` or `dvc repro` makes it again"
PACKAGES = ("snakemake", "dvc", "torch", "torchvision", "numpy", "pandas", "scikit-learn")
_DECIDE_NO_RESULT: Any = {"sweep": True, "compare": {"train_shares"}, "robustness": True}


def lineage(dataset: str) -> dict[str, Any]:
    """Describe what the results of a dataset come from, in the project whose root is the working folder.

    Returns:
        commit, dirty (None without git), created_utc, machine, versions, and sha256 sums: code_sha256, params_sha256
        (of the checked parameters as they hold for this dataset, so that a comment or another dataset changes nothing;
        without those of the sweep, the learning curve and robustness, which decide none of these results),
        data_sha256 (of the manifest, which holds a hash of every frame), lock_sha256, and results_sha256 (file -> sum)
        of tables and figures.
    """
    results = Path("results") / dataset
    made = [path for folder in ("tables", "figures") for path in _files_below(results / folder)]
    return {
        "dataset": dataset,
        "commit": _git("rev-parse", "HEAD"),
        "dirty": None
        if (changes := _git("status", "--porcelain", "--", *CODE, "params.yaml")) is None
        else bool(changes),
        "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.system()} {platform.machine()}, {processor_name()}",
        "versions": {"python": platform.python_version(), **{package: version(package) for package in PACKAGES}},
        "code_sha256": _sum_of_files(path for place in CODE for path in _files_below(Path(place))),
        "params_sha256": _sum(load_params().for_dataset(dataset).model_dump_json(exclude=_DECIDE_NO_RESULT).encode()),
        "data_sha256": _sum_of_file(Path("data") / dataset / "manifest.csv"),
        "lock_sha256": _sum_of_file(Path("requirements.lock")),
        "results_sha256": {str(path): _sum(path.read_bytes()) for path in made},
    }


def differences(dataset: str, record: Path) -> list[str]:
    """Compare a recorded lineage with what lies here now.

    Returns:
        A sentence for each difference; none if the results belong to this code, these parameters and these data.

    Raises:
        InputError: There is no record, or it is damaged.
    """
    recorded, here = read_lineage(record), lineage(dataset)
    if absent := sorted(here.keys() - recorded.keys()):
        raise InputError(f"{record}: it lacks {', '.join(absent)}; {_AGAIN}")
    found = [
        f"{what} changed since the run (recorded {recorded[key][:12]}, here {here[key][:12]})"
        for key, what in {
            "code_sha256": f"the code (run at commit {recorded['commit'] or 'unknown'})",
            "params_sha256": "params.yaml",
            "data_sha256": f"data/{dataset}/manifest.csv",
            "lock_sha256": "requirements.lock",
        }.items()
        if recorded[key] != here[key]
    ]
    then, now = recorded["results_sha256"], here["results_sha256"]
    if gone := sorted(then.keys() - now.keys()):
        found.append(f"{some(gone)} {'is' if len(gone) == 1 else 'are'} missing")
    found += [f"{path} is not from that run" for path in sorted(now.keys() - then.keys())]
    found += [
        f"{path} is not as that run wrote it" for path in sorted(then.keys() & now.keys()) if then[path] != now[path]
    ]
    return found


def read_lineage(record: Path) -> dict[str, Any]:
    """Read what `lineage` described when the report was written.

    Raises:
        InputError: There is no record, or it is damaged.
    """
    try:
        recorded = json.loads(record.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{record}: there is no record of a run; `snakemake --cores all` or `dvc repro` makes one"
        ) from None
    except ValueError as error:
        raise InputError(f"{record}: this record of a run is damaged: {error}; {_AGAIN}") from None
    if not isinstance(recorded, dict):
        raise InputError(f"{record}: this is no record of a run; {_AGAIN}")
    return recorded


def _files_below(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    files = (path for path in place.rglob("*") if path.is_file())
    return sorted(path for path in files if not any(part == "__pycache__" or part[0] == "." for part in path.parts))


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _sum_of_file(path: Path) -> str:
    return _sum(path.read_bytes()) if path.is_file() else "missing"


def _sum_of_files(paths: Iterable[Path]) -> str:
    """Hash names and contents; a missing file counts as such."""
    contents = ((str(path), _sum_of_file(path)) for path in paths)
    return _sum(json.dumps(list(contents)).encode())


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def made_from(manifest: Path, lock: Path, settings: Mapping[str, Any]) -> str:
    """Name the data, the settings and the packages behind a table by the first 12 digits of their sha256.

    The commit is not among them: a table that named it could not be the same bytes after the next commit. It stands in
    lineage.json, which also holds the sha256 of every table.

    Args:
        manifest: manifest.csv, which holds a hash of every frame.
        lock: requirements.lock.
        settings: JSON: how the models were trained, and how they are compared.

    Raises:
        InputError: One of the files is missing.
    """
    said = json.dumps(settings, sort_keys=True).encode()
    return (
        f"Lineage: data {_digits(_content(manifest))}, settings {_digits(said)}, lock {_digits(_content(lock))}; "
        "lineage.json has the commit and the sha256 of this table."
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; run in the root of the project, or name another") from None


def _digits(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
