"""The published layout: a JSON file for each split that maps `run/image.png` to a label."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from weldbench.config.data import SS304_CLASSES
from weldbench.errors import BadFrameError, InputError
from weldbench.ingest.archive import Archive, leaves_the_folder
from weldbench.ingest.frames import SPLITS, Frame, Layout
from weldbench.ingest.known_datasets import known_dataset, refuse_names_of_another
from weldbench.ingest.member_names import composed
from weldbench.ingest.system_files import system_entry
from weldbench.runtime.text import shortened, some


@dataclass(frozen=True)
class LabelFile:
    """A JSON file, the split whose frames it lists, and the folder that they lie in."""

    name: str
    split: str
    folder: str


def find_label_files(archive: Archive) -> list[LabelFile]:
    """Find the label file of each split: `train/train.json`, or `train.json` beside `train/`.

    Raises:
        InputError: Two claim one split.
    """
    found: dict[str, LabelFile] = {}
    folders = {str(parent) for name in archive.names for parent in PurePosixPath(name).parents}
    for name in archive.names:
        path = PurePosixPath(name)
        split = SPLITS.get(path.stem.lower())
        inside, beside = path.parent.name == path.stem, str(path.parent / path.stem) in folders
        if split is None or path.suffix != ".json" or not (inside or beside):
            continue
        if split in found:
            raise InputError(
                f"{archive.name}: both {found[split].name} and {name} list the frames of {split}; keep one"
            )
        found[split] = LabelFile(name, split, str(path.parent if inside else path.parent / path.stem))
    return [found[split] for split in sorted(found)]


def published_layout(
    archive: Archive, label_files: list[LabelFile], images: list[str], classes: list[str] | None, left_out: set[str]
) -> Layout:
    """Read the frames that label files list.

    Args:
        archive: The archive.
        label_files: One for each split.
        images: Names of the archive's pictures.
        classes: In label order; None takes those of a public dataset that is told by its counts, else those of SS304.
        left_out: Files that lay beside and were not packed.

    Raises:
        InputError: A JSON file is no map to labels, or the names of the classes cannot be those of its labels.
    """
    given = [
        (file, key, _as_label(label, classes)) for file in label_files for key, label in _labeled_keys(archive, file)
    ]
    layout = Layout([])
    counts = Counter((file.split, label) for file, _, label in given if isinstance(label, int))
    layout.classes = _classes(archive, classes, counts, layout.notes)
    present = set(archive.names)
    labels: dict[str, Any] = {}
    for file, key, label in given:
        member = _member_of(key, file.folder, present)
        if member in labels:
            # Listed twice in one file: harmless if both say the same, else nobody knows which is right.
            if labels[member] != label:
                layout.bad[member] = f"{file.name} lists it twice with different labels"
            continue
        labels[member] = label
        problem = _problem_of(key, label, len(layout.classes), file)
        if problem is None and member not in present:
            problem = _why_absent(member, file, left_out)
        if problem:
            layout.bad[member] = problem
        else:
            path = member.removeprefix(f"{file.folder}/")
            run = str(PurePosixPath(path).parent)
            layout.frames.append(Frame(member, path, "" if run == "." else run, layout.classes[label], file.split))
    layout.frames = [frame for frame in layout.frames if frame.member not in layout.bad]
    layout.unlisted = sorted(set(images) - set(labels))
    _tell_unlabeled_splits(archive, label_files, layout)
    return layout


def _labeled_keys(archive: Archive, file: LabelFile) -> Iterator[tuple[str, Any]]:
    """Yield every key of a label file with its label, repeated keys too."""
    try:
        pairs = json.loads(archive.read(file.name).decode("utf-8-sig"), object_pairs_hook=_Pairs)
    except (BadFrameError, ValueError, RecursionError) as error:
        raise InputError(f"{archive.name}: {file.name} is no valid JSON: {error}") from None
    wanted = "it must map `run/image.png` to a label such as 0"
    if not isinstance(pairs, _Pairs):
        raise InputError(f"{archive.name}: {file.name} holds something else than a map: {wanted}")
    for key, label in pairs:
        if isinstance(label, list):
            coco = "images" in dict(pairs) and "annotations" in dict(pairs)
            kind = (
                "is a COCO file, which is not read" if coco else f"holds a list or an object under {shortened(key)!r}"
            )
            raise InputError(
                f"{archive.name}: {file.name} {kind}; {wanted}. Write such a map, or delete the JSON files, and put "
                "the pictures of each class into a folder with its name"
            )
        # A key may hold half a character, which no file can be named and no report can be written with.
        yield key.encode("utf-8", "backslashreplace").decode(), label


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as its pairs, so that repeated keys are seen."""


def _as_label(value: Any, classes: list[str] | None) -> Any:
    """Return the number that a label stands for, written as 1, 1.0, "1" or as the name of a class that is given."""
    if isinstance(value, str):
        if classes and value in classes:
            return classes.index(value)
        return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _classes(
    archive: Archive, classes: list[str] | None, counts: Counter[tuple[str, int]], notes: list[str]
) -> list[str]:
    known = known_dataset(counts)
    if classes:
        if known:
            refuse_names_of_another(archive.name, known, classes)
        return list(classes)
    if known:
        dataset, names = known
        notes.append(f"By its numbers of frames this is {dataset}: its classes are named {', '.join(names)}.")
        return list(names)
    labels = sorted({label for _, label in counts})
    if labels and labels != list(range(len(SS304_CLASSES))):
        raise InputError(
            f"{archive.name}: the labels in its JSON files are {some([str(label) for label in labels], 10)}, and the "
            "names of these classes are not known; list them, in the order of the labels 0, 1, ..., as `classes` of "
            "the dataset in params.yaml"
        )
    notes.append(
        "The names of the classes are not given, and were assumed to be those of SS304, in the order of the labels: "
        f"{', '.join(SS304_CLASSES)}. List the right ones as `classes` of the dataset in params.yaml."
    )
    return list(SS304_CLASSES)


def _member_of(key: str, folder: str, present: set[str]) -> str:
    """Name the member that a key means: below the folder of its split, however the key was written."""
    key = composed(key)
    slashed = key.replace("\\", "/").removeprefix("./")
    split = PurePosixPath(folder).name
    candidates = [key, slashed]
    if slashed.startswith(f"{split}/"):
        candidates.append(slashed.removeprefix(f"{split}/"))
    members = [str(PurePosixPath(folder, candidate)) for candidate in candidates]
    return next((member for member in members if member in present), members[0])


def _problem_of(key: str, label: Any, class_count: int, file: LabelFile) -> str | None:
    if leaves_the_folder(key):
        return f"the name {shortened(key)!r} in {file.name} leaves the folder of its split"
    if not isinstance(label, int) or isinstance(label, bool):
        return f"its label in {file.name} is {shortened(repr(label))}, no whole number"
    if not 0 <= label < class_count:
        return (
            f"its label in {file.name} is {shortened(str(label))}; "
            f"the {class_count} classes have the labels 0 to {class_count - 1}"
        )
    return None


def _why_absent(member: str, file: LabelFile, left_out: set[str]) -> str:
    if system_entry(member):
        return f"{file.name} lists it, but hidden and system files are left out; rename it"
    if member in left_out:
        return f"{file.name} lists it, but {PurePosixPath(member).suffix or 'a file without suffix'} is not read"
    return f"{file.name} lists it, but it is not in the archive"


def _tell_unlabeled_splits(archive: Archive, label_files: list[LabelFile], layout: Layout) -> None:
    """Refuse a split whose labels seem to stand in a file of another name; note one that has no labels at all."""
    labeled = {file.split for file in label_files}
    beside = {PurePosixPath(file.folder).parent for file in label_files}
    folders = {parent for name in layout.unlisted for parent in PurePosixPath(name).parents if parent.parent in beside}
    for folder in sorted(folders):
        split = SPLITS.get(folder.name.lower())
        if split is None or split in labeled:
            continue
        wanted = folder / f"{folder.name}.json"
        likely = [name for name in archive.names if name.endswith(".json") and PurePosixPath(name).parent == folder]
        if likely:
            raise InputError(
                f"{archive.name}: the pictures in {folder} have no labels, as {likely[0]} is not named like its "
                f"folder; rename it to {wanted}, or take the folder {folder} away"
            )
        layout.notes.append(f"The pictures in {folder} have no labels and were not used: there is no {wanted}.")
