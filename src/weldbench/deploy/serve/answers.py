"""What the server answers, field by field; the description at /docs is made from it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Decision = Literal["good", "defect", "unknown"]


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
    probabilities: dict[str, float] = Field(description="Of each class, as the network says them; they sum to 1.")
    calibrated: dict[str, float] | None = Field(
        description="The same, calibrated on valid: how often such a class is right. null where valid had no frame."
    )
    defect_score: float | None = Field(description="1 - P(good); null without a good class.")
    novelty: float | None = Field(
        description="How little the frame is like those that the model learned from; null where the export cannot tell."
    )
    decision: Decision = Field(
        description="unknown where the novelty is above its threshold; else defect where the defect score is above the "
        "threshold; without a threshold, by the class."
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
    weld: Literal["passed", "rejected"] | None = Field(
        description="rejected if the vote said anything but good at any frame; null where no frame could be read."
    )
    drift: str | None = Field(
        None, description="Where this weld shows that the camera or the process has changed; it is said once."
    )


class PromiseAnswer(BaseModel):
    """What is promised about escapes, for welds whose frames are sent as one batch."""

    vote_frames: int
    escape: float = Field(description="At most this share of defective welds escapes.")
    wanted_escape: float
    confidence: float
    choices: int = Field(description="Promises that hold together with this confidence.")
    threshold: float
    defective: int = Field(description="Defective welds of test, which set the threshold.")
    escaped: int
    escapes_allowed: int
    good: int = Field(description="Good welds of test.")
    falsely_rejected: int
    falsely_rejected_low: float | None
    falsely_rejected_high: float | None
    runs_needed: int
    runtimes: list[str]
    sentences: str = Field(description="The promise in words.")
    conditions: str = Field(description="When it holds.")


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
    promise: PromiseAnswer | None = Field(description="null without --promise.")
    temperature: float | None = Field(description="Makes the calibrated probabilities; null where there are none.")
    novelty_threshold: float | None = Field(description="A frame is unknown above it; null where none can be.")
    drift: str = Field(
        description="What the drift check found in the batches so far, in their order of arrival, or why there is none."
    )
    drift_changed: bool = Field(description="Whether camera or process are not as in training now.")
    frame_size_px: int
    input_size_px: int
    lineage: dict[str, Any] = Field(description="What the model was made from.")
    limits: dict[str, float] = Field(description="What this server accepts.")


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str
