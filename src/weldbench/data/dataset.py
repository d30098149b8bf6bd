"""The frames of a split, resident in memory at a network's input size."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weldbench.data.resize import area_mean
from weldbench.data.split import SplitFrames, SplitRows
from weldbench.errors import InputError

# Read as they stand: a class may be called None, a run 007.
_NAMES = {"path": str, "label": str, "run": str, "published_split": str}


@dataclass(frozen=True)
class Dataset:
    """An ingested dataset.

    Attributes:
        frames: uint8, shape (N, H, H), on disk until they are read.
        manifest: One line per frame, in their order (docs/design.md).
        classes: Names in label order; the first is the good one, if there is one.
        folder: Where it lies.
        good_class: Name of the good one, or None.
    """

    frames: NDArray[np.uint8]
    manifest: pd.DataFrame
    classes: list[str]
    folder: Path
    good_class: str | None

    def load_split(self, split_table: pd.DataFrame, name: str, size_px: int) -> SplitFrames:
        """Load train, valid or test, its lines ordered by row.

        Args:
            split_table: Columns row and split, as `read_split` returns them; weight, if all frames do not weigh 1.
            name: `train`, `valid` or `test`.
            size_px: Height and width of the frames; at most that of the stored ones.

        Raises:
            InputError: The split is empty, or larger frames are asked for than are stored.

        Example:
            >>> manifest = pd.DataFrame({"label": ["good_weld", "burn_through", "good_weld"]})
            >>> frames = np.zeros((3, 8, 8), np.uint8)
            >>> dataset = Dataset(frames, manifest, ["good_weld", "burn_through"], Path("data/mine"), "good_weld")
            >>> split_table = pd.DataFrame({"row": [0, 1, 1], "split": "train", "weight": 1.0})
            >>> train = dataset.load_split(split_table, "train", size_px=4)
            >>> train.frames.shape, train.index.tolist(), train.labels.tolist()
            ((2, 4, 4), [0, 1, 1], [0, 1, 1])
        """
        rows = self.rows_of(split_table, name)
        lines = split_table[split_table["split"] == name].sort_values("row", kind="stable")
        unique, index = np.unique(rows, return_inverse=True)
        return SplitFrames(
            frames=resident(self.frames, unique, size_px),
            index=index.astype(np.int64),
            rows=rows,
            labels=self.labels_of(rows),
            weights=np.ones(len(lines), np.float32) if "weight" not in lines else lines["weight"].to_numpy(np.float32),
        )

    def split_rows(self, split_table: pd.DataFrame, name: str) -> SplitRows:
        """Return the rows of train, valid or test, and their classes; arguments and errors as of `load_split`."""
        rows = self.rows_of(split_table, name)
        return SplitRows(rows, self.labels_of(rows))

    def rows_of(self, split_table: pd.DataFrame, name: str) -> NDArray[np.int64]:
        """Return the rows of train, valid or test, int64, shape (N,), in their order.

        Args:
            split_table: Columns row and split, as `read_split` returns them.
            name: `train`, `valid` or `test`.

        Raises:
            InputError: The split is empty, or names a row that there is not.
        """
        rows = np.sort(split_table.loc[split_table["split"] == name, "row"].to_numpy(np.int64))
        if len(rows) == 0:
            raise InputError(f"{self.folder}: it has no frame of the split {name}; see its audit.json")
        if rows[0] < 0 or rows[-1] >= len(self.frames):
            wrong = rows[0] if rows[0] < 0 else rows[-1]
            raise InputError(f"{self.folder}: the split names row {wrong}, of {len(self.frames)}; split again")
        self._require_labels_of(split_table)
        return rows

    def _require_labels_of(self, split_table: pd.DataFrame) -> None:
        """Refuse a split with corrected labels that this dataset was opened without."""
        if "label" in split_table:
            corrected = split_table[split_table["label"] != ""]
            if (self.manifest["label"].to_numpy()[corrected["row"]] != corrected["label"]).any():
                raise ValueError("open the dataset with this split: it has corrected labels")

    def labels_of(self, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the class of each row of the manifest, as its number in `classes`, int64, shape (N,).

        Raises:
            InputError: A frame is of a class that inventory.json does not list.
        """
        number = {name: label for label, name in enumerate(self.classes)}
        names = self.manifest["label"].to_numpy()[np.asarray(rows)]
        unknown = sorted({str(name) for name in names} - set(number))
        if unknown:
            raise InputError(
                f"manifest.csv: labels that inventory.json does not list: {', '.join(unknown)}; ingest again"
            )
        return np.array([number[name] for name in names], np.int64)


def open_dataset(folder: Path | str, *splits: Path | str) -> Dataset:
    """Open what ingest wrote; frames stay on disk until a split is loaded.

    Args:
        folder: Where ingest wrote it.
        splits: Each split.csv that the frames are used with; their labels hold where a person corrected some.

    Raises:
        InputError: A file is missing, damaged, or does not belong to the others.
    """
    folder = Path(folder)
    try:
        frames = np.load(folder / "frames.npy", mmap_mode="r", allow_pickle=False)
        manifest = pd.read_csv(folder / "manifest.csv", dtype=_NAMES, keep_default_na=False)
        inventory = json.loads((folder / "inventory.json").read_text(encoding="utf-8"))
        classes = inventory["classes"]
    except FileNotFoundError as error:
        raise InputError(f"{error.filename}: there is no such file; ingest the dataset first") from None
    except (ValueError, KeyError, TypeError, OverflowError, EOFError) as error:
        raise InputError(f"{folder}: a file of this dataset is damaged: {error}; ingest again") from None
    _refuse_older(folder / "manifest.csv", manifest, "published_part", "published_split", "ingest again")
    if frames.dtype != np.uint8 or frames.ndim != 3 or len(frames) != len(manifest):
        raise InputError(
            f"{folder}: frames.npy holds {frames.dtype} of shape {frames.shape}, "
            f"manifest.csv has {len(manifest)} lines; ingest again"
        )
    if missing := {"row", *_NAMES} - set(manifest.columns):
        raise InputError(f"{folder}: manifest.csv lacks the columns {', '.join(sorted(missing))}; ingest again")
    if not np.array_equal(manifest["row"], np.arange(len(manifest))):
        raise InputError(f"{folder}: the rows of manifest.csv are not 0, 1, 2, ...; ingest again")
    for path in splits:
        manifest = _with_labels_of(path, manifest)
    return Dataset(frames, manifest, list(classes), folder, inventory.get("good_class", classes[0]))


def _with_labels_of(path: Path | str, manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the manifest with the corrected labels of a split; `given_label` then has those before."""
    table = read_split(path)
    if "label" not in table:
        return manifest
    corrected = table[table["label"] != ""]
    if (unknown := corrected.loc[~corrected["row"].isin(manifest["row"]), "row"]).size:
        raise InputError(f"{path}: the split names row {unknown.iloc[0]}, of {len(manifest)}; split again")
    given = manifest.get("given_label", manifest["label"])
    labels = manifest["label"].copy()
    labels.loc[corrected["row"]] = corrected["label"].to_numpy()
    return manifest.assign(label=labels, given_label=given)


def read_split(path: Path | str) -> pd.DataFrame:
    """Read split.csv.

    Returns:
        Columns `row` and `split`, one line per frame; `label` where labels are corrected, empty for those that stayed.

    Raises:
        InputError: The file is missing, lacks a column, or names a frame twice.
    """
    try:
        split_table = pd.read_csv(path, dtype={"row": np.int64, "split": str, "label": str}, keep_default_na=False)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; split the dataset first") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: this is no table: {error}; split again") from None
    _refuse_older(path, split_table, "part", "split", "split again")
    if "weight" in split_table:
        raise InputError(
            f"{path}: an older version of weldbench wrote this file, with the frames of train that all models were to "
            "learn from; now each model chooses from all; split again"
        )
    missing = {"row", "split"} - set(split_table.columns)
    if missing:
        raise InputError(f"{path}: the columns {', '.join(sorted(missing))} are missing; split again")
    if (repeated := split_table.loc[split_table["row"].duplicated(), "row"]).size:
        raise InputError(f"{path}: row {repeated.iloc[0]} is there twice; a frame is in one split only; split again")
    return split_table


def _refuse_older(path: Path | str, table: pd.DataFrame, old: str, new: str, remedy: str) -> None:
    """Refuse a table whose column had another name in an older version."""
    if old in table.columns:
        raise InputError(
            f"{path}: an older version of weldbench wrote this file; its column `{old}` is now `{new}`; {remedy}"
        )


def fold_of(path: Path) -> int | None:
    """Return the number in the folder of split.csv, `fold0` and so on; None where the folder is called otherwise."""
    named = re.fullmatch(r"fold(\d+)", path.parent.name)
    return int(named[1]) if named else None


def split_id(path: Path | str) -> str:
    """Return the first 12 hex digits of the sha256 of split.csv."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]


def resident(stored: NDArray[np.uint8], rows: Sequence[int] | NDArray[np.int64], size_px: int) -> NDArray[np.uint8]:
    """Copy rows of the stored frames into memory, each reduced to `size_px`.

    Args:
        stored: uint8, shape (N, H, H), usually memory-mapped.
        rows: Which frames, in the order of the result.
        size_px: Height and width of the result.

    Returns:
        uint8, shape (len(rows), size_px, size_px).

    Raises:
        InputError: The stored frames are smaller, or not square.
    """
    rows = np.asarray(rows)
    height, width = stored.shape[1:]
    if height != width:
        raise InputError(f"frames.npy holds frames of {width} x {height} pixels, not square ones; ingest again")
    if size_px > height:
        raise InputError(
            f"params.yaml: a model's input_size_px is {size_px}, but the frames are stored at {height}; "
            f"raise ingest.frame_size_px or lower input_size_px"
        )
    result = np.empty((len(rows), size_px, size_px), np.uint8)
    for number, row in enumerate(rows):
        result[number] = stored[row] if size_px == height else area_mean(stored[row], size_px)
    return result
