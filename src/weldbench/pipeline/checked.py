"""What DVC's stage `check` writes: that params.yaml is valid, and what its keys that may be absent say.

A stage of DVC can depend on a key of params.yaml, but not on one that may be absent, as `per_dataset.NAME.split` or
`models.NAME.architecture` may be. So what these say stands in files of their own, which are always there.
"""

from pathlib import Path
from typing import Any

from weldbench.config import Params
from weldbench.config.base import Override
from weldbench.config.data import SplitOverride
from weldbench.config.models import ModelOverride
from weldbench.config.params import Overrides
from weldbench.runtime.atomic import write_json, write_text

MARK = Path("data/.params-are-valid")
ARCHITECTURES = Path("data/.architectures")
BALANCE = ("balance", "cap")  # keys of the section `split` that the splits do not depend on, but the trainings


def write_mark(path: Path = MARK) -> None:
    """Write that params.yaml is valid: always the same content, so that a valid edit alone makes nothing run again."""
    write_text(path, "params.yaml is valid\n")


def write_architectures(params: Params, folder: Path = ARCHITECTURES) -> None:
    """Write which network each model is: `NAME.json`."""
    for name, settings in params.models.items():
        write_json(folder / f"{name}.json", settings.architecture)


def overrides_folder(dataset: str) -> Path:
    """Name the folder of what a dataset changes, relative to the project's root."""
    return Path("data", dataset, "overrides")


def write_overrides(params: Params, folder: Path) -> None:
    """Write what the dataset that params.yaml names changes: `ingest.json`, ..., `models/NAME.json`.

    And `balance/NAME.json`: which frames of train a model learns from, by its own section or by the section `split`.
    """
    for name, override in _by_section(params).items():
        write_json(folder / f"{name}.json", override.model_dump(exclude_none=True))
    for name in params.models:
        write_json(folder / "balance" / f"{name}.json", balance_of(params.for_dataset(params.dataset), name))


def balance_of(params: Params, model: str) -> dict[str, Any]:
    """Return what decides which frames of train a model learns from, by the parameters as they hold for a dataset."""
    settings = params.models[model]
    return {"balance": settings.balance, "cap": settings.cap, "split.seed": params.split.seed}


def _by_section(params: Params) -> dict[str, Override]:
    own = params.per_dataset.get(params.dataset, Overrides())
    models = {f"models/{name}": own.models.get(name, ModelOverride()) for name in params.models}
    split = own.split.model_copy(update={key: None for key in BALANCE if key in SplitOverride.model_fields})
    return {"ingest": own.ingest, "split": split, "compare": own.compare, **models}
