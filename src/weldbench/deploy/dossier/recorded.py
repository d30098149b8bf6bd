"""What ingest and split wrote about the frames that a model learned from and was tested on."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from weldbench.config.data import Dataset, KaggleDataset, SimulatedDataset
from weldbench.data.dataset import open_dataset, read_split
from weldbench.errors import InputError
from weldbench.ingest.known_datasets import known_dataset

_HANDLES = {
    "danielbacioiu/tig-stainless-steel-304": "SS304",
    "danielbacioiu/tig-aluminium-5083": "Al5083",
}


@dataclass(frozen=True)
class Recorded:
    """What ingest and split wrote about the frames.

    Attributes:
        settings: Of the dataset.
        inventory: inventory.json.
        audit: audit.json.
        used: A line for each frame in a split: columns split, run, label, width_px, height_px.
    """

    settings: Dataset
    inventory: Mapping[str, Any]
    audit: Mapping[str, Any]
    used: pd.DataFrame

    @property
    def public(self) -> str | None:
        """Name of the public dataset that this is, by its address or its numbers of frames; None if none is known."""
        if isinstance(self.settings, KaggleDataset) and self.settings.handle in _HANDLES:
            return _HANDLES[self.settings.handle]
        labels: Counter[tuple[str, int]] = Counter()
        for split, counts in self.inventory["counts"].items():
            for label, name in enumerate(self.inventory["classes"]):
                labels[split, label] += counts[name]
        found = known_dataset(Counter({key: frames for key, frames in labels.items() if frames}))
        return found[0] if found else None

    def runs(self, split: str) -> list[str]:
        """Return the names of the runs of a split."""
        return list(dict.fromkeys(self.used.loc[self.used["split"] == split, "run"]))

    @property
    def is_simulated(self) -> bool:
        """Whether no camera took the frames."""
        return isinstance(self.settings, SimulatedDataset)


def read_recorded(settings: Dataset, data: Path, split: Path) -> Recorded:
    """Read what ingest and split wrote.

    Args:
        settings: Of the dataset.
        data: Folder that ingest wrote.
        split: split.csv; audit.json lies beside it.

    Raises:
        InputError: A file is missing or damaged.
    """
    dataset, table = open_dataset(data, split), read_split(split)
    frames = dataset.manifest.set_index("row")[["run", "label", "width_px", "height_px"]]
    used = table[["row", "split"]].join(frames, on="row")
    inventory, audit = (_read(path) for path in (data / "inventory.json", split.with_name("audit.json")))
    return Recorded(settings, inventory, audit, used)


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; run the stages ingest and split first") from None
    except ValueError as error:
        raise InputError(f"{path}: this file is damaged: {error}; run the stage that writes it again") from None
    return found
