"""A zip on this machine: it stays as it is, and no engine can reach it through what stands in data/.

A hard or symbolic link would be the user's file under another name: replaced in place, it would be read unchecked, and
what an engine does to its outputs (times, permissions, links into a cache) would be done to that file. So the archive
is a clone, which shares the blocks on the disk until one of the two changes; and where the file system has no clones, a
small zip that says where the file lies and what it was. A second copy is never made.
"""

import fcntl
import json
import zipfile
from pathlib import Path
from typing import Any

from weldbench.errors import InputError
from weldbench.ingest.archive import Archive

_FICLONE = 0x40049409  # ioctl of Linux; btrfs, XFS, bcachefs and others know it
_REFERENCE = "original-of-this-archive.json"
_MAX_REFERENCE_BYTES = 100_000
_AGAIN = "import it again: `snakemake --cores all -R fetch`, or `dvc repro -f -s fetch && dvc repro`"


def clone(source: Path, target: Path) -> bool:
    """Make `target` a clone of `source`; return False where the file system cannot."""
    with source.open("rb") as original, target.open("wb") as copy:
        try:
            fcntl.ioctl(copy.fileno(), _FICLONE, original.fileno())
        except OSError:
            return False
    return True


def write_reference(target: Path, source: Path, facts: dict[str, Any]) -> None:
    """Write the zip that stands for `source`, which stays where it is.

    Args:
        target: The zip to write.
        source: The original.
        facts: The content of archive.json; its sums stand in the zip too, so that it changes with the original.
    """
    content = {"path": str(source.resolve()), **{key: facts[key] for key in ("sha256", "bytes", "members_sha256")}}
    with zipfile.ZipFile(target, "w") as reference:
        reference.writestr(zipfile.ZipInfo(_REFERENCE), json.dumps(content, indent=2, ensure_ascii=False))


def original_of(archive: Path | str) -> Path:
    """Return the file that holds the frames: the archive itself, or what it stands for.

    Raises:
        InputError: The original is no longer there.
    """
    archive = Path(archive)
    if not archive.is_file() or archive.stat().st_size > _MAX_REFERENCE_BYTES or not zipfile.is_zipfile(archive):
        return archive
    try:
        with zipfile.ZipFile(archive) as opened:
            if opened.namelist() != [_REFERENCE]:
                return archive
            original = Path(json.loads(opened.read(_REFERENCE))["path"])
    except (zipfile.BadZipFile, ValueError, KeyError, OSError, NotImplementedError, RuntimeError):
        return archive  # damaged, as its reader will say
    if not original.is_file():
        raise InputError(f"{original}: this file, from which {archive} was made, is gone; put it back, or {_AGAIN}")
    return original


def read_facts(archive: Path | str) -> dict[str, Any] | None:
    """Return what fetch wrote beside an archive; None if nothing stands there.

    Raises:
        InputError: It is damaged.
    """
    path = Path(archive).with_suffix(".json")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return {key: facts[key] for key in ("sha256", "bytes", "members_sha256")} | {"unused": facts.get("unused", {})}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}: this is not what fetch writes; {_AGAIN}") from None


def hold_against(archive: Archive, facts: dict[str, Any] | None) -> None:
    """Refuse an archive that is not the one that fetch checked: in size, or in a member's name, size or CRC.

    Each member is checked against its CRC when it is read, so nothing else can come out of it, and no second pass over
    the whole file is needed.
    """
    if facts and (archive.size_bytes, archive.members_sha256) != (facts["bytes"], facts["members_sha256"]):
        raise InputError(
            f"{archive.name}: this file has changed since it was imported (its sha256 was {facts['sha256']}); {_AGAIN}"
        )
