"""What the doctor says about the folder: params.yaml, git, DVC, and the locks that a kill may leave."""

import configparser
import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

from weldbench.planning.finding import Finding
from weldbench.runtime.text import counted, some

RWLOCK = Path(".dvc/tmp/rwlock")
_SNAKEMAKE_LOCKS = Path(".snakemake/locks")


def git() -> Finding:
    """Is this a repository, and is all of it committed? A report names the commit that it was made from."""
    name, commit = "git", "git add --all && git commit --message 'What I changed'"
    try:
        asked = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return Finding(name, "not installed: the report will name no commit", "warning", "sudo apt-get install git")
    if "dubious ownership" in asked.stderr:
        trust = f"git config --global --add safe.directory {shlex.quote(str(_repository_root()))}"
        return Finding(name, "the repository belongs to another user, so git refuses it", "warning", trust)
    if asked.returncode:
        return Finding(name, "no repository here: the report will name no commit", "warning", f"git init && {commit}")
    head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    if head.returncode:
        return Finding(name, "a repository without a commit", "warning", commit)
    changed = [line[3:] for line in asked.stdout.splitlines()]
    if changed:
        said = f"commit {head.stdout.strip()} and {counted(len(changed), 'changed file')}: {some(changed)}"
        return Finding(name, said, "warning", commit)
    return Finding(name, f"commit {head.stdout.strip()}, nothing changed")


def dvc() -> Finding:
    """Is DVC set up here? Snakemake does without."""
    name, folder = "dvc", Path(".dvc")
    without_git = "" if _repository_root().joinpath(".git").exists() else " --no-scm"
    if not (folder / "config").is_file():
        again = " --force" if folder.exists() else ""
        said = "not set up here; snakemake works without"
        return Finding(name, said, "warning", f"dvc init{without_git}{again}")
    settings = configparser.ConfigParser(interpolation=None, strict=False)
    for file in ("config", "config.local"):
        try:
            settings.read(folder / file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError) as error:
            where, said = folder / file, str(error).splitlines()[0]
            return Finding(name, f"{where} is damaged: {said}", "failure", f"git checkout {where}, or correct it")
    # Names alone: an address may hold a password.
    remotes = [section.strip("'").removeprefix("remote ").strip('"') for section in settings if "remote " in section]
    default = settings.get("core", "remote", fallback="")
    cache = Path(settings.get("cache", "dir", fallback="cache"))
    kept = "with a cache" if (folder / cache).is_dir() else "no cache yet"
    if default and default not in remotes:
        remedy = f"dvc remote default {shlex.quote(remotes[0])}" if remotes else "dvc remote default --unset"
        return Finding(name, f"the default remote `{default}` is not configured", "warning", remedy)
    if remotes and not default:
        remedy = f"dvc remote default {shlex.quote(remotes[0])}"
        return Finding(name, f"remotes {some(remotes)}, none of them the default", "warning", remedy)
    remote = f"remote {default}" if default else "no remote (only `dvc pull` and `dvc push` need one)"
    return Finding(name, f"set up, {kept}, {remote}")


def locks() -> Finding:
    """Is an engine at work here, or did a kill leave a lock that stops the next one?"""
    from weldbench.pipeline.lock import engine_is_at_work

    name = "locks"
    at_work = engine_is_at_work()
    if problem := _damage_of_rwlock():
        return Finding(name, f"{RWLOCK} {problem}: dvc was killed while it wrote", "failure", f"rm {RWLOCK}")
    if at_work:
        wait = "wait until it has ended; `ps -ef | grep -E 'snakemake|dvc|scripts/'` shows it"
        return Finding(name, "snakemake, dvc or weldbench sync is at work in this folder", "warning", wait)
    if any(_SNAKEMAKE_LOCKS.glob("*")):
        return Finding(name, "a killed snakemake left the folder locked", "failure", "snakemake --unlock")
    return Finding(name, "no engine at work, nothing left by a kill")


def _damage_of_rwlock() -> str | None:
    """Say how DVC's list of what is being read and written is damaged, as DVC would find; None if it is not."""
    try:
        listed = json.loads(RWLOCK.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        return "is damaged"
    return None if _is_rwlock(listed) else "does not hold what it should"


def _is_rwlock(listed: Any) -> bool:
    def is_holder(entry: Any) -> bool:
        return isinstance(entry, dict) and type(entry.get("pid")) is int and isinstance(entry.get("cmd"), str)

    if not isinstance(listed, dict) or listed.keys() - {"read", "write"}:
        return False
    writers, readers = listed.get("write", {}), listed.get("read", {})
    return (
        isinstance(writers, dict)
        and isinstance(readers, dict)
        and all(map(is_holder, writers.values()))
        and all(isinstance(entries, list) and all(map(is_holder, entries)) for entries in readers.values())
    )


def _repository_root() -> Path:
    """Return the folder that holds .git, or the working folder where none does."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
