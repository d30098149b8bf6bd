"""One lock per project folder: Snakemake, DVC and `weldbench sync` never write there at the same time."""

import os
from pathlib import Path

from filelock import FileLock, Timeout

from weldbench.errors import InputError

LOCK_FILE = ".weldbench.lock"
HELD = "WELDBENCH_LOCK_HELD"

# The operating system frees the lock with the last reference to it: this one lives as long as the process.
_locks: list[FileLock] = []


def take_engine_lock(engine: str) -> None:
    """Take the lock of the working folder until `release_engine_lock` or the end of the process, however it ends.

    The processes that this one starts see in their environment that they work under its lock, and take none.

    Args:
        engine: Who takes it, for the message to the one who comes second.

    Raises:
        InputError: Another engine is at work in this folder.
    """
    if HELD in os.environ:
        return
    lock = FileLock(LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(
            f"{engine} cannot start: snakemake, dvc or weldbench sync is at work in {Path.cwd()}; "
            "wait until it has ended, then start again"
        ) from None
    _locks.append(lock)
    os.environ[HELD] = engine


def release_engine_lock() -> None:
    """Give the lock back if this process, and not one that started it, holds it."""
    if _locks:
        _locks.pop().release()
        del os.environ[HELD]
