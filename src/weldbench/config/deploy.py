"""The section `export`: which trained models become files that a factory can run."""

from pydantic import Field, field_validator

from weldbench.config.base import Count, Section, UniqueList


class Export(Section):
    """What is exported, and how exports decide; their thresholds are those for compare.false_reject_rates."""

    models: UniqueList[str] = Field(description="names of the models to export, each with its best seed on valid")
    vote_frames: Count = Field(15, description="window in frames of the majority vote over a film; odd")
    unknown_share: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="share of good welds that may have a frame called unknown: it looks like nothing that was learned",
    )

    @field_validator("vote_frames")
    @classmethod
    def _odd(cls, length: int) -> int:
        if length % 2 == 0:
            raise ValueError("the length has to be odd, so that no vote ties")
        return length
