"""Space on the disk: asked for before long work, and told in one sentence when it runs out all the same."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from weldbench.errors import InputError

_REFUSALS = {
    errno.ENOSPC: "the disk is full; make room and run this again",
    errno.EDQUOT: "your quota on this disk is used up; make room and run this again",
    errno.EFBIG: "the file would be larger than allowed here (`ulimit -f`, the file system); raise the limit",
    errno.EROFS: "the file system is read-only; mount it for writing, or work in another folder",
}
_FORBIDDEN = {errno.EACCES, errno.EPERM}


@contextmanager
def space_for(folder: Path, needed_bytes: int, purpose: str) -> Iterator[None]:
    """Run a block that writes about `needed_bytes` into `folder`, which is made if it is missing.

    Raises:
        InputError: There is less free space than that, or it runs out within the block.
    """
    with refusals_named(folder):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < needed_bytes:
            raise InputError(
                f"{folder}: {purpose} needs {_shown(needed_bytes)}, and {_shown(free)} are free there; "
                "make room and run this again"
            )
        yield


@contextmanager
def refusals_named(path: Path) -> Iterator[None]:
    """Run a block that writes `path`, or into it: what the system refuses becomes one sentence that names the path.

    A permission that is missing elsewhere, such as that to read an input, is passed on as it is.

    Raises:
        InputError: The disk is full or read-only, a quota or a limit is reached, or writing is not permitted.
    """
    try:
        yield
    except OSError as error:
        said = refusal(error)
        place = Path(error.filename) if isinstance(error.filename, str) else None
        if error.errno in _FORBIDDEN and place and (place.parent == path.parent or path.is_relative_to(place)):
            said = "you may not write here; change the owner or the permissions of the folder, or work in another one"
        if said is None:
            raise
        raise InputError(f"{path}: {said}") from None


def refusal(error: OSError) -> str | None:
    """Say what is wrong with a disk that refuses to be written, and what to do; None for any other error."""
    return _REFUSALS.get(error.errno or 0)


def _shown(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:.2f} GiB" if size_bytes >= 2**30 else f"{size_bytes / 2**20:.2f} MiB"
