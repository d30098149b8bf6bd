"""What every section of params.yaml shares: no unknown keys, no change after reading, overrides for one dataset."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of params.yaml; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OverridableSection(Section):
    """A section whose field `per_dataset` maps a dataset's name to the few values that it changes there."""

    per_dataset: Mapping[str, Section] = {}

    def for_dataset(self, dataset: str) -> Self:
        """Return this section as it holds for one dataset."""
        override = self.per_dataset.get(dataset)
        if override is None:
            return self
        return self.model_copy(update=override.model_dump(exclude_unset=True))
