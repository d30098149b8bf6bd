"""Which member of an archive is which frame: the published layout with its JSON files, or an ImageFolder tree."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from weldbench.config.data import SS304_CLASSES
from weldbench.errors import BadFrameError, InputError
from weldbench.ingest.archive import Archive, composed, leaves_the_folder

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"}
SPLITS = {"train": "train", "valid": "valid", "val": "valid", "validation": "valid", "test": "test"}

_NO_RUNS = (
    "Some frames name no run, and each of them counts as its own: near copies from one recording may stand in two "
    "splits. Put each run into a folder of its class, or give datasets.<name>.run_pattern."
)

_SPLIT_JSON = re.compile(r"^(?:.*/)?([^/]+)/\1\.json$")


@dataclass(frozen=True)
class Frame:
    """One frame as the archive lists it; `path` is how it is published, `member` its name in the archive."""

    member: str
    path: str
    run: str
    label: str
    published_split: str


@dataclass
class Layout:
    """All frames of an archive, sorted by split and run, those of a run in the order in which they were filmed.

    Attributes:
        classes: In label order.
        frames: The frames that can be used, as far as their names and labels tell.
        bad: Member -> why it cannot be used.
        unlisted: Images that no JSON file lists.
        notes: Sentences for the report.
    """

    classes: list[str]
    frames: list[Frame] = field(default_factory=list)
    bad: dict[str, str] = field(default_factory=dict)
    unlisted: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_layout(archive: Archive, classes: list[str] | None, run_pattern: str | None) -> Layout:
    """Find the frames of an archive, their labels, runs and splits; no picture is read.

    Args:
        archive: The archive.
        classes: Names in label order; None takes those of SS304 for the published layout, and the names of
            the folders for an ImageFolder tree.
        run_pattern: Regular expression searched in a frame's path; its group `run`, or else the whole match,
            is the run. None takes the frame's folder.

    Raises:
        InputError: A JSON file is none, two claim the same split, or nothing in the archive is a frame.
    """
    images = [name for name in archive.names if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES]
    labels_of = _label_files(archive)
    if labels_of:
        layout = _published_layout(archive, labels_of, images, classes or SS304_CLASSES)
    else:
        layout = _image_folder_layout(archive, images, classes)
        if not run_pattern:
            _note_runs_of_several_classes(layout)
    # A pattern may join several recordings, each with its own numbers; the last sort, being stable, keeps them apart.
    layout.frames.sort(key=_place_in_recording)
    if run_pattern:
        layout.frames = [_with_run(frame, run_pattern, layout) for frame in layout.frames]
    if any(frame.run == frame.path for frame in layout.frames):
        layout.notes.append(_NO_RUNS)
    layout.frames = sorted(
        (frame for frame in layout.frames if frame.member not in layout.bad),
        key=lambda frame: (frame.published_split, frame.run),
    )
    if not layout.frames and not layout.bad:
        raise InputError(
            f"{archive.name}: there is no frame in it; expected split/split.json beside its run folders, "
            "or pictures in split/class/ or class/"
        )
    return layout


def _label_files(archive: Archive) -> dict[str, str]:
    """SplitFrames -> name of its JSON file."""
    found: dict[str, str] = {}
    for name in archive.names:
        match = _SPLIT_JSON.match(name)
        split = SPLITS.get(match[1].lower()) if match else None
        if split is None:
            continue
        if split in found:
            raise InputError(f"{archive.name}: both {found[split]} and {name} list the frames of {split}; keep one")
        found[split] = name
    return found


def _published_layout(archive: Archive, labels_of: dict[str, str], images: list[str], classes: list[str]) -> Layout:
    layout = Layout(list(classes))
    present, listed = set(archive.names), set()
    for split, json_name in sorted(labels_of.items()):
        folder = PurePosixPath(json_name).parent
        for key, label in _labelled_keys(archive, json_name):
            member = str(folder / composed(key))
            path = member.removeprefix(f"{folder}/")
            if member in listed and member not in layout.bad:
                # Listed twice in one file: harmless if both say the same, else nobody knows which is right.
                known = next(frame for frame in reversed(layout.frames) if frame.member == member)
                if classes.index(known.label) != label:
                    layout.bad[member] = f"{json_name} lists it twice with different labels"
                continue
            listed.add(member)
            problem = _problem_of(key, label, len(classes), json_name)
            if problem is None and member not in present:
                problem = f"{json_name} lists it, but it is not in the archive"
            if problem:
                layout.bad[member] = problem
            else:
                run = str(PurePosixPath(path).parent)
                layout.frames.append(Frame(member, path, path if run == "." else run, classes[label], split))
    layout.unlisted = sorted(set(images) - listed)
    _refuse_contradictions(layout)
    return layout


def _labelled_keys(archive: Archive, json_name: str) -> Iterator[tuple[str, Any]]:
    """Yield every key of a label file with its label, repeated keys too."""
    try:
        pairs = json.loads(archive.read(json_name).decode("utf-8-sig"), object_pairs_hook=_Pairs)
    except (BadFrameError, ValueError, RecursionError) as error:
        raise InputError(f"{archive.name}: {json_name} is no valid JSON: {error}") from None
    if not isinstance(pairs, _Pairs):
        raise InputError(f"{archive.name}: {json_name} must map `run/image.png` to a label, 0, 1, ...")
    yield from pairs


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as its pairs, so that repeated keys are seen."""


def _problem_of(key: str, label: Any, class_count: int, json_name: str) -> str | None:
    if leaves_the_folder(key):
        return f"the name {key!r} in {json_name} leaves the folder of its split"
    if not isinstance(label, int) or isinstance(label, bool):
        return f"its label in {json_name} is {label!r}, no whole number"
    if not 0 <= label < class_count:
        return f"its label in {json_name} is {label}; the {class_count} classes have the labels 0 to {class_count - 1}"
    return None


def _refuse_contradictions(layout: Layout) -> None:
    """Mark as bad every frame that two splits list with different labels."""
    labels: dict[str, set[str]] = {}
    for frame in layout.frames:
        labels.setdefault(frame.path, set()).add(frame.label)
    for frame in layout.frames:
        if len(labels[frame.path]) > 1 and frame.member not in layout.bad:
            layout.bad[frame.member] = f"it is listed as {' and as '.join(sorted(labels[frame.path]))}"


def _image_folder_layout(archive: Archive, images: list[str], classes: list[str] | None) -> Layout:
    paths = _below_common_folders([PurePosixPath(name) for name in images])
    tops = {path.parts[0] for path in paths if len(path.parts) > 1}
    in_splits = bool(tops) and all(top.lower() in SPLITS for top in tops)
    layout = Layout([])
    placed: list[tuple[str, str, PurePosixPath]] = []
    for name, path in zip(images, paths, strict=True):
        split = SPLITS[path.parts[0].lower()] if in_splits and len(path.parts) > 1 else ""
        inner = PurePosixPath(*path.parts[1:]) if split else path
        if len(inner.parts) < 2:
            layout.bad[name] = "it lies in no class folder"
        else:
            placed.append((name, split, inner))
    folders = sorted({inner.parts[0] for _, _, inner in placed})
    good_first = sorted(folders, key=lambda name: not name.lower().startswith("good"))
    layout.classes = list(classes) if classes else good_first
    if len(layout.classes) < 2 and placed:
        raise InputError(f"{archive.name}: there is one class in it, {folders[0]!r}; at least two are needed")
    if placed and not classes and not good_first[0].lower().startswith("good"):
        raise InputError(
            f"{archive.name}: which of the classes {', '.join(folders)} is the good one? No folder's name begins with "
            "good; list them under `classes` of the dataset in params.yaml, the good one first"
        )
    for name, split, inner in placed:
        label, *between, _ = inner.parts
        if label in layout.classes:
            run = "/".join(between) or str(inner)
            layout.frames.append(Frame(name, str(inner), run, label, split))
        else:
            layout.bad[name] = f"its folder {label!r} is none of the classes {', '.join(layout.classes)}"
    return layout


def _note_runs_of_several_classes(layout: Layout) -> None:
    classes: dict[str, set[str]] = {}
    for frame in layout.frames:
        classes.setdefault(frame.run, set()).add(frame.label)
    if several := sorted(run for run, labels in classes.items() if len(labels) > 1):
        shown = ", ".join(several[:3]) + (", ..." if len(several) > 3 else "")
        layout.notes.append(
            f"Runs in several class folders have the same name ({shown}): each name is taken for one film, whose class "
            "changes. Films of their own need names of their own."
        )


def _below_common_folders(paths: list[PurePosixPath]) -> list[PurePosixPath]:
    """Drop the folders that all paths share, except a split's, and except the one that a picture lies in."""
    while paths:
        tops = Counter(path.parts[0] for path in paths)
        top = next(iter(tops))
        if len(tops) > 1 or top.lower() in SPLITS or any(len(path.parts) < 3 for path in paths):
            break
        paths = [PurePosixPath(*path.parts[1:]) for path in paths]
    return paths


def _place_in_recording(frame: Frame) -> tuple[str, str, str]:
    """Return a sort key: recording, whatever the class folder, then the file's name, whose numbers count as numbers."""
    recording = "" if frame.run == frame.path else frame.run
    name = re.sub(r"\d+", lambda digits: digits[0].zfill(20), PurePosixPath(frame.path).name)
    return recording, name, frame.path


def _with_run(frame: Frame, pattern: str, layout: Layout) -> Frame:
    found = re.search(pattern, frame.path)
    run = found and (found["run"] if "run" in found.re.groupindex else found[0])
    if not run:
        layout.bad[frame.member] = f"run_pattern {pattern!r} does not match its path {frame.path!r}"
        return frame
    return Frame(frame.member, frame.path, run, frame.label, frame.published_split)
