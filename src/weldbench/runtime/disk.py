"""Space on the disk: asked for before long work, and told in one sentence when it runs out all the same."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from weldbench.errors import InputError


@contextmanager
def space_for(folder: Path, needed_bytes: int, purpose: str) -> Iterator[None]:
    """Run a block that writes about `needed_bytes` into `folder`, which is made if it is missing.

    Raises:
        InputError: There is less free space than that, or it runs out within the block.
    """
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise InputError(
            f"{folder}: {purpose} needs {_gib(needed_bytes)}, and {_gib(free)} are free there; "
            "make room and run this again"
        )
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise InputError(f"{folder}: the disk is full; make room and run this again") from None


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:.2f} GiB"
