"""Bringing a dataset's one archive to its place, whatever its source."""

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from weldbench.config.data import Counts, Dataset, KaggleDataset, LocalDataset
from weldbench.errors import InputError
from weldbench.ingest.archive import Archive
from weldbench.ingest.kaggle import download
from weldbench.ingest.layout import Layout, read_layout
from weldbench.ingest.original import clone, write_reference
from weldbench.ingest.packing import pack_folder
from weldbench.ingest.unused import Unused
from weldbench.runtime import atomic
from weldbench.runtime.disk import space_for
from weldbench.runtime.progress import reporting

_BLOCK_BYTES = 2**20
_MB = 1e6


def fetch(archive: Path | str, name: str, dataset: Dataset) -> None:
    """Make `archive` and, beside it, `archive.json` with its source, sha256 and size in bytes.

    Nothing appears under these names before it has passed every check.

    Args:
        archive: Where the zip goes. A download lies in the folder `download` beside it, so that a broken one
            resumes and a finished one is not repeated.
        name: Name of the dataset.
        dataset: Its section of `datasets`.

    Raises:
        InputError: The source cannot be reached or used, or it is not what the section expects.
    """
    archive = Path(archive)
    archive.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(dataset, KaggleDataset):
        source = download(dataset.handle, dataset.version, archive.parent / "download")
        facts = _link_download(source, archive, name, dataset)
    elif isinstance(dataset, LocalDataset):
        source = Path(dataset.path).expanduser()
        with atomic.replacing(archive) as partial:
            if source.is_dir():
                unused = pack_folder(source, partial)
                facts = _check(partial, str(source), name, dataset, unused)
            else:
                facts = _take_zip(source, partial, name, dataset)
    else:
        # Only here, as the renderer is slow to import.
        from weldbench.weldsim.archive import write_archive

        with atomic.replacing(archive) as partial:
            write_archive(dataset, partial)
            facts = _check(partial, f"the simulated archive of {name}", name, dataset)
    atomic.write_json(archive.with_suffix(".json"), facts)


def _link_download(source: Path, archive: Path, name: str, dataset: Dataset) -> dict[str, Any]:
    """Check a download and let `archive` be the same file under a second name: both are ours, both lie in data/."""
    facts = _check(source, str(source), name, dataset)
    link = archive.with_name(f".{archive.name}-{os.getpid()}.link")
    try:
        os.link(source.resolve(), link)
        link.replace(archive)
    except OSError:
        # A file system without hard links.
        with space_for(archive.parent, facts["bytes"], "the archive"), atomic.replacing(archive) as partial:
            shutil.copyfile(source, partial)
    finally:
        link.unlink(missing_ok=True)
    return facts


def _take_zip(source: Path, target: Path, name: str, dataset: LocalDataset) -> dict[str, Any]:
    """Check a user's zip, of which `target` becomes a clone or else a reference."""
    if source.is_file() and clone(source, target):
        return _check(target, str(source), name, dataset)
    facts = _check(source, str(source), name, dataset)
    write_reference(target, source, facts)
    return facts


def _check(path: Path, shown_as: str, name: str, dataset: Dataset, unpacked: Unused | None = None) -> dict[str, Any]:
    """Check a zip's directory, label files, numbers of frames and hash; return the content of archive.json."""
    with Archive(path, shown_as, dataset.name_encoding) as archive:
        layout = read_layout(archive, dataset.classes, dataset.run_pattern, unpacked, dataset.good_class)
        members_sha256 = archive.members_sha256
    expected = dataset.expected
    frames = len(layout.frames) + len(layout.bad)
    if expected.frames is not None and frames != expected.frames:
        raise InputError(
            f"{shown_as}: there are {frames} frames in it, and datasets.{name}.frames expects {expected.frames}; "
            "correct that number if the dataset has changed"
        )
    for what, found, wanted in _counts(layout, expected.counts):
        if found != wanted:
            raise InputError(
                f"{shown_as}: there are {found} frames of {what} in it, and datasets.{name}.counts expects {wanted}; "
                "correct that number if the dataset has changed"
            )
    sha256 = _sha256(path, f"check {name}")
    if expected.sha256 is not None and sha256 != expected.sha256:
        get = "delete the file to get it again" if isinstance(dataset, KaggleDataset) else "give the file as it was"
        raise InputError(
            f"{shown_as}: its sha256 is {sha256}, and datasets.{name}.sha256 expects {expected.sha256}; "
            f"{get}, or correct the hash if the dataset has changed"
        )
    return {
        "dataset": name,
        "source": dataset.source,
        **dataset.model_dump(include={"handle", "version", "path"}),
        "frames": frames,
        "sha256": sha256,
        "bytes": path.stat().st_size,
        "members_sha256": members_sha256,
        **({"unused": asdict(unpacked)} if unpacked else {}),
    }


def _counts(layout: Layout, expected: Counts) -> Iterator[tuple[str, int, int]]:
    """Yield what is counted, how often it was found, how often it should be."""
    splits = Counter(frame.published_split for frame in layout.frames)
    classes = Counter((frame.published_split, frame.label) for frame in layout.frames)
    for split, of_split in expected.items():
        if isinstance(of_split, int):
            yield split, splits[split], of_split
        else:
            yield from ((f"{label} in {split}", classes[split, label], count) for label, count in of_split.items())


def _sha256(path: Path, description: str) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file, reporting(description, path.stat().st_size / _MB, "MB") as advance:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            advance(len(block) / _MB)
    return digest.hexdigest()
