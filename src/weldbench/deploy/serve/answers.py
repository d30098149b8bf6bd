"""What the server answers, field by field; the description at /docs is made from it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Decision = Literal["good", "defect"]


class View(BaseModel):
    """What the page shows of a frame; both are PNG in base64."""

    frame: str = Field(description="The frame in gray, at most 960 pixels wide.")
    heat_map: str | None = Field(
        description="What drove the class: 0 nothing, 255 most; much coarser than the frame. "
        "null where the network has no map."
    )


class FrameAnswer(BaseModel):
    """The verdict on one frame."""

    model_config = ConfigDict(populate_by_name=True)

    name: str | None = Field(description="The name that the client gave to the picture.")
    width_px: int = Field(description="As the model was given it.")
    height_px: int
    class_name: str = Field(alias="class", description="The class of the highest probability.")
    probabilities: dict[str, float] = Field(description="Of each class; they sum to 1.")
    defect_score: float | None = Field(description="1 - P(good); null without a good class.")
    decision: Decision = Field(
        description="defect where the defect score is above the threshold; without a threshold, by the class."
    )
    view: View | None = Field(None, description="Only where it was asked for.")


class BatchFrame(BaseModel):
    """One frame of a batch: a verdict or an error."""

    name: str | None
    verdict: FrameAnswer | None = None
    vote: Decision | None = Field(None, description="What most of the last frames say, this one included.")
    error: str | None = Field(None, description="Why there is no verdict; such a frame does not vote.")


class BatchAnswer(BaseModel):
    """Verdicts on the frames of one run, in the order in which they were sent."""

    frames: list[BatchFrame]


class ModelAnswer(BaseModel):
    """Which model decides, and how."""

    model: str
    dataset: str = Field(description="That it was trained on.")
    classes: list[str] = Field(description="In label order.")
    good_class: str | None = Field(description="null where every class is a defect.")
    false_rejects: float | None = Field(
        description="Share of good frames that may be rejected; null without a threshold."
    )
    threshold: float | None = Field(
        description="A frame is a defect where 1 - P(good) is above it; null where the most probable class decides."
    )
    vote_frames: int = Field(description="Window of the vote.")
    frame_size_px: int
    input_size_px: int
    lineage: dict[str, Any] = Field(description="What the model was made from.")
    limits: dict[str, float] = Field(description="What this server accepts.")


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str
