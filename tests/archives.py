"""Small archives of made-up frames, in any layout and with any fault."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from weldbench.config.data import Split
from weldbench.data.dataset import open_dataset
from weldbench.runtime.atomic import write_csv, write_json
from weldbench.splitting.split import split_dataset

CLASSES = ["good_weld", "burn_through", "contamination"]


def picture(seed: int, width_px: int = 40, height_px: int = 24) -> np.ndarray:
    """Gray noise, uint8, unlike that of any other seed."""
    return np.random.default_rng(seed).integers(0, 256, (height_px, width_px), dtype=np.uint8)


def encoded(levels: np.ndarray, file_format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, file_format)
    return buffer.getvalue()


def frame(seed: int) -> bytes:
    return encoded(picture(seed))


def write_zip(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def published(splits: dict[str, dict[str, int]], prefix: str = "ss304/") -> dict[str, bytes]:
    """Members in the published layout, from split -> `run/image.png` -> label; equal names are equal frames."""
    names = sorted({name for labels in splits.values() for name in labels})
    members = {}
    for split, labels in splits.items():
        members[f"{prefix}{split}/{split}.json"] = json.dumps(labels).encode()
        members |= {f"{prefix}{split}/{name}": frame(names.index(name)) for name in labels}
    return members


def small_dataset(runs_per_class: int = 2, frames_per_run: int = 2) -> dict[str, dict[str, int]]:
    """Splits of the published layout with the given number of runs of each class in each split."""
    return {
        split: {
            f"{split}-{label}-run{run}/image-{number:04d}.png": label
            for label in range(len(CLASSES))
            for run in range(runs_per_class)
            for number in range(frames_per_run)
        }
        for split in ("train", "valid", "test")
    }


def split_as_published(data: Path, split: Path, **settings: object) -> None:
    """Write split.csv and audit.json of an ingested dataset."""
    dataset = open_dataset(data)
    table, audit = split_dataset(dataset.manifest, dataset.frames, dataset.classes, Split(**settings), fold=0)
    write_csv(split, table)
    write_json(split.with_name("audit.json"), audit)
