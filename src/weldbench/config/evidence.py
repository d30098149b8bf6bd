"""The sections about evidence: compare and report."""

from typing import Annotated

from pydantic import Field, PositiveInt, field_validator

from weldbench.config.base import OverridableSection, Section

Share = Annotated[float, Field(gt=0, lt=1)]


class CompareOverride(Section):
    """What one dataset may change in compare."""

    balanced_cap: PositiveInt


class Compare(OverridableSection):
    """What the comparison holds and how its uncertainty is computed."""

    models: list[str] = Field(min_length=1)
    bootstrap_draws: PositiveInt = Field(10_000, description="resamples of the test runs behind every interval")
    confidence: Share = 0.95
    false_reject_rates: list[Share] = Field(
        [0.001, 0.01, 0.05], min_length=1, description="shares of good frames that a factory may reject"
    )
    vote_frames: list[PositiveInt] = Field(
        [1, 5, 15, 31], min_length=1, description="lengths of the window of a majority vote; odd, so that none ties"
    )
    balanced_cap: PositiveInt = Field(770, description="frames per class, at most, in the balanced subset of test")
    seed: int = Field(0, description="of the resamples")
    per_dataset: dict[str, CompareOverride] = Field(default_factory=dict)

    @field_validator("vote_frames")
    @classmethod
    def _odd(cls, lengths: list[int]) -> list[int]:
        if any(length % 2 == 0 for length in lengths):
            raise ValueError("every length has to be odd")
        return lengths


class Report(Section):
    """How the report looks."""

    title: str = "Which weld-defect classifier can be trusted?"
