"""params.yaml as a whole: reading it, checking it, and the settings that hold for one dataset."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, Field, SerializeAsAny, ValidationError, model_validator

from weldbench.config.base import NonEmptyList, Override, Section, Seed
from weldbench.config.data import Dataset, Ingest, IngestOverride, LocalDataset, Split, SplitOverride, dataset_named
from weldbench.config.deploy import Export
from weldbench.config.evidence import Compare, CompareOverride, Report
from weldbench.config.models import Model, ModelOverride, TorchvisionModel
from weldbench.config.problems import describe
from weldbench.config.strict_yaml import Document, read_yaml
from weldbench.config.training import Finetune, Hardware, Pretrain, Sweep, SweepOverride, Train
from weldbench.errors import InputError


def _plain(name: str) -> str:
    # Names stand in paths, in keys with dots between, and, unquoted, in the commands of both engines.
    if not re.fullmatch(r"\w[\w-]*", name):
        raise ValueError("a name consists of letters, digits, _ and -")
    if name == "pretrained":
        raise ValueError("a dataset cannot be called pretrained, as models/pretrained/ holds the backbones")
    return name


AnySection = TypeVar("AnySection", bound=Section)
Name = Annotated[str, AfterValidator(_plain)]
Fold = Annotated[int, Field(ge=0)]


class Overrides(Section):
    """What one dataset changes in the other sections: the few values that depend on the size of a dataset."""

    ingest: IngestOverride = Field(IngestOverride(), description="how frames leave the archive")
    split: SplitOverride = Field(SplitOverride(), description="how frames are divided")
    models: dict[str, ModelOverride] = Field({}, description="how networks are trained, by their names")
    sweep: SweepOverride = Field(SweepOverride(), description="the search over depth and training length")
    compare: CompareOverride = Field(CompareOverride(), description="how the comparison is computed")


class Params(Section):
    """The whole of params.yaml, checked; no section may be absent, as the engines read the file too."""

    dataset: str = Field(description="the entry of `datasets` that both engines run on")
    seeds: NonEmptyList[Seed] = Field(description="every model is trained once per seed")
    folds: NonEmptyList[Fold] = Field(description="with split.strategy grouped: which of its folds are the test split")
    datasets: dict[Name, Dataset] = Field(description="where frames come from, by the names of the datasets")
    per_dataset: dict[str, Overrides] = Field({}, description="what single datasets change in the other sections")
    models: dict[str, SerializeAsAny[Model]] = Field(
        description="how each network is built and trained, by its architecture"
    )
    hardware: Hardware
    ingest: Ingest
    split: Split
    pretrain: Pretrain
    train: Train
    finetune: Finetune
    sweep: Sweep
    compare: Compare
    report: Report
    export: Export

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
        _require_known("export.models", self.export.models, trained, "train.models or finetune.models")
        for name in self.finetune.models:
            if not isinstance(self.models[name], TorchvisionModel):
                raise ValueError(f"finetune.models: `{name}` starts from random weights; name it in train.models")
        twice = [name for name in self.finetune.models if name in self.train.models]
        if twice:
            raise ValueError(f"finetune.models: `{twice[0]}` is in train.models too; a model is trained in one way")
        _require_known("per_dataset", self.per_dataset, self.datasets, "datasets")
        for name, overrides in self.per_dataset.items():
            _require_known(f"per_dataset.{name}.models", overrides.models, self.models, "models")
        last_fold = self.split.fold_count - 1 if self.split.strategy == "grouped" else 0
        if max(self.folds) > last_fold:
            raise ValueError(
                f"folds: there is no fold {max(self.folds)}; with split.strategy {self.split.strategy} "
                f"and split.fold_count {self.split.fold_count} the folds are 0 to {last_fold}"
            )
        return self

    @model_validator(mode="after")
    def _overrides_suit_their_sections(self) -> Self:
        for name in self.per_dataset:
            self.for_dataset(name)
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

    def for_dataset(self, name: str) -> Self:
        """Return the parameters as they hold for one dataset: its overrides applied, other datasets left out.

        Raises:
            InputError: There is no such dataset.
        """
        own = {name: dataset_named(self.datasets, name)}
        changes: dict[str, Any] = {"dataset": name, "datasets": own, "per_dataset": {}}
        if name in self.per_dataset:
            key, overrides = f"per_dataset.{name}", self.per_dataset[name]
            changes |= {
                "ingest": _overridden(self.ingest, overrides.ingest, f"{key}.ingest"),
                "split": _overridden(self.split, overrides.split, f"{key}.split"),
                "sweep": _overridden(self.sweep, overrides.sweep, f"{key}.sweep"),
                "compare": _overridden(self.compare, overrides.compare, f"{key}.compare"),
                "models": {
                    model: _overridden(settings, overrides.models[model], f"{key}.models.{model}")
                    if model in overrides.models
                    else settings
                    for model, settings in self.models.items()
                },
            }
        return self.model_copy(update=changes)


def load_params(path: Path | str = "params.yaml") -> Params:
    """Read and check params.yaml.

    Raises:
        InputError: The file is missing, is no YAML that both engines read alike, or holds a wrong key or value; every
            problem is listed, with its line.

    Example:
        >>> params = load_params("params.yaml")
        >>> params.dataset in params.datasets
        True
    """
    path = Path(path)
    document = read_yaml(path)
    if not isinstance(document.values, dict):
        raise InputError(f"{path}: there are no sections in it; `git checkout {path}` brings back the project's own")
    try:
        return Params.model_validate(document.values)
    except ValidationError as error:
        raise InputError(f"{path}: {describe(error, Params, document)}") from None


def _overridden(section: AnySection, override: Override, key: str) -> AnySection:
    values = override.over(section)
    try:
        return type(section).model_validate(values)
    except ValidationError as error:
        raise ValueError(f"{key}: {describe(error, type(section), Document(values, {}, {}))}") from None


def _require_known(key: str, names: Iterable[str], known: Collection[str], where: str) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{key}: there is no `{name}` in {where}, which has: {', '.join(known)}")
