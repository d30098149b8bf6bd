"""params.yaml as a whole: reading it, checking it, and the settings that hold for one dataset."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, Field, NonNegativeInt, SerializeAsAny, ValidationError, model_validator

from weldbench.config.base import Section
from weldbench.config.data import Dataset, Ingest, LocalDataset, Split
from weldbench.config.evidence import Compare, Report
from weldbench.config.models import Model, TorchvisionModel
from weldbench.config.problems import describe
from weldbench.config.training import Finetune, Hardware, Pretrain, Sweep, Train
from weldbench.errors import InputError


def _plain(name: str) -> str:
    # Names stand in paths, in keys with dots between, and, unquoted, in the commands of both engines.
    if not re.fullmatch(r"\w[\w-]*", name):
        raise ValueError("a name consists of letters, digits, _ and -")
    return name


def _without_repetition(numbers: list[int]) -> list[int]:
    if len(set(numbers)) < len(numbers):
        raise ValueError("each number may stand there once")
    return numbers


Name = Annotated[str, AfterValidator(_plain)]
Numbers = Annotated[list[NonNegativeInt], Field(min_length=1), AfterValidator(_without_repetition)]


class Params(Section):
    """The whole of params.yaml, checked; no section may be absent, as the engines read the file too."""

    dataset: str = Field(description="the entry of `datasets` that both engines run on")
    seeds: Numbers
    folds: Numbers
    datasets: dict[Name, Dataset]
    models: dict[str, SerializeAsAny[Model]]
    hardware: Hardware
    ingest: Ingest
    split: Split
    pretrain: Pretrain
    train: Train
    finetune: Finetune
    sweep: Sweep
    compare: Compare
    report: Report

    @model_validator(mode="before")
    @classmethod
    def _a_model_is_named_by_its_architecture(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or not isinstance(raw.get("models"), dict):
            return raw
        models = {
            name: {**body, "architecture": name} if isinstance(body, dict) else body
            for name, body in raw["models"].items()
        }
        return {**raw, "models": models}

    @model_validator(mode="after")
    def _local_data_stand_outside_of_what_is_made(self) -> Self:
        for name, dataset in self.datasets.items():
            archive = Path("data", name, "archive.zip").resolve()
            if isinstance(dataset, LocalDataset) and archive.is_relative_to(Path(dataset.path).expanduser().resolve()):
                raise ValueError(
                    f"datasets.{name}.path: {dataset.path} is where the copy that the comparison works on is made, and "
                    "an engine deletes what stood there; move your data out of data/, or to another folder of it"
                )
        return self

    @model_validator(mode="after")
    def _names_refer_to_something(self) -> Self:
        _require_known("dataset", [self.dataset], self.datasets, "datasets")
        _require_known("train.models", self.train.models, self.models, "models")
        _require_known("finetune.models", self.finetune.models, self.models, "models")
        _require_known("sweep.models", self.sweep.models, self.models, "models")
        trained = [*self.train.models, *self.finetune.models]
        _require_known("compare.models", self.compare.models, trained, "train.models or finetune.models")
        for name in self.finetune.models:
            if not isinstance(self.models[name], TorchvisionModel):
                raise ValueError(f"finetune.models: `{name}` starts from random weights; name it in train.models")
        twice = [name for name in self.finetune.models if name in self.train.models]
        if twice:
            raise ValueError(f"finetune.models: `{twice[0]}` stands in train.models too; a model is trained in one way")
        for section in ("ingest", "split", "sweep", "compare"):
            _require_known(f"{section}.per_dataset", getattr(self, section).per_dataset, self.datasets, "datasets")
        for name, model in self.models.items():
            _require_known(f"models.{name}.per_dataset", model.per_dataset, self.datasets, "datasets")
        last_fold = self.split.fold_count - 1 if self.split.strategy == "grouped" else 0
        if max(self.folds) > last_fold:
            raise ValueError(
                f"folds: there is no fold {max(self.folds)}; with split.strategy {self.split.strategy} "
                f"and split.fold_count {self.split.fold_count} the folds are 0 to {last_fold}"
            )
        return self

    @model_validator(mode="after")
    def _rare_classes_are_raised_once(self) -> Self:
        if self.split.balance != "class_weights":
            return self
        for name in (*self.train.models, *self.finetune.models):
            if self.models[name].class_weights != "none" or self.models[name].sampler == "balanced":
                raise ValueError(
                    f"models.{name}: its class_weights or sampler raise rare classes, as split.balance: class_weights "
                    "does already; set one of them to its default"
                )
        return self


def load_params(path: Path | str = "params.yaml") -> Params:
    """Read and check params.yaml.

    Raises:
        InputError: The file is missing, is no YAML, or holds a wrong key or value; every problem is listed.
    """
    path = Path(path)
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; run the command in the folder that holds it") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: this is no valid YAML: {error}") from None
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        raise InputError(f"{path}: {describe(error, Params, raw)}") from None


def _require_known(key: str, names: Iterable[str], known: Collection[str], where: str) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{key}: there is no `{name}` in {where}, which has: {', '.join(known)}")
