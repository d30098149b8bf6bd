"""Locks: one engine per project folder, and one writer per output, whoever started it."""

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

from weldbench.errors import InputError

if TYPE_CHECKING:
    from filelock import FileLock

LOCK_FILE = ".weldbench.lock"
HELD = "WELDBENCH_LOCK_HELD"
_OUTPUT_HELD = "WELDBENCH_OUTPUT_LOCK_HELD"

# The operating system frees a lock with the last reference to it: these live as long as the process.
_locks: "list[FileLock]" = []
_output_locks: "list[FileLock]" = []


def take_engine_lock(engine: str) -> None:
    """Take the lock of the working folder until `release_engine_lock` or the end of the process, however it ends.

    The processes that this one starts see in their environment that they work under its lock, and take none.

    Args:
        engine: Who takes it, for the message to the one who comes second.

    Raises:
        InputError: Another engine is at work in this folder, or the lock cannot be taken here.
    """
    if HELD in os.environ:
        return
    busy = (
        f"{engine} cannot start: snakemake, dvc or weldbench sync is at work in {Path.cwd()}; "
        "wait until it has ended, then start again"
    )
    _locks.append(_locked(Path(LOCK_FILE), busy))
    os.environ[HELD] = engine


def release_engine_lock() -> None:
    """Give the lock back if this process, and not one that started it, holds it."""
    if _locks:
        _locks.pop().release()
        del os.environ[HELD]


def engine_is_at_work() -> bool:
    """Tell whether another process holds the lock of the working folder.

    The lock is taken for an instant, and only where there is a file of it, so that a look changes nothing.
    """
    from filelock import FileLock, Timeout

    if not Path(LOCK_FILE).is_file():
        return False
    try:
        with FileLock(LOCK_FILE, timeout=0, fallback_to_soft=False):
            return False
    except Timeout:
        return True


def take_output_lock(output: Path) -> None:
    """Become the one writer of an output, a file or a folder, until this process ends, however it ends.

    The engine's lock is not enough: when Snakemake alone is killed, the training that it started lives on. The
    processes of a training with several devices, which start each other with the same command, share one lock.

    Raises:
        InputError: Another process writes this output, or the lock cannot be taken here.
    """
    if os.environ.get(_OUTPUT_HELD) == str(output.absolute()):
        return
    busy = (
        f"{output}: another process is writing it, maybe one that lives on after its snakemake or dvc was killed "
        "(`ps -ef | grep scripts/` shows it); wait until it has ended, or end it, then start again"
    )
    _output_locks.append(_locked(output.with_name(f".{output.name}.lock"), busy))
    os.environ[_OUTPUT_HELD] = str(output.absolute())


def _locked(path: Path, busy: str) -> "FileLock":
    """Take a lock of the operating system.

    Never one that is a mere file, as filelock would where the file system has no locks: a kill would leave it behind,
    and a copy of the folder would hold it for ever.
    """
    from filelock import FileLock, Timeout  # only here: the doctor tells where it is missing

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, fallback_to_soft=False)
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(busy) from None
    except (OSError, NotImplementedError) as error:
        raise InputError(f"{path.absolute()}: this lock cannot be taken: {_cause(path, error)}") from None
    return lock


def _cause(path: Path, error: Exception) -> str:
    """Say why a lock cannot be taken, and what to do."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        return "something other than a plain file is in its place; delete it"
    match error.errno if isinstance(error, OSError) else errno.ENOSYS:
        case errno.EACCES | errno.EPERM if path.exists():
            return f"the file belongs to another user ({_owner(path)}); delete it when nobody is at work here"
        case errno.EACCES | errno.EPERM:
            return "you may not write into this folder; change its permissions, or work in a copy of it"
        case errno.EROFS:
            return "the file system is read-only; mount it for writing, or work in another folder"
        case errno.EEXIST | errno.ENOTDIR:
            return f"a file stands where the folder {path.parent} is meant; delete it, or name another folder"
        case errno.ENOSYS | errno.ENOTSUP | errno.ENOLCK:
            return "the file system has no locks, or none left; work on another disk, or mount this one with locks"
        case errno.ENOSPC | errno.EDQUOT:
            return "the disk is full; make room and run this again"
    return f"{error}; make this place writable, or work in another folder"


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (KeyError, NotImplementedError, OSError):  # a number without a name, or a system without owners
        return "unknown here"
