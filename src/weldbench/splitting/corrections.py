"""Labels that a person corrected: the file of corrections, and what it changes in the frames before they are split."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from weldbench.errors import InputError
from weldbench.runtime.atomic import replacing
from weldbench.runtime.text import counted, some

Action = Literal["keep", "correct", "drop"]
COLUMNS = ("path", "given", "action", "corrected")
_SHOWN = 6  # kinds of changes in a sentence; audit.json has all


@dataclass(frozen=True)
class Correction:
    """What a person decided about one frame.

    Attributes:
        path: Of the frame, as the manifest has it.
        given: Its label when the person saw it.
        action: keep the label, correct it, or drop the frame.
        corrected: The right label; empty where the action is drop.
    """

    path: str
    given: str
    action: Action
    corrected: str


@dataclass(frozen=True)
class CorrectedFrames:
    """The frames after corrections.

    Attributes:
        manifest: With the right labels, and without the dropped lines.
        changed: Rows whose label changed -> the new label.
        dropped: The dropped lines as they were.
        given: Label before, by row, of all frames.
    """

    manifest: pd.DataFrame
    changed: Mapping[int, str]
    dropped: pd.DataFrame
    given: pd.Series

    def labels_for(self, rows: Iterable[int]) -> list[str]:
        """Return the new labels of rows, empty where the label stayed: the column `label` of split.csv."""
        return [self.changed.get(row, "") for row in rows]

    def effect(self, used: pd.DataFrame) -> dict[str, dict[str, int]]:
        """Count what changed: split -> `given -> corrected` or `given, dropped` -> frames; `unused` is a split here.

        Args:
            used: Columns row, run and split: the frames that the splits keep.
        """
        split_of_row = dict(zip(used["row"], used["split"].astype(str), strict=True))
        split_of_run = dict(zip(used["run"], used["split"].astype(str), strict=True))
        kinds = Counter(
            (split_of_row.get(row, "unused"), f"{self.given[row]} -> {label}") for row, label in self.changed.items()
        )
        for line in self.dropped.itertuples():
            split = split_of_run.get(line.run) or line.published_split or "unused"
            kinds[str(split), f"{line.label}, dropped"] += 1
        splits = sorted({split for split, _ in kinds}, key=["train", "valid", "test", "unused"].index)
        return {split: {kind: kinds[split, kind] for of, kind in sorted(kinds) if of == split} for split in splits}


def read_corrections(path: Path) -> list[Correction]:
    """Read a file of corrections, in its order.

    Raises:
        InputError: It is missing, no table with these columns, or a line is incomplete or there twice.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file, strict=True))
    except FileNotFoundError:
        raise InputError(
            f"{path}: there is no such file; `weldbench review` writes it, or set split.corrections to another one"
        ) from None
    except (OSError, UnicodeError, csv.Error) as error:
        raise InputError(f"{path}: this is no table of corrections: {error}; review again, or repair it") from None
    if not lines or tuple(lines[0]) != COLUMNS:
        raise InputError(f"{path}: its first line has to be `{','.join(COLUMNS)}`; `weldbench review` writes it so")
    found: list[Correction] = []
    seen: dict[tuple[str, str], int] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        if problem := _problem(line):
            raise InputError(f"{path}, line {number}: {problem}")
        key = line[0], line[1]
        if key in seen:
            raise InputError(f"{path}, line {number}: {line[0]!r} is corrected in line {seen[key]} already; delete one")
        seen[key] = number
        found.append(Correction(line[0], line[1], line[2], line[3]))  # type: ignore[arg-type] # checked above
    return found


def write_corrections(path: Path, corrections: Iterable[Correction]) -> None:
    """Write a file of corrections, atomically."""
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((each.path, each.given, each.action, each.corrected) for each in corrections)


def apply_corrections(manifest: pd.DataFrame, classes: list[str], path: Path) -> CorrectedFrames:
    """Apply a file of corrections to the frames of a dataset.

    A correction concerns every line of its path that has the given label: a frame may be published in two splits.

    Args:
        manifest: The frames as ingested (docs/design.md).
        classes: In label order.
        path: The file of corrections.

    Raises:
        InputError: The file is damaged, or not about these frames, labels and classes.
    """
    corrections = read_corrections(path)
    unknown = [each.path for each in corrections if each.path not in set(manifest["path"])]
    if unknown:
        raise InputError(
            f"{path}: {counted(len(unknown), 'frame')} of it {'is' if len(unknown) == 1 else 'are'} not in this "
            f"dataset: {some(unknown)}; name those of this dataset in split.corrections, or delete these lines"
        )
    if strange := sorted({each.corrected for each in corrections if each.corrected} - set(classes)):
        raise InputError(f"{path}: there is no class {some(strange)}; the classes are {', '.join(classes)}")
    lines = {key: part["row"].to_numpy() for key, part in manifest.groupby(["path", "label"], sort=False)}
    moved = [each for each in corrections if (each.path, each.given) not in lines]
    if moved:
        labels = manifest.loc[manifest["path"] == moved[0].path, "label"].iloc[0]
        raise InputError(
            f"{path}: {counted(len(moved), 'label')} changed after the review: {moved[0].path} was "
            f"{moved[0].given} and is {labels}; review again, or delete these lines"
        )
    changed = {int(row): each.corrected for each in corrections for row in lines[each.path, each.given]}
    of_action = {
        action: {int(row) for each in corrections if each.action == action for row in lines[each.path, each.given]}
        for action in get_args(Action)
    }
    changed = {row: label for row, label in changed.items() if row in of_action["correct"]}
    labels = manifest["label"].to_numpy(copy=True)
    row_numbers = manifest["row"].to_numpy()
    labels[:] = [changed.get(row, label) for row, label in zip(row_numbers, labels, strict=True)]
    stays = ~np.isin(row_numbers, list(of_action["drop"]))
    return CorrectedFrames(
        manifest=manifest.assign(label=labels)[stays],
        changed=changed,
        dropped=manifest[~stays],
        given=pd.Series(manifest["label"].to_numpy(), index=row_numbers),
    )


def notes_on_corrections(path: Path, effect: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Say what corrections changed, for the report."""
    if not effect:
        return [f"{path} changes no label: every frame in it was kept."]
    notes = []
    for split, kinds in effect.items():
        listed = [f"{kind} ({counted(count, 'frame')})" for kind, count in kinds.items()]
        notes.append(f"Labels of {split} corrected by {path}: {some(listed, _SHOWN)}.")
    if "test" in effect:
        notes.append(
            "Labels of test were corrected, so these scores are not comparable with those on the labels as given. A "
            "model that pointed out the wrong labels is favored a little: errors that it shares with them stay."
        )
    if "valid" in effect:
        notes.append("Labels of valid were corrected: weights and thresholds are chosen by the corrected ones.")
    return notes


def audit_of(path: Path, effect: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Return what audit.json says about corrections."""
    return {"file": path.as_posix(), "frames": {split: dict(kinds) for split, kinds in effect.items()}}


def _problem(line: list[str]) -> str:
    """Say what is wrong with a line; empty if nothing."""
    if len(line) != len(COLUMNS):
        return f"it has {counted(len(line), 'cell')}, not {len(COLUMNS)}"
    path, given, action, corrected = line
    if not path or not given:
        return "its path or its given label is empty"
    if action not in get_args(Action):
        return f"there is no action {action!r}; it is keep, correct or drop"
    if action == "drop":
        return "a dropped frame has no corrected label; leave it empty" if corrected else ""
    if action == "keep" and corrected != given:
        return f"the label is kept, so the corrected one has to be {given!r} too"
    if action == "correct" and corrected in {"", given}:
        return "its corrected label is empty or the given one"
    return ""
