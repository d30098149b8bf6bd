"""What the trainings of one model say about changed test frames."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weldbench.config import Params
from weldbench.data.dataset import Dataset, open_dataset, resident
from weldbench.data.split import SplitFrames
from weldbench.errors import InputError
from weldbench.models.features import backbone_id, without_last_layer
from weldbench.models.files import load_trained
from weldbench.models.inference import logits_of, probabilities_of, probabilities_of_features
from weldbench.pipeline.robustness_record import changed_predictions_record
from weldbench.runtime.atomic import write_csv, write_json
from weldbench.runtime.hardware import Fabric, in_force, prepare
from weldbench.runtime.progress import track
from weldbench.trust.robustness import CONDITIONS


def judge_changed_frames(params: Params, data: Path, trained: Path, changed: Path, output: Path) -> None:
    """Write what every training of a model says about the changed frames, and a record beside it.

    Args:
        params: As they hold for the dataset.
        data: Folder that ingest wrote.
        trained: Folder of its trainings of the first fold, `seedS/model.safetensors`.
        changed: Of the changed frames, frames.npy.
        output: A CSV with the columns `change`, `strength`, `seed`, `row`, `run`, `label`, and one per class.

    Raises:
        InputError: A file is missing or damaged.
    """
    dataset = open_dataset(data)
    try:
        frames = np.load(changed, mmap_mode="r", allow_pickle=False)
        rows = np.array(json.loads(changed.with_suffix(".json").read_text(encoding="utf-8"))["rows"], np.int64)
        if frames.shape[:2] != (len(CONDITIONS), len(rows)):
            raise ValueError(f"frames of shape {frames.shape} for {len(CONDITIONS)} conditions of {len(rows)} frames")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{changed}: no changed frames can be read ({error}); run the target robustness") from None
    networks = {seed: trained / f"seed{seed}" / "model.safetensors" for seed in params.seeds}
    hardware = params.hardware.model_copy(update={"devices": 1})
    fabric = prepare(hardware)
    write_csv(output, _judge(fabric, networks, dataset, frames, rows), float_format="%.8f")
    record = changed_predictions_record(in_force(hardware, fabric), changed.with_suffix(".json"), networks, output)
    write_json(record.path, record.told())


def _judge(
    fabric: Fabric, networks: Mapping[int, Path], dataset: Dataset, frames: NDArray[np.uint8], rows: NDArray[np.int64]
) -> pd.DataFrame:
    loaded = {seed: load_trained(path) for seed, path in networks.items()}
    labels, runs = dataset.labels_of(rows), dataset.manifest["run"].to_numpy()[rows]
    everyone, ones = np.arange(len(rows)), np.ones(len(rows), np.float32)
    model = next(iter(loaded.values()))[1].settings.name
    tables = []
    for number, (change, strength) in enumerate(track(CONDITIONS, f"robustness {model}", unit="changes")):
        features: dict[str, NDArray[np.float32]] = {}  # a frozen backbone is the same for all seeds
        for seed, (network, info) in loaded.items():
            changed = resident(frames[number], everyone, info.settings.input_size_px)
            split = SplitFrames(changed, everyone, rows, labels, ones)
            network.to(fabric.device)
            if info.settings.freeze == "backbone":
                backbone = without_last_layer(network, info.settings)
                key = backbone_id(backbone, info.normalization, info.settings, dataset)
                if key not in features:
                    features[key] = logits_of(fabric, backbone, split, info.normalization).numpy()
                probabilities = probabilities_of_features(network, info.settings, features[key])
            else:
                probabilities = probabilities_of(fabric, network, split, info.normalization)
            facts = {"change": change, "strength": strength, "seed": seed, "row": rows, "run": runs}
            names = np.array(dataset.classes)[labels]
            classes = {name: probabilities[:, place] for place, name in enumerate(info.classes)}
            tables.append(pd.DataFrame({**facts, "label": names, **classes}))
    return pd.concat(tables)
