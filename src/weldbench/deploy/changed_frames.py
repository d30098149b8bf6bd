"""Test frames as another camera would have given them: decoded from the archive, changed, then scaled as ingest does.

They are changed at the camera's own resolution. After scaling, the same noise or the same JPEG would be another one.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weldbench.config import Params
from weldbench.data.dataset import open_dataset, read_split
from weldbench.data.resize import area_mean
from weldbench.deploy.archive_frames import archive_frames
from weldbench.pipeline.robustness_record import changed_frames_record
from weldbench.runtime.atomic import replacing, write_json
from weldbench.runtime.progress import track
from weldbench.trust.camera_changes import CAMERA_CHANGES


def make_changed_frames(params: Params, data: Path, output: Path) -> None:
    """Write some test frames of the first fold as they are and in every change and strength.

    Args:
        params: As they hold for the dataset.
        data: Folder of its archive, frames and splits.
        output: frames.npy, uint8, shape (1 + changes * 3, N, H, H): unchanged first, then as `CAMERA_CHANGES` has them,
            each mild, medium, strong. frames.json beside it has their rows of the manifest.

    Raises:
        InputError: A file is missing or damaged, or they do not belong together.
    """
    dataset, split = open_dataset(data), data / "split" / f"fold{params.folds[0]}" / "split.csv"
    rows = dataset.rows_of(read_split(split), "test")
    rows = rows[spread_over_runs(dataset.manifest.iloc[rows], params.robustness.frames_per_run)]
    size_px = dataset.frames.shape[1]
    frames = archive_frames(data / "archive.zip", params.datasets[params.dataset], dataset, rows)
    changed = np.empty((1 + 3 * len(CAMERA_CHANGES), len(rows), size_px, size_px), np.uint8)
    for number, frame in enumerate(track(frames, f"change {params.dataset}", total=len(rows))):
        changed[0, number] = area_mean(frame, size_px)
        at = 1
        for change in CAMERA_CHANGES:
            for size in change.sizes:
                changed[at, number] = area_mean(change.apply(frame, size, number), size_px)
                at += 1
    with replacing(output) as partial, partial.open("wb") as file:
        np.save(file, changed)
    record = changed_frames_record(params, data, split, output)
    write_json(record.path, {"rows": rows.tolist(), **record.told()})


def spread_over_runs(manifest: pd.DataFrame, frames_per_run: int) -> NDArray[np.int64]:
    """Choose frames of every run, spread over it, in equal shares of the classes that it shows; at least one of each.

    Args:
        manifest: Lines with `run` and `label`, in filming order.
        frames_per_run: At most, of each run.

    Returns:
        Positions of the lines, int64, sorted.

    Example:
        >>> lines = pd.DataFrame({"run": "a", "label": ["good"] * 6 + ["bad"] * 4})
        >>> spread_over_runs(lines, 4).tolist()
        [0, 5, 6, 9]
    """
    chosen: list[NDArray[np.int64]] = []
    places = np.arange(len(manifest))
    for _, of_run in manifest.assign(place=places).groupby("run", sort=False):
        of_classes = of_run.groupby("label", sort=False)["place"]
        for _, of_class in of_classes:
            count = min(len(of_class), max(1, frames_per_run // of_classes.ngroups))
            chosen.append(of_class.to_numpy()[np.linspace(0, len(of_class) - 1, count).round().astype(np.int64)])
    return np.sort(np.concatenate(chosen)).astype(np.int64)
