"""The sections about learning: hardware, pretrain, models, train, finetune."""

from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from weldbench.config.base import OverridableSection, Section


class Hardware(Section):
    """Where the networks run; shared by pretrain, train, finetune and evaluate."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto: bf16 where the hardware has it")
    threads: PositiveInt = Field(2, description="CPU threads of one training; another count gives other bits")


class Augment(Section):
    """Random changes of training frames; 0 switches one off."""

    flip: bool = Field(True, description="mirror half of the frames left to right")
    rotation_degrees: NonNegativeFloat = 5
    scale: NonNegativeFloat = Field(0.1, description="relative, both ways")
    shift: NonNegativeFloat = Field(0.06, description="share of the frame's side, both ways")
    gain: NonNegativeFloat = Field(0.2, description="relative exposure, both ways")
    gamma: NonNegativeFloat = Field(0.2, description="exponent's distance from 1, both ways")
    noise: NonNegativeFloat = Field(0.01, description="standard deviation, in parts of the white level")
    erase_timestamp: bool = Field(True, description="blank the top left corner, where some runs carry a time stamp")


class ModelOverride(Section):
    """What one dataset may change in a model: the training length, the input size and the starting weights."""

    epochs: PositiveInt = 1
    input_size_px: PositiveInt = 1
    init: Literal["imagenet", "simulated", "scratch"] = "scratch"


class Model(OverridableSection):
    """How one network is built and trained; its key in `models` is its architecture."""

    architecture: str = Field(description="filled in from the key")
    input_size_px: PositiveInt
    epochs: PositiveInt
    batch_size: PositiveInt = 32
    optimizer: Literal["sgd", "adamw"] = "sgd"
    learning_rate: PositiveFloat
    momentum: NonNegativeFloat = 0.9
    weight_decay: NonNegativeFloat = 5e-4
    schedule: Literal["constant", "cosine", "one_cycle", "soft_start"] = "cosine"
    warmup: float = Field(0.1, ge=0, lt=1, description="share of all steps in which the learning rate rises")
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    per_dataset: dict[str, ModelOverride] = {}


class FullCon6(Model):
    """Two hidden layers, fully connected."""

    architecture: Literal["full_con6"]
    hidden: list[PositiveInt] = [256, 128]


class Conv6(Model):
    """Three convolutions, each followed by max pooling, then one hidden layer."""

    architecture: Literal["conv6"]
    channels: list[PositiveInt] = [16, 32, 64]
    kernel_size: PositiveInt = 5
    pool_size: PositiveInt = 2
    hidden: PositiveInt = 256


class TorchvisionModel(Model):
    """A classifier of torchvision's zoo, by its name."""

    architecture: Literal[
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet152",
        "resnext50_32x4d",
        "resnext101_32x8d",
        "resnext101_64x4d",
        "wide_resnet50_2",
        "wide_resnet101_2",
        "densenet169",
        "efficientnet_b0",
        "mobilenet_v3_small",
        "convnext_tiny",
        "vit_b_16",
    ]
    init: Literal["imagenet", "simulated", "scratch"] = "simulated"


class Pretrain(Section):
    """How a backbone learns on simulated frames."""

    models: list[str] = ["resnet18"]
    input_size_px: PositiveInt = 96
    steps: PositiveInt = 400
    batch_size: PositiveInt = 32
    learning_rate: PositiveFloat = 0.02
    seed: int = 0


class Train(Section):
    """The models that start from random weights, and what all trainings share."""

    models: list[str] = ["full_con6", "conv6"]
    augment: Augment = Augment()


class Finetune(Section):
    """The models that start from a pretrained backbone."""

    models: list[str] = ["resnet18"]
