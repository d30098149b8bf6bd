"""What every section of params.yaml shares: strict types, no unknown keys, no change after reading."""

from collections.abc import Hashable
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

SplitName = Literal["train", "valid", "test"]
Balance = Literal["none", "undersample", "oversample", "class_weights"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)  # in the order in which they are listed everywhere


class Section(BaseModel):
    """A part of params.yaml; an unknown key is an error, and so is "5" or 5.0 or true where 5 is meant."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Override(Section):
    """The values of a section that one dataset may change; None where it leaves the section's own."""

    @model_validator(mode="before")
    @classmethod
    def _null_overrides_nothing(cls, raw: Any) -> Any:
        if isinstance(raw, dict):
            for key, value in raw.items():
                if value is None:
                    raise ValueError(f"{key}: null overrides nothing; delete the key, or give it a value")
        return raw

    def over(self, section: Section) -> dict[str, Any]:
        """Return the values of a section, with these in place of its own; not checked yet."""
        return section.model_dump() | self.model_dump(exclude_none=True)


Item = TypeVar("Item", bound=Hashable)


def _without_repetition(items: list[Item]) -> list[Item]:
    if len(set(items)) < len(items):
        raise ValueError("each value may be listed once")
    return items


UniqueList = Annotated[list[Item], AfterValidator(_without_repetition)]
NonEmptyList = Annotated[list[Item], Field(min_length=1), AfterValidator(_without_repetition)]

# torch and numpy take larger seeds in part only, so the range is that of 32 bits everywhere.
LARGEST_SEED = 2**32 - 1
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED, description="seed of a random stream")]

# Counts are bounded so that a slip of the finger is told at once and not as a full memory hours later.
Count = Annotated[int, Field(gt=0, le=10_000_000)]
Pixels = Annotated[int, Field(gt=0, le=4096)]
RENDERED_PX = 8  # the least that is rendered, in either direction
RenderedPixels = Annotated[int, Field(ge=RENDERED_PX, le=4096)]
Processes = Annotated[int, Field(gt=0, le=1024)]
Share = Annotated[float, Field(gt=0, lt=1)]
