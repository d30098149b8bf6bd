"""The sections about learning that belong to no single network: hardware, pretrain, train, finetune, sweep."""

from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat

from weldbench.config.base import (
    Count,
    NonEmptyList,
    Override,
    Pixels,
    Processes,
    RenderedPixels,
    Section,
    Seed,
    UniqueList,
)


class Hardware(Section):
    """Where the networks run; shared by pretrain, train, finetune, evaluate and sweep."""

    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="auto: a GPU where there is one")
    devices: Processes = Field(1, description="GPUs, or processes on a CPU, that share each batch")
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto: bf16 where the hardware has it")
    threads: Processes = Field(2, description="CPU threads of one process; another count gives other bits")
    compile: bool = Field(False, description="compile the network: a minute first, then faster steps on a GPU")
    cuda_graph: bool = Field(True, description="record a step on a GPU and replay it: same bits, faster")


class Augment(Section):
    """Random changes of training frames; 0 switches one off."""

    flip: bool = Field(True, description="mirror half of the frames left to right")
    rotation_degrees: float = Field(5, ge=0, le=180, description="largest angle in degrees, both ways")
    scale: float = Field(0.1, ge=0, lt=1, description="relative, both ways")
    shift: float = Field(0.06, ge=0, le=1, description="share of the frame's side, both ways")
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

    input_size_px: RenderedPixels = Field(
        64, description="height and width in pixels of the frames that it learns from"
    )
    steps: Count = Field(1200, description="batches that it learns from")
    batch_size: Count = Field(32, description="frames per batch")
    optimizer: Literal["sgd", "adamw"] = Field("adamw", description="sgd: with Nesterov's momentum")
    learning_rate: PositiveFloat = Field(0.002, description="the highest one of the schedule")
    workers: int = Field(
        0, ge=0, le=1024, description="processes that render frames ahead of the training; 0 means one per core"
    )
    seed: Seed = Field(0, description="seed of the frames and of the starting weights")


class Train(Section):
    """The models that start from random weights, and what all trainings share."""

    models: UniqueList[str] = Field(description="names of the models that start from random weights")
    augment: Augment = Field(description="random changes of the training frames of all models")
    tracker: Literal["none", "dvclive", "tensorboard"] = Field(
        "none", description="where each epoch's numbers go besides history.csv"
    )


class Finetune(Section):
    """The models that start from a pretrained backbone."""

    models: UniqueList[str] = Field(description="names of the models that start from a pretrained backbone")


class Features(Section):
    """The models with a frozen backbone, whose features are computed once for all trainings."""

    models: UniqueList[str] = Field(description="names of the models with `freeze: backbone`, from ImageNet's weights")


class SweepOverride(Override):
    """What one dataset may change in the sweep."""

    epochs: NonEmptyList[Count] | None = Field(None, description="lengths of a training in epochs")
    input_size_px: Pixels | None = Field(None, description="height and width in pixels of the frames of all models")
    init: Literal["imagenet", "scratch"] | None = Field(None, description="starting weights of all models")
    batch_size: Count | None = Field(None, description="frames per batch")


class Sweep(Section):
    """The search over depth, training length and learning rate; every combination is trained once.

    What could favor one of the depths is the same for all.
    """

    models: NonEmptyList[str] = Field(["resnet18", "resnet34", "resnet50"], description="names of the models to train")
    epochs: NonEmptyList[Count] = Field([10, 30], description="lengths of a training in epochs")
    learning_rates: NonEmptyList[PositiveFloat] = Field([0.006, 0.02], description="highest rates of the schedule")
    input_size_px: Pixels | None = Field(None, description="height and width in pixels; none: each model's own")
    init: Literal["imagenet", "scratch"] = Field("imagenet", description="starting weights of all models")
    optimizer: Literal["sgd", "adamw"] = Field("sgd", description="of all models")
    batch_size: Count = Field(32, description="frames per batch")
    seed: Seed = Field(0, description="seed of the trainings")
