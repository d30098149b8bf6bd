"""The sections about learning that belong to no single network: hardware, pretrain, train, finetune, sweep."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from weldbench.config.base import OverridableSection, Section


class Hardware(Section):
    """Where the networks run; shared by pretrain, train, finetune, evaluate and sweep."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    devices: PositiveInt = Field(1, description="GPUs, or processes on a CPU, that share each batch")
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto: bf16 where the hardware has it")
    threads: PositiveInt = Field(2, description="CPU threads of one process; another count gives other bits")
    compile: bool = Field(False, description="compile the network on a GPU: a minute first, then faster steps")


class Augment(Section):
    """Random changes of training frames; 0 switches one off."""

    flip: bool = Field(True, description="mirror half of the frames left to right")
    rotation_degrees: NonNegativeFloat = 5
    scale: float = Field(0.1, ge=0, lt=1, description="relative, both ways")
    shift: NonNegativeFloat = Field(0.06, description="share of the frame's side, both ways")
    gain: float = Field(0.2, ge=0, lt=1, description="relative exposure, both ways")
    gamma: float = Field(0.2, ge=0, lt=1, description="exponent's distance from 1, both ways")
    noise: NonNegativeFloat = Field(0.01, description="standard deviation, in parts of the white level")
    erase_timestamp: bool = Field(
        True, description="blank the top left corner of half of the frames, where some runs carry a time stamp"
    )
    mix_amplitudes: float = Field(
        0.0, ge=0, le=1, description="largest share of another frame's Fourier amplitudes that a frame takes; 0: none"
    )


class Pretrain(Section):
    """How a backbone learns on an endless stream of simulated frames."""

    input_size_px: PositiveInt = 64
    steps: PositiveInt = 1200
    batch_size: PositiveInt = 32
    optimizer: Literal["sgd", "adamw"] = "adamw"
    learning_rate: PositiveFloat = 0.002
    workers: PositiveInt = Field(2, description="processes that render frames ahead of the training; no other bytes")
    seed: int = 0


class Train(Section):
    """The models that start from random weights, and what all trainings share."""

    models: list[str]
    augment: Augment
    tracker: Literal["none", "dvclive", "tensorboard"] = Field(
        "none", description="where each epoch's numbers go besides history.csv"
    )


class Finetune(Section):
    """The models that start from a pretrained backbone."""

    models: list[str]


class SweepOverride(Section):
    """What one dataset may change in the sweep."""

    epochs: Annotated[list[PositiveInt], Field(min_length=1)] = [1]
    input_size_px: PositiveInt | None = None
    init: Literal["imagenet", "scratch"] = "scratch"
    batch_size: PositiveInt = 1


class Sweep(OverridableSection):
    """The search over depth, training length and learning rate; every combination is trained once.

    What could favor one of the depths is the same for all.
    """

    models: Annotated[list[str], Field(min_length=1)] = ["resnet18", "resnet34", "resnet50"]
    epochs: Annotated[list[PositiveInt], Field(min_length=1)] = [10, 30]
    learning_rates: Annotated[list[PositiveFloat], Field(min_length=1)] = [0.006, 0.02]
    input_size_px: PositiveInt | None = Field(None, description="none: each model's own")
    init: Literal["imagenet", "scratch"] = "imagenet"
    optimizer: Literal["sgd", "adamw"] = "sgd"
    batch_size: PositiveInt = 32
    seed: int = Field(0, ge=0)
    per_dataset: dict[str, SweepOverride] = {}
