"""Which member of an archive is which frame: the published layout with its JSON files, or an ImageFolder tree."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from weldbench.config.data import NO_GOOD_CLASS, problem_with_classes
from weldbench.errors import InputError
from weldbench.ingest.archive import Archive
from weldbench.ingest.class_folders import class_folders_layout, note_runs_of_several_classes
from weldbench.ingest.file_kinds import is_picture
from weldbench.ingest.filming_order import filming_order
from weldbench.ingest.frames import Frame, Layout
from weldbench.ingest.label_files import LabelFile, find_label_files, published_layout
from weldbench.ingest.unused import Unused, notes_on_unused
from weldbench.runtime.text import counted, some

__all__ = ["Frame", "Layout", "read_layout"]

_NO_RUNS = (
    "Some frames name no run, and each of them counts as its own: near copies from one recording may be in two "
    "splits. Put each run into a folder of its class, or give datasets.<name>.run_pattern."
)


def read_layout(
    archive: Archive,
    classes: list[str] | None,
    run_pattern: str | None,
    unpacked: Unused | None = None,
    good_class: str | None = None,
) -> Layout:
    """Find the frames of an archive, their labels, runs and splits; no picture is read.

    Args:
        archive: The archive.
        classes: Names in label order; None takes those of a public dataset or of SS304 for the published layout, and
            the names of the folders for an ImageFolder tree.
        run_pattern: Regular expression searched in a frame's path; its group `run`, or else the whole match,
            is the run. None takes the frame's folder.
        unpacked: What lay beside the frames in the folder that the archive was packed from.
        good_class: Its name; NO_GOOD_CLASS where every class is a defect; None takes the first one.

    Raises:
        InputError: A JSON file is none, two claim the same split, the classes cannot be told or named, or nothing in
            the archive is a frame.
    """
    unused = archive.unused + (unpacked or Unused())
    label_files = find_label_files(archive)
    # Whatever a label file lists is looked at, whatever its suffix.
    images = [name for name in archive.names if is_picture(name)]
    if label_files:
        layout = published_layout(archive, label_files, images, classes, set(unused.unread))
    else:
        layout = class_folders_layout(archive, images, classes, good_class, unused)
        if not run_pattern:
            note_runs_of_several_classes(layout)
    if problem := problem_with_classes(layout.classes):
        raise InputError(f"{archive.name}: {problem}")
    _put_the_good_class_first(archive, layout, good_class)
    # A pattern may join several recordings, each with its own numbers; the last sort, being stable, keeps them apart.
    layout.frames.sort(key=_place_in_recording)
    if run_pattern:
        layout.frames = [_with_run(frame, run_pattern, layout) for frame in layout.frames]
    _refuse_contradictions(layout)
    if any(not frame.run for frame in layout.frames):
        layout.notes.append(_NO_RUNS)
    layout.frames = sorted(
        (_as_its_own_run(frame) for frame in layout.frames if frame.member not in layout.bad),
        key=lambda frame: (frame.published_split, frame.run),
    )
    if not layout.frames and not layout.bad:
        raise InputError(
            f"{archive.name}: there is no frame in it; expected split/split.json beside its run folders, "
            "or pictures in split/class/ or class/"
        )
    _note_what_is_not_used(archive, layout, label_files, unused)
    return layout


def _put_the_good_class_first(archive: Archive, layout: Layout, good_class: str | None) -> None:
    if good_class == NO_GOOD_CLASS and NO_GOOD_CLASS in layout.classes:
        raise InputError(
            f"{archive.name}: good_class in params.yaml is {good_class}, which stands for no good class, but a class "
            "is named so; rename that class, to good if it is the good one, or name another one as good_class"
        )
    if good_class == NO_GOOD_CLASS or not layout.classes:
        return
    layout.good_class = layout.classes[0] if good_class is None else good_class
    if layout.good_class not in layout.classes:
        raise InputError(
            f"{archive.name}: the dataset's good_class in params.yaml is {good_class!r}, and its classes are "
            f"{some(layout.classes, 10)}; name one of these, or {NO_GOOD_CLASS}"
        )
    layout.classes.sort(key=lambda name: name != layout.good_class)


def _refuse_contradictions(layout: Layout) -> None:
    """Mark as bad every frame of a run that two splits list with different labels."""
    labels: dict[str, set[str]] = {}
    for frame in layout.frames:
        if frame.run:
            labels.setdefault(frame.path, set()).add(frame.label)
    for frame in layout.frames:
        if frame.run and len(labels[frame.path]) > 1 and frame.member not in layout.bad:
            layout.bad[frame.member] = f"it is listed as {' and as '.join(sorted(labels[frame.path]))}"


def _as_its_own_run(frame: Frame) -> Frame:
    # With its split, as file numbers start again in every split; what two splits share is told by the pixels then.
    own = f"{frame.published_split}/{frame.path}" if frame.published_split else frame.path
    return frame if frame.run else replace(frame, run=own)


def _note_what_is_not_used(archive: Archive, layout: Layout, label_files: Sequence[LabelFile], unused: Unused) -> None:
    used = {frame.member for frame in layout.frames} | layout.bad.keys()
    layout.unused = replace(unused, unread=[name for name in unused.unread if name not in used])
    labels = {file.name for file in label_files}
    json_files = [name for name in archive.names if name.lower().endswith(".json") and name not in labels]
    layout.notes += [*archive.notes, *notes_on_unused(layout.unused)]
    if json_files:
        layout.notes.append(
            f"{counted(len(json_files), 'JSON file')} stayed out: {some(json_files)}. The one that lists the frames of "
            "a split is named like its folder, as train/train.json."
        )


def _place_in_recording(frame: Frame) -> tuple[str, str, str]:
    """Return a sort key: recording, whatever the class folder, then the file's name, whose numbers count as numbers."""
    return frame.run, filming_order(PurePosixPath(frame.path).name), frame.path


def _with_run(frame: Frame, pattern: str, layout: Layout) -> Frame:
    found = re.search(pattern, frame.path)
    run = found and (found["run"] if "run" in found.re.groupindex else found[0])
    if not run:
        layout.bad[frame.member] = f"run_pattern {pattern!r} does not match its path {frame.path!r}"
        return frame
    return replace(frame, run=run)
