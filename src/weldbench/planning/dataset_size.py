"""How many frames a dataset has, and how large they are: counted where it is here, else as it is described."""

import json
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from weldbench.config import Params
from weldbench.config.base import SPLITS
from weldbench.config.data import SS304_CLASSES, KaggleDataset, LocalDataset, SimulatedDataset, Split
from weldbench.config.models import Model
from weldbench.errors import InputError

# Width and height of the published frames, and their files' bytes per pixel: 200 KB each of 1280 x 700.
_PUBLISHED_PX = {
    "danielbacioiu/tig-stainless-steel-304": (1280, 700),
    "danielbacioiu/tig-aluminium-5083": (974, 800),
}
_PUBLISHED_FRAMES = 45_058  # where a dataset on Kaggle names no number: as many as ss304
_USUAL_PX = (1280, 700)
_BYTES_PER_PIXEL = 0.22  # of 8-bit PNG: published frames 0.22; simulated ones 0.44, as they are packed in haste
_SIMULATED_BYTES_PER_PIXEL = 0.44
_TEST_SHARE_OF_VALID = 0.5  # where a dataset has no test split


@dataclass(frozen=True)
class DatasetSize:
    """What a dataset holds, as far as it can be told.

    Attributes:
        counts: Split -> class -> frames; the split `all` where the data names none, the class `any` where the classes
            are not known.
        class_count: Classes.
        width_px: Of a frame in the archive.
        height_px: Its height.
        archive_bytes: Of the archive.
        told_by: Where the numbers come from, as a clause of a sentence.
    """

    counts: Mapping[str, Mapping[str, int]]
    class_count: int
    width_px: int
    height_px: int
    archive_bytes: int
    told_by: str

    @cached_property
    def frames(self) -> int:
        """Frames of all splits."""
        return sum(sum(classes.values()) for classes in self.counts.values())

    def splits(self, settings: Split) -> dict[str, int]:
        """Return the frames of train, valid and test, about as the stage split makes them; leaks are not taken off."""
        published = {name: sum(classes.values()) for name, classes in self.counts.items()}
        share = 1 / settings.fold_count
        if settings.strategy != "published" or "train" not in published:
            held_out = round(self.frames * share)
            return {"train": self.frames - 2 * held_out, "valid": held_out, "test": held_out}
        found: dict[str, int] = {name: published.get(name, 0) for name in SPLITS}
        if not found["test"]:
            source, part = ("valid", _TEST_SHARE_OF_VALID) if found["valid"] else ("train", share)
            found["test"] = round(found[source] * part)
            found[source] -= found["test"]
        if not found["valid"]:
            found["valid"] = round(found["train"] * share)
            found["train"] -= found["valid"]
        return found

    def learned_frames(self, settings: Split, model: Model) -> int:
        """Return how many frames of train a model learns from; at most so many where the classes are not known.

        Args:
            settings: The section `split`.
            model: Its settings, as they hold for the dataset.
        """
        train = self.splits(settings)["train"]
        known = self.counts.get("train", {})
        scale = train / max(1, sum(known.values()))
        classes = [round(frames * scale) for name, frames in known.items() if name != "any"]
        match model.balance:
            case "undersample" if classes:
                return max(1, sum(min(frames, model.cap or frames) for frames in classes))
            case "undersample":
                return max(1, min(train, (model.cap or train) * self.class_count))
            case "oversample" if classes:
                return max(1, max(classes) * len(classes))
        return max(1, train)


def dataset_size(params: Params, folder: Path) -> DatasetSize:
    """Tell how large the dataset of `params` is.

    Args:
        params: As they hold for the dataset.
        folder: Where its stages write, `data/NAME`.
    """
    dataset = params.datasets[params.dataset]
    if found := _ingested(folder):
        return found
    if isinstance(dataset, SimulatedDataset):
        return _simulated(dataset)
    return _on_kaggle(dataset) if isinstance(dataset, KaggleDataset) else _local(dataset)


def require_pictures(params: Params, folder: Path) -> None:
    """Refuse a folder or zip of one's own that is not there, or has no picture: nothing could be planned for it.

    Args:
        params: As they hold for the dataset.
        folder: Where its stages write, `data/NAME`; what ingest has read already may lie nowhere else any more.

    Raises:
        InputError: There is no such folder or zip, or no picture in it.
    """
    dataset = params.datasets[params.dataset]
    if not isinstance(dataset, LocalDataset) or dataset_size(params, folder).frames:
        return
    key = f"params.yaml: datasets.{params.dataset}.path: {dataset.path}"
    if not Path(dataset.path).expanduser().exists():
        raise InputError(f"{key}: there is no such folder or zip; correct the path")
    raise InputError(f"{key}: there is no picture in it; docs/datasets.md says what is read")


def _ingested(folder: Path) -> DatasetSize | None:
    """Read what ingest counted; None where it did not run, or left something else."""
    try:
        inventory: dict[str, Any] = json.loads((folder / "inventory.json").read_text(encoding="utf-8"))
        archive_bytes = int(json.loads((folder / "archive.json").read_text(encoding="utf-8"))["bytes"])
        with (folder / "manifest.csv").open(encoding="utf-8") as file:
            columns, first = (file.readline().rstrip("\n").split(",") for _ in range(2))
        # The path and the name of the run may hold commas; the last columns do not.
        size = dict(zip(reversed(columns), reversed(first), strict=False))
        counts = {split or "all": dict(classes) for split, classes in inventory["counts"].items()}
        told = "as ingest counted them"
        width, height = int(size["width_px"]), int(size["height_px"])
        found = DatasetSize(counts, len(inventory["classes"]), width, height, archive_bytes, told)
        return found if found.frames else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _simulated(dataset: SimulatedDataset) -> DatasetSize:
    from weldbench.weldsim.archive import labels_of

    names = dict(enumerate(dataset.classes))
    counts = {
        split: dict(Counter(names.get(label, "other") for label in labels.values()))
        for split, labels in labels_of(dataset).items()
    }
    pixels = dataset.width_px * dataset.height_px
    size_bytes = sum(dataset.frames_per_split.values()) * round(_SIMULATED_BYTES_PER_PIXEL * pixels)
    told = "as they will be simulated"
    return DatasetSize(counts, len(dataset.classes), dataset.width_px, dataset.height_px, size_bytes, told)


def _on_kaggle(dataset: KaggleDataset) -> DatasetSize:
    counts: dict[str, dict[str, int]] = {
        split: {"any": of_split} if isinstance(of_split, int) else dict(of_split)
        for split, of_split in dataset.counts.items()
    }
    told = "as published; the download will show"
    if not counts:
        counts = {"all": {"any": dataset.frames or _PUBLISHED_FRAMES}}
        if not dataset.frames:
            told = "as many as ss304 has, as params.yaml names no number; the download will show"
    width, height = _PUBLISHED_PX.get(dataset.handle, _USUAL_PX)
    frames = sum(sum(classes.values()) for classes in counts.values())
    size_bytes = frames * round(_BYTES_PER_PIXEL * width * height)
    return DatasetSize(counts, len(dataset.classes or SS304_CLASSES), width, height, size_bytes, told)


def _local(dataset: LocalDataset) -> DatasetSize:
    """Count the pictures of a folder or a zip; none where it cannot be read, which the stage fetch will tell better."""
    path = Path(dataset.path).expanduser()
    sizes = _zip_members(path) if path.is_file() else _files(path)
    counts: Counter[str] = Counter()
    for name in sizes:
        parts = [part.lower() for part in Path(name).parts[:-1]]
        counts[next((split for split in SPLITS if split in parts), "all")] += 1
    named = {split: {"any": frames} for split, frames in counts.items() if split != "all" or len(counts) == 1}
    folders = {Path(name).parent for name in sizes}
    classes = len(dataset.classes) if dataset.classes else max(2, min(len(folders), len(SS304_CLASSES)))
    mean_bytes = sum(sizes.values()) / max(1, len(sizes))
    # A picture of this machine would tell its size; to open one takes the room of ingest, which may be missing here.
    told = f"as counted in {dataset.path}" if sizes else f"none found in {dataset.path}"
    width, height = _size_of(mean_bytes)
    return DatasetSize(named, classes, width, height, sum(sizes.values()), told)


def _size_of(mean_bytes: float) -> tuple[int, int]:
    """Guess a frame's width and height from its file's size, in the shape of the published frames."""
    width, height = _USUAL_PX
    scale = (mean_bytes / (_BYTES_PER_PIXEL * width * height)) ** 0.5
    return max(8, round(width * scale)), max(8, round(height * scale))


def _zip_members(path: Path) -> dict[str, int]:
    from weldbench.ingest.file_kinds import is_picture

    try:
        with zipfile.ZipFile(path) as archive:
            return {info.filename: info.compress_size for info in archive.infolist() if is_picture(info.filename)}
    except (OSError, zipfile.BadZipFile):
        return {}


def _files(folder: Path) -> dict[str, int]:
    from weldbench.ingest.file_kinds import is_picture

    found: dict[str, int] = {}
    for path in folder.rglob("*"):
        try:
            if is_picture(path.name) and path.is_file():
                found[path.relative_to(folder).as_posix()] = path.stat().st_size
        except OSError:
            continue
    return found
