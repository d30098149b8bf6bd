"""One pass over an archive: every frame is read, checked, decoded and scaled once; nothing later opens a picture."""

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from weldbench.config.data import Dataset, Ingest
from weldbench.data.resize import area_mean
from weldbench.errors import BadFrameError, InputError
from weldbench.ingest.archive import Archive
from weldbench.ingest.decode import decode
from weldbench.ingest.inventory import inventory
from weldbench.ingest.layout import Frame, Layout, read_layout
from weldbench.ingest.original import hold_against, original_of, read_facts
from weldbench.ingest.unused import Unused
from weldbench.runtime import atomic
from weldbench.runtime.disk import space_for
from weldbench.runtime.parallel import ordered_map
from weldbench.runtime.processor import usable_cores
from weldbench.runtime.progress import track
from weldbench.runtime.text import counted, shortened

# Members that a worker reads per task: enough to make the exchange between processes cheap, few enough to bound memory.
CHUNK_FRAMES = 16

MANIFEST_COLUMNS = ["row", "path", "run", "label", "published_split", "width_px", "height_px", "sha256"]

_BAD_FRAMES_SHOWN = 5
_PROBLEM_LENGTH = 300


@dataclass(frozen=True)
class Ingested:
    """One frame after decoding: its scaled pixels and what the manifest says of its original, or why it is bad."""

    pixels: bytes = b""
    width_px: int = 0
    height_px: int = 0
    sha256: str = ""
    conversion: str = ""
    problem: str = ""


def ingest(archive_path: Path | str, output: Path | str, name: str, dataset: Dataset, settings: Ingest) -> None:
    """Turn an archive into `frames.npy`, `manifest.csv` and `inventory.json` in the folder `output`.

    Memory does not grow with the number of frames, save for their names. The three files appear together at
    the end, or not at all.

    Args:
        archive_path: The zip that the stage fetch made.
        output: Folder for the three files.
        name: Name of the dataset.
        dataset: Its section of `datasets`.
        settings: The section `ingest` as it holds for this dataset.

    Raises:
        InputError: The archive or its layout cannot be used, or more frames are bad than the settings allow.
    """
    output = Path(output)
    given_path, facts = archive_path, read_facts(archive_path)
    archive_path = original_of(archive_path)
    encoding = dataset.name_encoding
    with Archive(archive_path, encoding=encoding) as archive:
        hold_against(archive, facts)
        unpacked = Unused(**facts["unused"]) if facts else None
        layout = read_layout(archive, dataset.classes, dataset.run_pattern, unpacked, dataset.good_class)
    if facts is None:
        _say(name, f"there is no archive.json beside {given_path}, so nothing tells whether it is what was imported")
    for note in layout.notes:
        _say(name, note)
    notes_said = len(layout.notes)
    allowed = settings.max_bad_frames if settings.on_bad_frame == "skip" else 0
    _refuse_too_many(archive_path, layout.bad, allowed)
    size = settings.frame_size_px
    needed_bytes = len(layout.frames) * size**2
    with space_for(output, needed_bytes, "ingest"), atomic.replacing(output / "frames.npy") as partial:
        rows: list[tuple[int | str, ...]] = []
        conversions: Counter[str] = Counter()
        with partial.open("wb") as file:
            _write_header(file, len(layout.frames), size)
            for frame, result in _ingested(archive_path, encoding, layout, name, settings):
                if result.problem:
                    layout.bad[frame.member] = result.problem
                    _refuse_too_many(archive_path, layout.bad, allowed)
                else:
                    file.write(result.pixels)
                    rows.append(_manifest_row(len(rows), frame, result))
                    conversions[result.conversion] += 1
            if not rows:
                raise InputError(f"{archive_path}: there is no frame in it that can be used")
            _write_header(file, len(rows), size)
        with Archive(archive_path, encoding=encoding) as archive:
            hold_against(archive, facts)  # nobody wrote over it meanwhile
        manifest = pd.DataFrame(rows, columns=MANIFEST_COLUMNS)
        found = inventory(name, layout, manifest, conversions, size)
        # Between here and the end of this function a kill must not leave a manifest beside frames of another pass.
        (output / "manifest.csv").unlink(missing_ok=True)
        (output / "inventory.json").unlink(missing_ok=True)
    atomic.write_csv(output / "manifest.csv", manifest)
    atomic.write_json(output / "inventory.json", found)
    for note in found["notes"][notes_said:]:
        _say(name, note)


def _say(name: str, note: str) -> None:
    print(f"ingest {name}: {note}", file=sys.stderr)


def _ingested(
    archive_path: Path | str, encoding: str | None, layout: Layout, name: str, settings: Ingest
) -> Iterator[tuple[Frame, Ingested]]:
    """Yield every frame of the layout with what became of it, in order."""
    frames = layout.frames
    chunks = [
        ([frame.member for frame in frames[start : start + CHUNK_FRAMES]], settings.frame_size_px)
        for start in range(0, len(frames), CHUNK_FRAMES)
    ]
    workers = settings.workers or usable_cores()
    open_archive = partial(_open_archive, str(archive_path), encoding)
    results = ordered_map(_ingest_chunk, chunks, workers, "lower ingest.workers or free some memory", open_archive)
    flat = (result for chunk in results for result in chunk)
    yield from track(zip(frames, flat, strict=True), f"ingest {name}", total=len(frames))


_archive: Archive  # of this process, open from task to task


def _open_archive(path: str, encoding: str | None) -> None:
    global _archive
    _archive = Archive(path, encoding=encoding)


def _ingest_chunk(task: tuple[list[str], int]) -> list[Ingested]:
    members, size_px = task
    return [ingest_member(_archive, member, size_px) for member in members]


def ingest_member(archive: Archive, member: str, size_px: int) -> Ingested:
    """Read, check, decode and scale one member of an archive."""
    try:
        data = archive.read(member)
        picture = decode(data)
    except BadFrameError as error:
        return Ingested(problem=str(error))
    height, width = picture.gray.shape
    pixels = area_mean(picture.gray, size_px).tobytes()
    return Ingested(pixels, width, height, hashlib.sha256(data).hexdigest(), picture.conversion)


def _write_header(file: BinaryIO, frames: int, size_px: int) -> None:
    """Write the header of an npy file at its start; numpy pads it, so that the count can grow or shrink in place."""
    file.seek(0)
    header = {"descr": "|u1", "fortran_order": False, "shape": (frames, size_px, size_px)}
    np.lib.format.write_array_header_1_0(file, header)


def _manifest_row(row: int, frame: Frame, result: Ingested) -> tuple[int | str, ...]:
    original = (result.width_px, result.height_px, result.sha256)
    return (row, frame.path, frame.run, frame.label, frame.published_split, *original)


def _refuse_too_many(archive_path: Path | str, bad: dict[str, str], allowed: int) -> None:
    if len(bad) <= allowed:
        return
    shown = [
        f"{shortened(member)}: {shortened(problem, _PROBLEM_LENGTH)}"
        for member, problem in list(bad.items())[:_BAD_FRAMES_SHOWN]
    ]
    if len(bad) > len(shown):
        shown.append(f"and {len(bad) - len(shown)} more")
    raise InputError(
        f"{archive_path}: {counted(len(bad), 'frame')} cannot be used, of which ingest allows {allowed}:\n  "
        + "\n  ".join(shown)
        + "\nMend the data, or leave them out with ingest.on_bad_frame: skip and a larger ingest.max_bad_frames"
    )
