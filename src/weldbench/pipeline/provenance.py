"""What each output of a project should be made from, by params.yaml and the files that lie here now."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weldbench.config import Params
from weldbench.config.base import Section
from weldbench.config.models import Model, Pretrainable
from weldbench.config.training import Augment, Pretrain
from weldbench.pipeline.checked import BALANCE
from weldbench.pipeline.records import Record


@dataclass(frozen=True)
class Project:
    """Where the outputs of one dataset lie, and what is asked of them.

    Attributes:
        params: As they hold for the dataset.
        dataset: Name of the dataset.
        data: Folder of its frames and splits.
        trained: Folder of its trained models; that of the backbones lies beside it.
        evaluation: Folder of their predictions.
        results: Folder of its tables and figures.
        exports: Folder of the exported models of all datasets.
    """

    params: Params
    dataset: str
    data: Path
    trained: Path
    evaluation: Path
    results: Path
    exports: Path = Path("exports")

    @classmethod
    def here(cls, params: Params, dataset: str) -> "Project":
        """Return the project whose root is the working folder."""
        results = Path("results", dataset)
        return cls(
            params.for_dataset(dataset),
            dataset,
            Path("data", dataset),
            Path("models", dataset),
            results / "evaluation",
            results,
        )

    def records(self, models: Iterable[str]) -> Iterator[Record]:
        """Yield what is asked for, stage by stage, up to the predictions of these models."""
        params, models = self.params, list(models)
        yield fetch_record(params, self.dataset, self.data / "archive.zip")
        yield ingest_record(params, self.dataset, self.data / "archive.zip", self.data)
        for fold in params.folds:
            yield split_record(params, self.dataset, fold, self.data, self.data / "split" / f"fold{fold}")
        places = [(model, fold, seed) for model in models for fold in params.folds for seed in params.seeds]
        trainings = [self.training(place) for place in places]
        yield from {record.pretrained.path: record.pretrained for record in trainings if record.pretrained}.values()
        yield from trainings
        yield from map(self.predictions, places)

    def all_records(self) -> list[Record]:
        """Return what is asked for of all that is trained, and of the tables and figures."""
        exports = map(self.export, self.params.export.models)
        return [*self.records(self.params.trained_models), self.comparison(), *exports]

    def training(self, place: tuple[str, int, int]) -> Record:
        """Return what is asked of one training: (model, fold, seed)."""
        model, fold, seed = place
        params, settings = self.params, self.params.models[model]
        backbone = None
        if model in params.features.models:
            splits = {fold: self.data / "split" / f"fold{fold}" for fold in params.folds}
            file = self.data / "features" / f"{model}.safetensors"
            hardware = as_json(params.hardware) | {"devices": 1}
            backbone = features_record(params, settings, hardware, self.data, splits, file)
        if model in params.finetune.models and starts_from_backbone(settings):
            file = self.trained.parent / "pretrained" / f"{model}-simulated.safetensors"
            backbone = pretrain_record(
                settings.architecture, params.pretrain, as_json(params.hardware) | {"devices": 1}, file
            )
        split = self.data / "split" / f"fold{fold}" / "split.csv"
        hardware = as_json(params.hardware)
        output = self.trained / model / f"fold{fold}" / f"seed{seed}"
        return train_record(
            settings, params.train.augment, hardware, (seed, params.split.seed), self.data, split, backbone, output
        )

    def predictions(self, place: tuple[str, int, int]) -> Record:
        """Return what is asked of the predictions of one training."""
        model, fold, seed = place
        network = self.trained / model / f"fold{fold}" / f"seed{seed}" / "model.safetensors"
        split = self.data / "split" / f"fold{fold}" / "split.csv"
        output = self.evaluation / model / f"fold{fold}" / f"seed{seed}"
        return evaluate_record(as_json(self.params.hardware) | {"devices": 1}, self.data, split, network, output)

    def export(self, model: str) -> Record:
        """Return what is asked of the export of one model."""
        fold = f"fold{self.params.folds[0]}"
        split = self.data / "split" / fold / "split.csv"
        output = self.exports / self.dataset / model
        return export_record(self.params, self.data, split, self.trained / model / fold, output)

    def comparison(self) -> Record:
        """Return what is asked of the tables and figures."""
        params = self.params
        places = [(m, fold, seed) for m in params.compare.models for fold in params.folds for seed in params.seeds]
        files = [record.outputs["predictions.csv"] for record in map(self.predictions, places)]
        return Record(
            path=self.results / "comparison.json",
            stage="compare",
            settings={
                "seeds": params.seeds,
                "folds": params.folds,
                "compare": as_json(params.compare, "train_shares"),
                "export.vote_frames": params.export.vote_frames,
            },
            inputs={path.relative_to(self.evaluation).as_posix(): path for path in files},
        )


def fetch_record(params: Params, dataset: str, archive: Path) -> Record:
    """Return what an archive is made from."""
    return Record(archive.with_suffix(".json"), "fetch", {f"datasets.{dataset}": as_json(params.datasets[dataset])})


def ingest_record(params: Params, dataset: str, archive: Path, output: Path) -> Record:
    """Return what the frames are made from."""
    settings = as_json(params.ingest, "workers")
    return Record(
        path=output / "inventory.json",
        stage="ingest",
        settings={f"datasets.{dataset}": as_json(params.datasets[dataset]), "ingest": settings},
        inputs={"archive.json": archive.with_suffix(".json")},
        outputs={name: output / name for name in ("frames.npy", "manifest.csv")},
    )


def split_record(params: Params, dataset: str, fold: int, data: Path, output: Path) -> Record:
    """Return what a split is made from."""
    corrections = params.split.corrections
    return Record(
        path=output / "audit.json",
        stage="split",
        settings={"split": as_json(params.split, *BALANCE, *([] if corrections else ["corrections"])), "fold": fold},
        inputs={**frames_of(data), **({"corrections.csv": Path(corrections)} if corrections else {})},
        outputs={"split.csv": output / "split.csv"},
    )


def pretrain_record(architecture: str, pretrain: Pretrain, hardware: Mapping[str, Any], output: Path) -> Record:
    """Return what a backbone is made from; how many processes render its frames decides nothing."""
    settings = {"architecture": architecture, "pretrain": as_json(pretrain, "workers"), "hardware": hardware}
    return Record(output, "pretrain", settings)


def features_record(
    params: Params,
    settings: Model,
    hardware: Mapping[str, Any],
    data: Path,
    splits: Mapping[int, Path],
    output: Path,
) -> Record:
    """Return what features are made from, by the parameters as they hold for the dataset; `splits` names folders."""
    sections = {f"models.{settings.name}": as_json(settings), "train.augment": as_json(params.train.augment)}
    return Record(
        path=output.with_suffix(".json"),
        stage="features",
        settings={**sections, "hardware": hardware, "split.seed": params.split.seed, "folds": sorted(splits)},
        inputs={
            **frames_of(data),
            **{f"fold{fold}/split.csv": folder / "split.csv" for fold, folder in splits.items()},
        },
        outputs={output.name: output},
    )


def train_record(
    settings: Model,
    augment: Augment,
    hardware: Mapping[str, Any],
    seeds: tuple[int, int],
    data: Path,
    split: Path,
    pretrained: Record | None,
    output: Path,
) -> Record:
    """Return what a trained network is made from; the seeds are those of the training, and of the section `split`."""
    sections = {f"models.{settings.name}": as_json(settings), "train.augment": as_json(augment)}
    return Record(
        path=output / "training.json",
        stage="train",
        settings={**sections, "hardware": hardware, "seed": seeds[0], "split.seed": seeds[1]},
        inputs={**frames_of(data), "split.csv": split, **_start(pretrained)},
        outputs={name: output / name for name in ("model.safetensors", "history.csv")},
        pretrained=pretrained,
    )


def evaluate_record(hardware: Mapping[str, Any], data: Path, split: Path, network: Path, output: Path) -> Record:
    """Return what predictions are made from."""
    return Record(
        path=output / "evaluation.json",
        stage="evaluate",
        settings={"hardware": hardware},
        inputs={**frames_of(data), "split.csv": split, "model.safetensors": network},
        outputs={name: output / name for name in ("predictions.csv", "metrics.json")},
    )


# What an export takes from the section compare.
_OF_EXPORT = ("models", "false_reject_rates", "escape_rate", "confidence", "bootstrap_draws", "seed")


def export_record(params: Params, data: Path, split: Path, trained: Path, output: Path) -> Record:
    """Return what an exported model is made from; `params` as they hold for its dataset."""
    networks = {f"seed{seed}/model.safetensors": trained / f"seed{seed}" / "model.safetensors" for seed in params.seeds}
    for model in params.compare.models:  # the card says which of them valid prefers
        folder = trained.parents[1] / model / trained.name
        networks |= {f"{model}/seed{seed}/training.json": folder / f"seed{seed}/training.json" for seed in params.seeds}
    return Record(
        path=output / "model.json",
        stage="export",
        settings={
            f"datasets.{params.dataset}": as_json(params.datasets[params.dataset]),
            "seeds": params.seeds,
            **{f"compare.{key}": getattr(params.compare, key) for key in _OF_EXPORT},
            "export.vote_frames": params.export.vote_frames,
            "export.unknown_share": params.export.unknown_share,
        },
        inputs={**frames_of(data), "archive.json": data / "archive.json", "split.csv": split, **networks},
        outputs={name: output / name for name in ("model.onnx", "resize.onnx", "novelty.npz")},
    )


def starts_from_backbone(settings: Model) -> bool:
    """Tell whether a training starts from weights that learned on simulated frames."""
    return isinstance(settings, Pretrainable) and settings.init == "simulated"


def as_json(section: Section, *without: str) -> dict[str, Any]:
    """Return a section as JSON, without some of its keys."""
    return section.model_dump(mode="json", exclude=set(without))


def _start(pretrained: Record | None) -> dict[str, Path]:
    """Name the file that a training starts from, if there is one."""
    if pretrained is None:
        return {}
    return (
        {"features": next(iter(pretrained.outputs.values()))} if pretrained.outputs else {"pretrained": pretrained.path}
    )


def frames_of(data: Path) -> dict[str, Path]:
    """Name the files that say which frames there are."""
    return {name: data / name for name in ("manifest.csv", "inventory.json")}
