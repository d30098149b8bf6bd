"""What changed test frames and predictions on them are made from, by params.yaml and the files that lie here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weldbench.config import Params
from weldbench.pipeline.provenance import as_json, frames_of
from weldbench.pipeline.records import Record


def changed_frames_record(params: Params, data: Path, split: Path, output: Path) -> Record:
    """Return what changed test frames are made from; `output` is their frames.npy."""
    return Record(
        path=output.with_suffix(".json"),
        stage="robustness",
        settings={
            f"datasets.{params.dataset}": as_json(params.datasets[params.dataset]),
            "robustness": as_json(params.robustness),
        },
        inputs={**frames_of(data), "archive.json": data / "archive.json", "split.csv": split},
        outputs={output.name: output},
    )


def changed_predictions_record(
    hardware: Mapping[str, Any], frames: Path, networks: Mapping[int, Path], output: Path
) -> Record:
    """Return what predictions on changed frames are made from; `frames` is the record of these frames."""
    return Record(
        path=output.with_suffix(".json"),
        stage="robustness",
        settings={"hardware": hardware},
        inputs={"frames.json": frames, **{f"seed{seed}/{path.name}": path for seed, path in networks.items()}},
        outputs={output.name: output},
    )
