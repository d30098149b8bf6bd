"""What the list of labels in doubt is made from, by params.yaml and the files that lie here now."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weldbench.config import Params
from weldbench.pipeline.provenance import as_json, frames_of
from weldbench.pipeline.records import Record


def review_record(
    params: Params, model: str, hardware: Mapping[str, Any], data: Path, output: Path, review: Path
) -> Record:
    """Return what the list of labels to review is made from; `params` as they hold for its dataset."""
    splits = {f"fold{fold}/split.csv": data / "split" / f"fold{fold}" / "split.csv" for fold in params.folds}
    return Record(
        path=output / "review.json",
        stage="review",
        settings={
            f"models.{model}": as_json(params.models[model]),
            "hardware": hardware,
            "split.seed": params.split.seed,
            "compare": as_json(params.compare, "train_shares"),
        },
        inputs={**frames_of(data), **splits, "features": data / "features" / f"{model}.safetensors"},
        outputs={"review.csv": review},
    )
