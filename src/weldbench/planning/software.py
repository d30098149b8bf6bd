"""What the doctor says about Python, the packages, the checkout and the commands that the rules run."""

import importlib.metadata
import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import weldbench
from weldbench.errors import InputError
from weldbench.pipeline.sources import PACKAGE
from weldbench.planning.finding import Finding
from weldbench.runtime.text import counted, some

OLDEST_PYTHON = (3, 11)
LOCK = Path("requirements.lock")
_COMMANDS = ("python", "snakemake", "dvc")  # what rules, `make` and `weldbench sync` start by these names
_PYTHON = shlex.quote(sys.executable)
_INSTALL = f"{_PYTHON} -m pip install --requirement requirements.lock"


def python_version() -> Finding:
    """Is Python new enough?"""
    found, oldest = sys.version_info[:2], ".".join(map(str, OLDEST_PYTHON))
    said = f"{sys.version.split()[0]} in {sys.prefix}"
    if found >= OLDEST_PYTHON:
        return Finding("python", said)
    remedy = f"install Python {oldest} or newer, then `make PYTHON=python{oldest} reproduce`"
    return Finding("python", f"{said}; {oldest} or newer is needed", "failure", remedy)


def packages() -> Finding:
    """Are the packages there, in the versions of requirements.lock?"""
    name, installed = "packages", _installed()
    if missing := missing_packages("weldbench", {"pipeline"}, installed):
        lock = _INSTALL if LOCK.is_file() else f"{_PYTHON} -m pip install 'weldbench[pipeline]'"
        return Finding(name, f"not installed: {some(missing, 8)}", "failure", lock)
    from weldbench.pipeline.records import off_lock

    try:
        others = off_lock(installed, LOCK)
    except InputError as error:
        return Finding(name, str(error).split(";")[0], "warning", "run in the root of the project, or `make lock`")
    if others:
        return Finding(name, f"other versions than the locked ones: {some(others, 8)}", "warning", _INSTALL)
    return Finding(name, f"{counted(len(installed), 'package')} installed, none in another version than in {LOCK}")


def checkout() -> Finding:
    """Does the command run the code of the folder that it is called in?"""
    name, running = "checkout", Path(weldbench.__file__).parent
    if not (PACKAGE / "cli.py").is_file():
        return Finding(
            name, f"there is no {PACKAGE} in {Path.cwd()}", "warning", "change to the root of the project with `cd`"
        )
    if not PACKAGE.samefile(running):
        install = f"{_PYTHON} -m pip install --no-deps --editable ."
        return Finding(name, f"weldbench is installed from {running}, not from this folder", "failure", install)
    how = (
        "an editable install of this folder"
        if _is_editable_install_of(Path.cwd())
        else "from this folder, by PYTHONPATH"
    )
    return Finding(name, f"{running} runs, {how}")


def commands() -> Iterator[Finding]:
    """Do the names that the rules call lead to this environment?"""
    ours = Path(sys.executable).parent
    for command in _COMMANDS:
        path = shutil.which(command)
        add = f'export PATH={shlex.quote(str(ours))}:"$PATH"' if (ours / command).exists() else _INSTALL
        if path is None:
            state = "failure" if command == "python" else "warning"
            yield Finding(f"command {command}", "not found by PATH", state, add)  # type: ignore[arg-type]
        elif Path(path).parent != ours and (ours / command).exists():
            yield Finding(f"command {command}", f"{path} is of another environment than {ours}", "warning", add)
        else:
            yield Finding(f"command {command}", path)


def missing_packages(root: str, extras: set[str], installed: dict[str, str]) -> list[str]:
    """Name the packages that a distribution needs, directly or through others, and that are not installed.

    Args:
        root: Name of the distribution; one that is not installed, as with PYTHONPATH, needs nothing.
        extras: Which of its extras are wanted.
        installed: Canonical names of what is installed.
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    waiting, seen, missing = [(root, frozenset(extras))], set(), set()
    while waiting:
        name, wanted = waiting.pop()
        seen.add((name, wanted))
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for requirement in map(Requirement, lines):
            marker, needed = requirement.marker, canonicalize_name(requirement.name)
            if marker and not any(marker.evaluate({"extra": extra}) for extra in ("", *wanted)):
                continue
            if needed not in installed:
                missing.add(needed)
            elif (following := (needed, frozenset(requirement.extras))) not in seen:
                waiting.append(following)
    return sorted(missing)


def _installed() -> dict[str, str]:
    """Return canonical name -> version of all packages; of one that is there twice, that which Python imports."""
    from packaging.utils import canonicalize_name

    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        if name := distribution.metadata["Name"]:  # a half removed package has none
            found.setdefault(canonicalize_name(name), distribution.version)
    return found


def _is_editable_install_of(folder: Path) -> bool:
    """Say whether the installed weldbench is that of a folder; another one may be installed, and not run here."""
    try:
        text = importlib.metadata.distribution("weldbench").read_text("direct_url.json")
        origin = json.loads(text or "{}")
        editable = bool(origin.get("dir_info", {}).get("editable"))
        return editable and Path(unquote(urlsplit(origin["url"]).path)).resolve() == folder.resolve()
    except (importlib.metadata.PackageNotFoundError, ValueError, KeyError):
        return False
