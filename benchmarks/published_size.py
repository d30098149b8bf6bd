"""A dataset of the published size, 45,058 frames, rendered straight to the pixels that networks see.

    python benchmarks/published_size.py FOLDER [--scale 1.0] [--size-px 224] [--workers 0]

It writes what ingest and split would write, data/ss304 and its published split, and a params.yaml with the settings of
ss304. ImageNet's weights of ResNet-18 may not be at hand, so there it starts from simulated frames: its steps are the
same. The runs are those of weldsim, with more frames each.
"""

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from weldbench.config.data import SimulatedDataset  # noqa: E402
from weldbench.runtime.parallel import ordered_map  # noqa: E402
from weldbench.weldsim.archive import Run, film_of, runs_of  # noqa: E402

PUBLISHED = {"train": 24_204, "valid": 9_694, "test": 11_160}


def main() -> None:
    """Render and write everything."""
    arguments = parse_arguments()
    counts = {f"{split}_frames": int(count * arguments.scale) for split, count in PUBLISHED.items()}
    dataset = SimulatedDataset(source="simulated", **counts)
    folder = arguments.folder / "data" / "ss304"
    folder.mkdir(parents=True, exist_ok=True)
    write_dataset(dataset, folder, arguments.size_px, arguments.workers)
    write_params(arguments.folder / "params.yaml", arguments.size_px)


def write_dataset(dataset: SimulatedDataset, folder: Path, size_px: int, workers: int) -> None:
    """Write frames.npy, manifest.csv, inventory.json and the published split."""
    # A film that stands in two splits is in the first alone, as a split would leave it.
    runs, classes = runs_of(dataset), dataset.classes
    lines = [
        (f"{run.name}/image-{number:04d}.png", run.name, classes[label], run.splits[0])
        for run in runs
        for number, label in enumerate(run.labels, 1)
    ]
    manifest = pd.DataFrame(lines, columns=["path", "run", "label", "published_split"])
    manifest.insert(0, "row", np.arange(len(manifest)))
    frames = np.lib.format.open_memmap(folder / "frames.npy", "w+", np.uint8, (len(manifest), size_px, size_px))
    done = 0
    pieces = [piece for run in runs for piece in cut(run)]
    for piece, film in zip(pieces, ordered_map(partial(render, size_px), pieces, workers, "free memory"), strict=True):
        frames[done : done + len(piece[1])] = film
        done += len(piece[1])
    manifest.assign(width_px=size_px, height_px=size_px, sha256=[f"{row:064x}" for row in manifest["row"]]).to_csv(
        folder / "manifest.csv", index=False
    )
    (folder / "inventory.json").write_text(json.dumps({"dataset": "ss304", "classes": classes}), encoding="utf-8")
    split = folder / "split" / "fold0" / "split.csv"
    split.parent.mkdir(parents=True, exist_ok=True)
    manifest.rename(columns={"published_split": "split"})[["row", "split"]].to_csv(split, index=False)


def cut(run: Run, frames: int = 200) -> list[tuple[Run, range]]:
    """Cut a film into pieces that the cores share."""
    return [(run, range(start, min(start + frames, len(run.labels)))) for start in range(0, len(run.labels), frames)]


def render(size_px: int, piece: tuple[Run, range]) -> np.ndarray:
    """Render some frames of a run, uint8, shape (N, size_px, size_px)."""
    run, numbers = piece
    return film_of(run, size_px, size_px, numbers)


def write_params(path: Path, size_px: int) -> None:
    """Write params.yaml: the project's, for ss304, with starting weights and sizes that this folder has."""
    given = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    given["dataset"] = "ss304"
    given["ingest"]["frame_size_px"] = size_px
    models = given["per_dataset"]["ss304"]["models"]
    models["resnet18"] |= {"init": "simulated"}
    if size_px < 224:
        for name in ("conv6", "resnet18_scratch", "resnet18", "efficientnet_lite0"):
            models[name]["input_size_px"] = size_px
    path.write_text(yaml.safe_dump(given, sort_keys=False), encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the published number of frames")
    parser.add_argument("--size-px", type=int, default=224)
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes that render")
    return parser.parse_args()


if __name__ == "__main__":
    main()
