"""params.yaml as a whole: reading it, checking it, and the settings that hold for one dataset."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import Field, SerializeAsAny, ValidationError, model_validator

from weldbench.config.base import NonEmptyList, Override, Section, Seed
from weldbench.config.data import Dataset, Ingest, IngestOverride, LocalDataset, Split, SplitOverride, dataset_named
from weldbench.config.deploy import Export
from weldbench.config.evidence import Compare, CompareOverride, Report, Robustness
from weldbench.config.models import Model, ModelOverride
from weldbench.config.names import DatasetName, ModelName
from weldbench.config.problems import describe
from weldbench.config.strict_yaml import Document, read_yaml
from weldbench.config.training import Features, Finetune, Hardware, Pretrain, Sweep, SweepOverride, Train
from weldbench.errors import InputError

AnySection = TypeVar("AnySection", bound=Section)
Fold = Annotated[int, Field(ge=0)]


class Overrides(Section):
    """What one dataset changes in the other sections: the few values that depend on the size of a dataset."""

    ingest: IngestOverride = Field(IngestOverride(), description="how frames leave the archive")
    split: SplitOverride = Field(SplitOverride(), description="how frames are divided")
    models: dict[str, ModelOverride] = Field({}, description="how networks are trained, by their names")
    sweep: SweepOverride = Field(SweepOverride(), description="the search over depth and training length")
    compare: CompareOverride = Field(CompareOverride(), description="how the comparison is computed")


class Params(Section):
    """The whole of params.yaml, checked; sections that both engines read may not be absent."""

    dataset: str = Field(description="the entry of `datasets` that both engines run on")
    seeds: NonEmptyList[Seed] = Field(description="every model is trained once per seed")
    folds: NonEmptyList[Fold] = Field(description="with split.strategy grouped: which of its folds are the test split")
    datasets: dict[DatasetName, Dataset] = Field(description="where frames come from, by the names of the datasets")
    per_dataset: dict[str, Overrides] = Field({}, description="what single datasets change in the other sections")
    models: dict[ModelName, SerializeAsAny[Model]] = Field(
        description="how each network is built and trained, by a name of its own or that of its architecture"
    )
    hardware: Hardware
    ingest: Ingest
    split: Split
    pretrain: Pretrain
    train: Train
    finetune: Finetune
    features: Features
    sweep: Sweep
    compare: Compare
    robustness: Robustness = Field(Robustness(), description="test frames of another lamp or another camera")
    report: Report
    export: Export

    @model_validator(mode="before")
    @classmethod
    def _a_model_is_named_by_its_key(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or not isinstance(raw.get("models"), dict):
            return raw
        models = {}
        for name, body in raw["models"].items():
            if isinstance(body, dict) and "name" in body:
                raise ValueError(f"models.{name}.name: a model is named by its key; delete this line")
            models[name] = {"architecture": name, **body, "name": name} if isinstance(body, dict) else body
        return {**raw, "models": models}

    @model_validator(mode="after")
    def _files_of_models_are_told_apart(self) -> Self:
        seen: dict[str, str] = {}
        for name in self.models:
            # Some file systems take names that differ in case alone for one.
            if (other := seen.setdefault(name.casefold(), name)) != name:
                raise ValueError(f"models.{name}: its files could not be told from those of `{other}`; rename one")
        return self

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

    @property
    def trained_models(self) -> list[str]:
        """Names of all models that are trained, however."""
        return [*self.train.models, *self.finetune.models, *self.features.models]

    @model_validator(mode="after")
    def _names_refer_to_something(self) -> Self:
        _require_known("dataset", [self.dataset], self.datasets, "datasets")
        _require_known("train.models", self.train.models, self.models, "models")
        _require_known("finetune.models", self.finetune.models, self.models, "models")
        _require_known("sweep.models", self.sweep.models, self.models, "models")
        _require_known("features.models", self.features.models, self.models, "models")
        where = "train.models, finetune.models or features.models"
        _require_known("compare.models", self.compare.models, self.trained_models, where)
        _require_known("export.models", self.export.models, self.trained_models, where)
        for name in self.finetune.models:
            if self.models[name].init == "scratch":
                raise ValueError(f"finetune.models: `{name}` starts from random weights; name it in train.models")
        if twice := [name for name, count in Counter(self.trained_models).items() if count > 1]:
            lists = {"train": self.train.models, "finetune": self.finetune.models, "features": self.features.models}
            places = " and ".join(f"{key}.models" for key, models in lists.items() if twice[0] in models)
            raise ValueError(f"`{twice[0]}` is in {places}; a model is trained in one way")
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
        for key, params in self._as_they_hold():
            for model in self.features.models:
                settings = params.models[model]
                if settings.freeze != "backbone" or settings.init != "imagenet":
                    raise ValueError(
                        f"{key}models.{model}: features.models names it, so it needs freeze: backbone and "
                        "init: imagenet; set these, or name it in train.models or finetune.models"
                    )
            for model in self.train.models:
                if params.models[model].init == "simulated":
                    raise ValueError(
                        f"{key}models.{model}.init: simulated needs a backbone, and `{model}` is trained "
                        "without one, as train.models names it; name it in finetune.models"
                    )
        return self

    @model_validator(mode="after")
    def _stored_frames_are_large_enough(self) -> Self:
        key = f"per_dataset.{self.dataset}." if self.dataset in self.per_dataset else ""
        params = self.for_dataset(self.dataset)
        stored_px = params.ingest.frame_size_px
        for model in (params.models[name] for name in self.trained_models):
            if model.input_size_px > stored_px:
                raise ValueError(
                    f"{key}models.{model.name}.input_size_px: {model.input_size_px} is more than {key}ingest."
                    f"frame_size_px, the {stored_px} pixels at which frames are stored; raise that, or lower this"
                )
        return self

    @model_validator(mode="after")
    def _rare_classes_are_raised_once(self) -> Self:
        for key, params in self._as_they_hold():
            for model in (params.models[name] for name in self.trained_models):
                raised = model.class_weights != "none" or model.sampler == "balanced"
                if raised and model.balance in {"class_weights", "oversample"}:
                    raise ValueError(
                        f"{key}models.{model.name}: its class_weights or sampler raise rare classes, as balance: "
                        f"{model.balance} does already; set one of them to its default, or balance to none"
                    )
        return self

    @model_validator(mode="after")
    def _only_undersampling_has_a_cap(self) -> Self:
        own = {f"models.{name}": (model.cap, model.balance) for name, model in self.models.items()}
        for dataset, overrides in self.per_dataset.items():
            for name, override in overrides.models.items():
                balance = override.balance or self.models[name].balance
                own[f"per_dataset.{dataset}.models.{name}"] = override.cap, balance
        for key, (cap, balance) in own.items():
            if cap and (balance := balance or self.split.balance) != "undersample":
                raise ValueError(f"{key}.cap: balance is {balance}, which has no cap; delete it, or set undersample")
        return self

    def _as_they_hold(self) -> Iterator[tuple[str, Self]]:
        """Yield the parameters as they hold for datasets that change nothing and for each other one, with its key."""
        yield "", self._with_balance()
        for name in self.per_dataset:
            yield f"per_dataset.{name}.", self.for_dataset(name)

    def for_dataset(self, name: str) -> Self:
        """Return the parameters as they hold for one dataset: its overrides applied, other datasets left out.

        Every model then says itself how it makes up for rare classes; without undersampling its `cap` is None.

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
        return self.model_copy(update=changes)._with_balance()

    def _with_balance(self) -> Self:
        models = {}
        for name, model in self.models.items():
            balance = model.balance or self.split.balance
            cap = (model.cap or self.split.cap) if balance == "undersample" else None
            models[name] = model.model_copy(update={"balance": balance, "cap": cap})
        return self.model_copy(update={"models": models})


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
