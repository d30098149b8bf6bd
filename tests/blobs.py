"""A small dataset on disk that a network can learn: a bright blob whose height tells the class, in noise."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

CLASSES = ["good_weld", "burn_through", "contamination"]
PARAMS = """
dataset: blobs
seeds: [0]
datasets:
  blobs: {source: local, path: nowhere.zip, classes: [good_weld, burn_through, contamination]}
hardware: {device: cpu, precision: PRECISION, threads: 1, devices: DEVICES}
models:
  full_con6: {input_size_px: 16, hidden: [32, 16], epochs: 4, batch_size: 16, learning_rate: 0.02}
  conv6: {input_size_px: 32, channels: [4, 8], hidden: 16, epochs: 4, batch_size: 16, learning_rate: 0.02}
  resnet18: {input_size_px: 32, init: scratch, epochs: 1, batch_size: 16, learning_rate: 0.02}
folds: [0]
ingest: {}
split: {}
train: {models: [full_con6, conv6, resnet18], augment: {}}
finetune: {models: []}
features: {models: []}
pretrain: {input_size_px: 32, steps: 4, batch_size: 8}
sweep: {models: [resnet18]}
compare: {models: [full_con6]}
report: {}
export: {models: []}
"""


def write_params(folder: Path, precision: str = "fp32", devices: int = 1, **models: str) -> Path:
    """Write params.yaml; `models` replaces or adds the settings of a model, as YAML."""
    text = PARAMS.replace("PRECISION", precision).replace("DEVICES", str(devices))
    given = yaml.safe_load(text)
    given["models"] |= {name: yaml.safe_load(settings) for name, settings in models.items()}
    given["finetune"]["models"] = [name for name in given["models"] if given["models"][name].get("init") == "simulated"]
    given["train"]["models"] = [name for name in given["train"]["models"] if name not in given["finetune"]["models"]]
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(given, sort_keys=False), encoding="utf-8")
    return path


def write_blobs(
    folder: Path,
    frames_per_split: tuple[int, int, int] = (96, 30, 30),
    side_px: int = 32,
    classes: Sequence[str] = CLASSES,
) -> Path:
    """Write frames.npy, manifest.csv, inventory.json and a split of fold 0; return the path of split.csv."""
    rng = np.random.default_rng(0)
    across = (np.arange(side_px) + 0.5) / side_px
    frames, manifest, rows = [], [], []
    for split, count in zip(("train", "valid", "test"), frames_per_split, strict=True):
        for number in range(count):
            label = number % len(classes)
            middle = 0.2 + 0.6 * label / (len(classes) - 1), rng.uniform(0.3, 0.7)
            distance = (across[:, None] - middle[0]) ** 2 + (across[None, :] - middle[1]) ** 2
            frame = 60 + 150 * np.exp(-distance / 0.02) + rng.normal(0, 20, (side_px, side_px))
            row = len(frames)
            frames.append(np.clip(frame, 0, 255).astype(np.uint8))
            run = f"{split}-run-{number % 4}"
            manifest.append(
                (row, f"{run}/image-{number:04d}.png", run, classes[label], split, side_px, side_px, f"{row:064x}")
            )
            rows.append((row, split))
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "frames.npy", np.stack(frames))
    columns = ["row", "path", "run", "label", "published_split", "width_px", "height_px", "sha256"]
    pd.DataFrame(manifest, columns=columns).to_csv(folder / "manifest.csv", index=False)
    (folder / "inventory.json").write_text(json.dumps({"dataset": "blobs", "classes": list(classes)}), encoding="utf-8")
    path = folder / "split" / "fold0" / "split.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=["row", "split"]).to_csv(path, index=False)
    return path
