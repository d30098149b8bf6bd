"""A review of labels at work: the stretches to decide on, what was decided, and the file that holds it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from weldbench.data.dataset import Dataset
from weldbench.errors import InputError
from weldbench.splitting.corrections import Correction, read_corrections, write_corrections

_TEXT = {"path": str, "run": str, "split": str, "given": str, "label": str, "suggested": str, "probably_wrong": str}
_TEXT |= {"first_frame": str, "last_frame": str}
DROPPED = None  # in place of a label


class FileChangedError(Exception):
    """Something else wrote the file of corrections."""


@dataclass(frozen=True)
class Stretch:
    """A stretch of film to decide on.

    Attributes:
        number: Its place in the list, from 1.
        frames: Its lines of review.csv, in filming order.
    """

    number: int
    frames: pd.DataFrame

    @property
    def keys(self) -> list[tuple[str, str]]:
        """Path and ingested label of each frame: what a correction is found by."""
        return list(zip(self.frames["path"], self.frames["given"], strict=True))

    def told(self) -> dict[str, Any]:
        """Describe the stretch to the page."""
        first = self.frames.iloc[0]
        columns = ("run", "split", "label", "suggested", "probably_wrong")
        return {
            "number": self.number,
            "score": round(float(first["score"]), 3),
            "rows": self.frames["row"].tolist(),
            "names": [path.rpartition("/")[2] for path in self.frames["path"]],
            "labels": self.frames["label"].tolist(),
            **{name: str(first[name]) for name in columns},
        }


class Session:
    """Decisions on the stretches of a list; each is written to the file before it counts.

    Args:
        dataset: As ingested.
        listed: review.csv.
        file: The corrections; they may be there already, of this list or others.

    Raises:
        InputError: A file is damaged, or the list is not about these frames.
    """

    def __init__(self, dataset: Dataset, listed: Path, file: Path) -> None:
        self.classes = dataset.classes
        self.stretches = read_stretches(listed, dataset)
        self.file = file
        found = read_corrections(file) if file.exists() else []
        self._corrections = {(each.path, each.given): each for each in found}
        self._content = self._read()
        self._before: list[tuple[int, dict[tuple[str, str], Correction | None]]] = []

    def decision(self, stretch: Stretch) -> list[str | None] | None:
        """Return the label of each frame after the review, None for dropped ones; None where a frame is undecided."""
        found = [self._corrections.get(key) for key in stretch.keys]
        decided = [each for each in found if each is not None]
        return [each.corrected or DROPPED for each in decided] if len(decided) == len(found) else None

    def decide(self, number: int, label: str | None, first: int, last: int) -> None:
        """Give the frames from first to last of a stretch a label, or drop them; its other frames keep theirs.

        Raises:
            ValueError: There is no such stretch, class or range.
            FileChangedError: Something else wrote the file.
        """
        stretch = self._stretch(number)
        if label is not DROPPED and label not in self.classes:
            raise ValueError(f"there is no class {label!r}")
        if not 0 <= first <= last < len(stretch.frames):
            raise ValueError(f"stretch {number} has the frames 0 to {len(stretch.frames) - 1}")
        lines: dict[tuple[str, str], Correction | None] = {}
        for place, (key, now) in enumerate(zip(stretch.keys, stretch.frames["label"], strict=True)):
            lines[key] = _correction(*key, label if first <= place <= last else now)
        self._before.append((number, {key: self._corrections.get(key) for key in lines}))
        try:
            self._replace(lines)
        except Exception:
            self._before.pop()
            raise

    def undo(self) -> int | None:
        """Take back the last decision of this session; return its stretch, or None where there is none.

        Raises:
            FileChangedError: Something else wrote the file.
        """
        if not self._before:
            return None
        number, lines = self._before[-1]
        self._replace(lines)
        self._before.pop()
        return number

    @property
    def decided(self) -> int:
        """How many stretches are decided on."""
        return sum(self.decision(stretch) is not None for stretch in self.stretches)

    def _stretch(self, number: int) -> Stretch:
        if not 1 <= number <= len(self.stretches):
            raise ValueError(f"there is no stretch {number}")
        return self.stretches[number - 1]

    def _replace(self, lines: Mapping[tuple[str, str], Correction | None]) -> None:
        if self._read() != self._content:
            raise FileChangedError(f"{self.file} was changed by something else; start `weldbench review` again")
        new = {**self._corrections, **lines}
        kept = {key: each for key, each in new.items() if each is not None}
        write_corrections(self.file, kept.values())
        self._corrections, self._content = kept, self._read()

    def _read(self) -> bytes:
        return self.file.read_bytes() if self.file.exists() else b""


def read_stretches(path: Path, dataset: Dataset) -> Sequence[Stretch]:
    """Read review.csv.

    Raises:
        InputError: It is missing, damaged, or names frames or labels that are not those of the dataset.
    """
    again = "run `snakemake --cores all review` again"
    try:
        table = pd.read_csv(path, dtype=_TEXT, keep_default_na=False)
        lines = table[["stretch", "row", "score", *_TEXT]]
        lines = lines.astype({"stretch": int, "row": int, "score": float})
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; run `snakemake --cores all review` first") from None
    except (ValueError, KeyError) as error:
        raise InputError(f"{path}: this file is damaged: {error}; {again}") from None
    as_ingested = lines.merge(dataset.manifest[["row", "path", "label"]], on="row", how="left", suffixes=("", "_there"))
    other = (as_ingested["path"] != as_ingested["path_there"]) | (as_ingested["given"] != as_ingested["label_there"])
    if other.any():
        raise InputError(f"{path}: {as_ingested.loc[other, 'path'].iloc[0]} is not as this dataset has it; {again}")
    if unknown := sorted({*lines["label"], *lines["suggested"]} - set(dataset.classes)):
        raise InputError(f"{path}: this dataset has no class {unknown[0]}; {again}")
    parts = [part for _, part in lines.groupby("stretch", sort=True)]
    return [Stretch(number, part) for number, part in enumerate(parts, start=1)]


def _correction(path: str, given: str, label: str | None) -> Correction:
    if label is DROPPED:
        return Correction(path, given, "drop", "")
    return Correction(path, given, "keep" if label == given else "correct", label)
