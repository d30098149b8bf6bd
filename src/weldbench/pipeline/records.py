"""What an output says about itself: the settings, inputs, code and versions it was made from.

Every stage writes such a record into its JSON file, and a backbone carries it in its own file. An engine knows only
what it did itself; the record travels with the files, through `dvc checkout`, a remote or the other engine.
"""

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from safetensors import SafetensorError, safe_open

from weldbench.errors import InputError
from weldbench.pipeline.sources import code_sha256
from weldbench.runtime.atomic import write_json

# The packages that can change the bits of a network or of its predictions.
PACKAGES = ("torch", "torchvision", "timm", "numpy", "numba")
_CODE = {
    "fetch": ("ingest/fetch.py", "weldsim/archive.py"),
    "ingest": ("ingest/ingest.py",),
    "split": ("splitting/split.py",),
    "pretrain": ("training/pretrain.py",),
    "features": ("training/probe.py",),
    "train": ("training/train.py",),
    "evaluate": ("models/inference.py", "models/files.py", "evaluation/metrics.py"),
    "compare": ("reporting/compare.py",),
    "export": ("deploy/export.py",),
    "robustness": ("deploy/changed_frames.py", "trust/changed_predictions.py"),
    "unknown": ("deploy/strangers.py",),
    "review": ("trust/label_review.py",),
}


@dataclass(frozen=True)
class Record:
    """What one run of a stage is made from, as it is asked for now.

    Attributes:
        path: The file that carries the record.
        stage: Name of the stage.
        settings: Those that decide its bytes, by their place in params.yaml, such as `models.conv6`; JSON.
        inputs: Name -> file.
        outputs: Name -> file; without the one that carries the record.
        pretrained: The record of what a training starts from: a backbone, or features of one.
    """

    path: Path
    stage: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, Path] = field(default_factory=dict)
    outputs: Mapping[str, Path] = field(default_factory=dict)
    pretrained: "Record | None" = None

    @property
    def code_sha256(self) -> str:
        """The sum of the code that the stage computes with, here and now."""
        return code_sha256(*_CODE[self.stage])

    def made_from(self) -> dict[str, Any]:
        """Describe what the outputs are made from, with sha256 sums; to be written when they are made."""
        described: dict[str, Any] = {
            "settings": dict(self.settings),
            "inputs": {name: sha256(path) for name, path in self.inputs.items()},
            "code_sha256": self.code_sha256,
            "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        }
        if self.pretrained:
            described["pretrained"] = read_record(self.pretrained.path).get("made_from", {})
        return described

    def told(self) -> dict[str, Any]:
        """Return what is written into `path`: `made_from`, and the sums of the outputs."""
        return {"made_from": self.made_from(), "outputs": self.output_sums()}

    def add(self) -> None:
        """Add what is told to the JSON file that carries the record, which the stage has written.

        Raises:
            InputError: The file is missing or damaged.
        """
        write_json(self.path, read_record(self.path) | self.told())

    def output_sums(self) -> dict[str, str]:
        """Hash the outputs as they lie here."""
        return {name: sha256(path) for name, path in self.outputs.items()}


def read_record(path: Path) -> dict[str, Any]:
    """Read the JSON that carries a record: a file of its own, or the note in a network's file.

    Raises:
        InputError: The file is missing or damaged.
    """
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "np") as file:
                found = json.loads((file.metadata() or {}).get("weldbench", "{}"))
        else:
            found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; run the stage that writes it") from None
    except (ValueError, OSError, SafetensorError) as error:
        raise InputError(f"{path}: this file is damaged: {error}; delete it and run the stage that writes it") from None
    if not isinstance(found, dict) or (found.get("made_from") and not _is_whole(found)):
        raise InputError(f"{path}: this file is damaged: it holds no record; delete it and make it again")
    return found


def _is_whole(record: Mapping[str, Any]) -> bool:
    made_from = record["made_from"]
    if not isinstance(made_from, dict) or not isinstance(record.get("outputs", {}), dict):
        return False
    return "code_sha256" in made_from and all(
        isinstance(made_from.get(key), dict) for key in ("settings", "inputs", "versions")
    )


def setting_differences(recorded: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[str]:
    """Yield `key: recorded value, asked value` for each setting that differs; `auto` stands for whatever it became."""
    then, now = _flat(recorded), _flat(asked)
    for key in sorted(then.keys() | now.keys()):
        if now.get(key) != "auto" and (key not in then or key not in now or then[key] != now[key]):
            yield f"{key} was {_shown(then, key)}, params.yaml says {_shown(now, key)}"


def record_differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say in which points two descriptions of what something is made from differ; none if they are the same."""
    found = list(setting_differences(then.get("settings", {}), now["settings"]))
    for what in ("inputs", "versions"):
        before, here = then.get(what, {}), now[what]
        changed = [name for name in sorted(before.keys() | here.keys()) if before.get(name) != here.get(name)]
        found += [f"{name} was {before.get(name, 'none')}, is now {here.get(name, 'none')}" for name in changed]
    if then.get("code_sha256") != now["code_sha256"]:
        found.append("the code in src/weldbench changed")
    return found


def off_lock(versions: Mapping[str, str], lock: Path) -> list[str]:
    """Name the packages of a record whose version requirements.lock does not allow; those it does not name are free.

    Raises:
        InputError: The lock is missing.
    """
    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise InputError(f"{lock}: there is no such file; run in the root of the project, or name another") from None
    locked: dict[str, list[Requirement]] = {}
    for line in lines:
        try:
            requirement = Requirement(line.partition("#")[0].strip())
        except InvalidRequirement:
            continue
        locked.setdefault(requirement.name, []).append(requirement)
    python = {"python_full_version": versions.get("python", platform.python_version())}
    found = []
    for name, installed in versions.items():
        valid = [line for line in locked.get(name, []) if not line.marker or line.marker.evaluate(python)]
        if valid and not any(line.specifier.contains(installed, prereleases=True) for line in valid):
            found.append(f"{name} {installed} ({lock.name}: {', '.join(str(line.specifier) for line in valid)})")
    return found


def sha256(path: Path) -> str:
    """Hash a file; `missing` where there is none. A file that stays as it is is read once."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return "missing"
    return _sha256(path.absolute(), status.st_mtime_ns, status.st_size)


@cache
def _sha256(path: Path, mtime_ns: int, size_bytes: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def _shown(values: Mapping[str, Any], key: str) -> str:
    return json.dumps(values[key]) if key in values else "not set"
