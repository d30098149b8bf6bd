"""params.yaml as a whole: reading it, checking it, and the settings that hold for one dataset."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, NonNegativeInt, ValidationError, model_validator

from weldbench.config.base import Section
from weldbench.config.data import Dataset, Ingest, Split
from weldbench.config.evidence import Compare, Report
from weldbench.config.models import Model
from weldbench.config.problems import describe
from weldbench.config.training import Finetune, Hardware, Pretrain, Sweep, Train
from weldbench.errors import InputError


class Params(Section):
    """The whole of params.yaml, checked."""

    dataset: str = Field(description="the entry of `datasets` that both engines run on")
    seeds: Annotated[list[NonNegativeInt], Field(min_length=1)]
    folds: Annotated[list[NonNegativeInt], Field(min_length=1)] = [0]
    datasets: dict[str, Dataset]
    models: dict[str, Model]
    hardware: Hardware = Hardware()
    ingest: Ingest = Ingest()
    split: Split = Split()
    pretrain: Pretrain = Pretrain()
    train: Train = Train()
    finetune: Finetune = Finetune()
    sweep: Sweep = Sweep()
    compare: Compare = Compare()
    report: Report = Report()

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
    def _names_refer_to_something(self) -> Self:
        _require_known("dataset", [self.dataset], self.datasets, "datasets")
        _require_known("train.models", self.train.models, self.models, "models")
        _require_known("finetune.models", self.finetune.models, self.models, "models")
        _require_known("finetune.models", self.finetune.models, self.pretrain.models, "pretrain.models")
        _require_known("sweep.models", self.sweep.models, self.models, "models")
        trained = [*self.train.models, *self.finetune.models]
        _require_known("compare.models", self.compare.models, trained, "train.models or finetune.models")
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
