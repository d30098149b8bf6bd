"""What DVC's stage `check` writes: that params.yaml is valid, and what its keys that may be absent say.

A stage of DVC can depend on a key of params.yaml, but not on one that may be absent, as `per_dataset.NAME.split` or
`models.NAME.architecture` may be. So what these say stands in files of their own, which are always there.
"""

from pathlib import Path

from weldbench.config import Params
from weldbench.config.base import Override
from weldbench.config.models import ModelOverride
from weldbench.config.params import Overrides
from weldbench.runtime.atomic import write_json, write_text

MARK = Path("data/.params-are-valid")
ARCHITECTURES = Path("data/.architectures")


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
    """Write what the dataset that params.yaml names changes: `ingest.json`, ..., and `models/NAME.json`."""
    for name, override in _by_section(params).items():
        write_json(folder / f"{name}.json", override.model_dump(exclude_none=True))


def _by_section(params: Params) -> dict[str, Override]:
    own = params.per_dataset.get(params.dataset, Overrides())
    models = {f"models/{name}": own.models.get(name, ModelOverride()) for name in params.models}
    return {"ingest": own.ingest, "split": own.split, "compare": own.compare, **models}
