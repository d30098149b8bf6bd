"""Manifests and frames of made-up datasets, without any archive."""

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd

CLASSES = ["good_weld", "burn_through", "contamination"]


def manifest_of(frames: Iterable[tuple[str, str, str, str]]) -> pd.DataFrame:
    """A manifest from (path, run, label, published split); equal paths have equal content."""
    rows = sorted(frames, key=lambda frame: (frame[3], frame[0]))
    table = pd.DataFrame(rows, columns=["path", "run", "label", "published_split"])
    table["sha256"] = [hashlib.sha256(path.encode()).hexdigest() for path in table["path"]]
    table["width_px"], table["height_px"] = 32, 32
    table.insert(0, "row", np.arange(len(table)))
    return table


def frames_of(manifest: pd.DataFrame) -> np.ndarray:
    """Noise for every row, uint8, shape (N, 32, 32): the same for the same content."""
    seeds = [int(sha256[:8], 16) for sha256 in manifest["sha256"]]
    pictures = [np.random.default_rng(seed).integers(0, 256, (32, 32), dtype=np.uint8) for seed in seeds]
    return np.stack(pictures) if pictures else np.empty((0, 32, 32), dtype=np.uint8)


def run_frames(run: str, label: str, split: str, count: int) -> list[tuple[str, str, str, str]]:
    return [(f"{run}/image-{number:04d}.png", run, label, split) for number in range(count)]


def even_dataset(runs_per_class: int = 5, frames_per_run: int = 3, split: str = "") -> pd.DataFrame:
    """The same number of runs for each class, all in one split."""
    return manifest_of(
        frame
        for label in CLASSES
        for run in range(runs_per_class)
        for frame in run_frames(f"{label} {run}", label, split, frames_per_run)
    )
