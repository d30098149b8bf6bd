"""The sections about evidence: compare and report."""

from typing import Annotated

from pydantic import Field, field_validator

from weldbench.config.base import Count, NonEmptyList, Override, Section, Seed, Share

TrainShare = Annotated[float, Field(gt=0, le=1)]


class CompareOverride(Override):
    """What one dataset may change in compare."""

    balanced_cap: Count | None = Field(None, description="frames per class, at most, in the balanced subset of test")


class Compare(Section):
    """What the comparison holds and how its uncertainty is computed."""

    models: NonEmptyList[str] = Field(description="names of the models to compare, in the order of the tables")
    bootstrap_draws: Annotated[int, Field(gt=0, le=1_000_000)] = Field(
        10_000, description="resamples of the test runs behind every interval"
    )
    confidence: Share = Field(0.95, description="probability that an interval holds the value, as a share of 1")
    false_reject_rates: NonEmptyList[Share] = Field(
        [0.001, 0.01, 0.05], description="shares of good frames that a factory may reject"
    )
    vote_frames: NonEmptyList[Count] = Field(
        [1, 5, 15, 31], description="lengths in frames of the window of a majority vote; odd, so that none ties"
    )
    balanced_cap: Count = Field(770, description="frames per class, at most, in the balanced subset of test")
    escape_rate: Share = Field(
        0.05, description="share of defective welds that may escape, for the threshold that promises it"
    )
    train_shares: NonEmptyList[TrainShare] = Field(
        [0.125, 0.25, 0.5, 1.0],
        description="shares of the training runs that the models learn from, for `snakemake learning_curve` alone",
    )
    seed: Seed = Field(0, description="seed of the resamples")

    @field_validator("vote_frames")
    @classmethod
    def _odd(cls, lengths: list[int]) -> list[int]:
        if any(length % 2 == 0 for length in lengths):
            raise ValueError("every length has to be odd")
        return lengths


class Robustness(Section):
    """How models are tried on test frames of another lamp or another camera, for `snakemake robustness` alone."""

    frames_per_run: Count = Field(8, description="test frames of each run that are changed, at most, spread over it")


class Report(Section):
    """How the report looks."""

    title: str = Field("Which weld-defect classifier can be trusted?", description="heading of the report")
