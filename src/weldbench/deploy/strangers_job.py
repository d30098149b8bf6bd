"""Which export is judged on what it has not learned, and what the result is made from."""

from dataclasses import dataclass
from pathlib import Path

from weldbench.config import Params
from weldbench.data.dataset import open_dataset
from weldbench.deploy.bundle import Bundle, load_bundle
from weldbench.errors import InputError
from weldbench.pipeline.provenance import as_json
from weldbench.pipeline.records import Record
from weldbench.training.setup import TrainingJob


@dataclass(frozen=True)
class StrangersJob:
    """What is judged, and by which export.

    Attributes:
        bundle: The export.
        training: Its training, with all classes.
        false_reject_rates: Shares of good frames that may be rejected, as of the export.
        unknown_share: Share of good welds that may have an unknown frame, as of the export.
    """

    bundle: Bundle
    training: TrainingJob
    false_reject_rates: tuple[float, ...]
    unknown_share: float


def strangers_job(
    params: Params, export: Path, data: Path, pretrained: Path | None, features: Path | None
) -> StrangersJob:
    """Return what is judged: an export, and the training that it was made from.

    Args:
        params: As they hold for the dataset.
        export: Its folder.
        data: Folder that ingest wrote, with its splits.
        pretrained: File of the backbone, for `init: simulated`.
        features: File of the features of a frozen backbone.

    Raises:
        InputError: A file is missing or damaged, or params.yaml has no such model.
    """
    bundle = load_bundle(export)
    if bundle.model not in params.models:
        raise InputError(f"{export}: params.yaml has no model {bundle.model}; it has {', '.join(params.models)}")
    fold = params.folds[0]
    training = TrainingJob(
        name=params.dataset,
        dataset=open_dataset(data),
        split=data / "split" / f"fold{fold}" / "split.csv",
        fold=fold,
        settings=params.models[bundle.model],
        train=params.train,
        hardware=params.hardware,
        seed=int(bundle.lineage["seed"]),
        split_seed=params.split.seed,
        pretrained=pretrained,
        features=features,
    )
    return StrangersJob(bundle, training, tuple(params.compare.false_reject_rates), params.export.unknown_share)


def strangers_record(params: Params, job: StrangersJob, output: Path) -> Record:
    """Return what judged frames are made from; `params` as they hold for the dataset."""
    training, folder = job.training, job.bundle.folder
    inputs = {"split.csv": training.split, "model.onnx": job.bundle.network_path, "model.json": folder / "model.json"}
    inputs |= {name: training.dataset.folder / name for name in ("manifest.csv", "inventory.json")}
    starts = {"pretrained": training.pretrained, "features": training.features}
    return Record(
        path=output / "strangers.json",
        stage="unknown",
        settings={
            f"models.{job.bundle.model}": as_json(training.settings),
            "train.augment": as_json(params.train.augment),
            "hardware": as_json(params.hardware),
            "seed": training.seed,
            "split.seed": training.split_seed,
            "compare.false_reject_rates": list(job.false_reject_rates),
            "export.unknown_share": job.unknown_share,
        },
        inputs=inputs | {name: path for name, path in starts.items() if path},
        outputs={"frames.csv": output / "frames.csv"},
    )
