"""The section `models`: how each network is built and trained. A new architecture is one class here.

`models.architectures` has the function that builds it; a classifier of torchvision's needs its name in
`TorchvisionModel` alone. ImageNet weights of others than torchvision's have a function in `models.initialization`.
"""

from typing import Any, Literal, Self, get_args

from pydantic import Field, ModelWrapValidatorHandler, NonNegativeFloat, PositiveFloat, model_validator
from pydantic_core import PydanticKnownError

from weldbench.config.base import RENDERED_PX, Balance, Count, Override, Pixels, Section, UniqueList

Init = Literal["imagenet", "simulated", "scratch"]


class ModelOverride(Override):
    """What one dataset may change in a model: length, input size, starting weights, which frames it learns from.

    The optimizer and its learning rate go with the starting weights: what suits ImageNet's is too slow for others.
    """

    epochs: Count | None = Field(None, description="length of the training in epochs")
    min_steps: int | None = Field(None, ge=0, le=10_000_000, description="length of the training in steps, at least")
    batch_size: Count | None = Field(None, description="a small dataset needs smaller batches to make as many steps")
    input_size_px: Pixels | None = Field(None, description="height and width of the network's input in pixels")
    init: Init | None = Field(None, description="starting weights, of a network that can be pretrained")
    optimizer: Literal["sgd", "adamw"] | None = Field(None, description="sgd: with Nesterov's momentum")
    learning_rate: PositiveFloat | None = Field(None, description="the highest one of the schedule")
    simulated_frames: int | None = Field(None, ge=0, le=1_000_000, description="few real frames need simulated ones")
    other_sizes_px: list[Pixels] | None = Field(None, description="further sizes to see each frame in")
    feature_stages: int | None = Field(None, ge=1, le=3, description="stages that the last layer learns from")
    balance: Balance | None = Field(None, description="how the model makes up for rare classes of train")
    cap: Count | None = Field(None, description="frames per class to learn from at most, for balance: undersample")


ARCHITECTURES: dict[str, type["Model"]] = {}


class Model(Section):
    """How one network is built and trained.

    A subclass whose field `architecture` lists names registers itself for them: they are checked by it. The `name` is
    that of the entry of `models`, by which tables, files and messages call the model; several models may have one
    architecture.
    """

    name: str = Field(description="filled in from the key of the entry")
    architecture: str = Field(description="which network it is; if absent, the one that the entry is named after")
    input_size_px: Pixels = Field(description="height and width of the network's input in pixels")
    epochs: Count = Field(description="length of the training in epochs; after each one valid is scored")
    min_steps: int = Field(
        0,
        ge=0,
        le=10_000_000,
        description="length of the training in steps, at least: with few frames an epoch goes over them several times",
    )
    batch_size: Count = Field(32, description="frames per batch; at most a quarter of the frames, but 8")
    optimizer: Literal["sgd", "adamw"] = Field("sgd", description="sgd: with Nesterov's momentum")
    learning_rate: PositiveFloat = Field(description="the highest one of the schedule")
    momentum: float = Field(0.9, gt=0, lt=1, description="of sgd")
    weight_decay: NonNegativeFloat = Field(5e-4, description="of weights, not of biases and norms")
    schedule: Literal["constant", "cosine", "one_cycle", "soft_start"] = Field(
        "cosine", description="how the learning rate changes over the steps"
    )
    warmup: float = Field(0.1, ge=0, lt=1, description="share of all steps in which the learning rate rises")
    anneal_from: float = Field(0.7, gt=0, le=1, description="soft_start: share of all steps after which it decays")
    loss: Literal["cross_entropy", "focal"] = Field("cross_entropy", description="what training makes small")
    focal_gamma: NonNegativeFloat = Field(2.0, description="of the focal loss; 0 is cross entropy")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="probability that is spread over all classes; 0: none")
    class_weights: Literal["none", "balanced", "effective_number"] = Field(
        "none", description="how much more a frame of a rare class counts in the loss"
    )
    effective_beta: float = Field(0.999, ge=0, lt=1, description="of class_weights: effective_number")
    init: Init = Field("scratch", description="starting weights: random, learned on simulated frames or on ImageNet")
    freeze: str = Field("none", description="which layers do not learn")
    pretrained_share: float = Field(0.0, ge=0, lt=1, description="share of the starting weights in the result")
    sampler: Literal["shuffle", "balanced"] = Field(
        "shuffle", description="balanced: draw with replacement, every class equally often"
    )
    select: Literal["auto", "valid", "last"] = Field(
        "auto",
        description="weights that are kept: valid, of the best epoch by macro F1 there; last, of the last epoch; auto: "
        "valid where it holds every class, and most of them in 2 runs or more, else last",
    )
    patience: int = Field(
        0, ge=0, description="stop after so many epochs without a better macro F1, where valid selects; 0: never"
    )
    balance: Balance | None = Field(
        None, description="how the model makes up for rare classes of train; if absent, as section split says"
    )
    cap: Count | None = Field(
        None, description="frames per class to learn from at most, for balance: undersample; if absent, split.cap"
    )
    simulated_frames: int = Field(
        0, ge=0, le=1_000_000, description="simulated frames to learn from beside the real ones, of weldsim's classes"
    )
    simulated_weight: float = Field(0.5, gt=0, lt=1, description="share of the simulated frames in the total weight")
    augment_views: int = Field(
        8, ge=0, le=1000, description="changed views of each training frame, with freeze: backbone"
    )
    ema_decay: float = Field(0.0, ge=0, lt=1, description="of the moving average of the weights per step; 0: none")

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        names = get_args(cls.model_fields["architecture"].annotation)
        if taken := sorted(ARCHITECTURES.keys() & names):
            raise ValueError(f"{cls.__name__}: there is an architecture {taken[0]} already")
        ARCHITECTURES.update(dict.fromkeys(names, cls))

    @model_validator(mode="wrap")
    @classmethod
    def _checked_as_its_architecture(cls, given: Any, check: ModelWrapValidatorHandler[Self]) -> "Model":
        if not isinstance(given, dict):
            return check(given)
        architecture = given.get("architecture")
        named = {"name": architecture, **given}
        if cls is not Model:
            return check(named)
        if not isinstance(architecture, str) or architecture not in ARCHITECTURES:
            known = ", ".join(f"'{known}'" for known in ARCHITECTURES)
            context = {"discriminator": "'architecture'", "tag": str(architecture), "expected_tags": known}
            raise PydanticKnownError("union_tag_invalid", context)
        return ARCHITECTURES[architecture].model_validate(named)

    @model_validator(mode="after")
    def _rare_classes_are_raised_once(self) -> Self:
        if self.sampler == "balanced" and self.class_weights != "none":
            raise ValueError(
                "sampler: balanced and class_weights both raise rare classes; set one of them to its default"
            )
        return self

    @model_validator(mode="after")
    def _simulated_frames_can_be_rendered(self) -> Self:
        if self.simulated_frames and self.input_size_px < RENDERED_PX:
            raise ValueError(
                f"simulated_frames: none is rendered below {RENDERED_PX} pixels, and input_size_px is "
                f"{self.input_size_px}; set it to 0, or raise input_size_px"
            )
        return self


class FromScratch(Model):
    """A network that always starts from random weights, all of which learn."""

    init: Literal["scratch"] = Field("scratch", description="starting weights: random")
    freeze: Literal["none"] = Field("none", description="which layers do not learn: none")
    pretrained_share: float = Field(0.0, ge=0, le=0, description="share of the starting weights in the result: none")


class FullCon6(FromScratch):
    """Two hidden layers, fully connected."""

    architecture: Literal["full_con6"]
    hidden: list[Count] = Field([256, 128], description="neurons of each hidden layer")


class Conv6(FromScratch):
    """Convolutions, each followed by max pooling, then one hidden layer."""

    architecture: Literal["conv6"]
    channels: list[Count] = Field([16, 32, 64], min_length=1, description="channels of each convolution")
    kernel_size: Pixels = Field(5, description="height and width of a kernel in pixels")
    pool_size: Pixels = Field(2, description="height and width in pixels of what max pooling makes one")
    hidden: Count = Field(256, description="neurons of the hidden layer")


class Pretrainable(Model):
    """A network that may start from learned weights."""

    init: Init = Field("simulated", description="starting weights: learned on ImageNet, on simulated frames, or random")
    freeze: str = Field(
        "none",
        pattern=r"^(none|backbone|until [\w.]+)$",
        description="none, backbone (only the last layer learns, on features computed once), or `until <layer>`, "
        "inclusive",
    )
    pretrained_share: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="of the starting weights in the result, with init: simulated and the same classes; half of them "
        "helps on other runs than the few to learn from",
    )

    @model_validator(mode="after")
    def _only_learnt_weights_are_frozen(self) -> Self:
        if self.freeze != "none" and self.init == "scratch":
            raise ValueError("freeze: with init: scratch there is nothing learned to keep; set freeze: none")
        return self

    @model_validator(mode="after")
    def _a_last_layer_alone_is_fitted_in_one_way(self) -> Self:
        if self.freeze != "backbone":
            return self
        for key in ("loss", "label_smoothing", "sampler", "pretrained_share", "ema_decay", "select", "patience"):
            value = getattr(self, key)
            if value != Model.model_fields[key].default:
                raise ValueError(
                    f"{key}: {value} changes nothing with freeze: backbone, where the last layer is fitted by logistic "
                    "regression; delete this line, or freeze other layers"
                )
        return self


class TorchvisionModel(Pretrainable):
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


class EfficientNetLite(Pretrainable):
    """EfficientNet without what small processors lack; its ImageNet weights come with an installed package."""

    architecture: Literal["efficientnet_lite0"]
    init: Init = Field("imagenet", description="starting weights: learned on ImageNet, on simulated frames, or random")
    epochs: Count = Field(30, description="length of the training in epochs; a frozen backbone needs none")
    learning_rate: PositiveFloat = Field(3e-4, description="the highest one of the schedule")
    optimizer: Literal["sgd", "adamw"] = Field("adamw", description="sgd: with Nesterov's momentum")
    other_sizes_px: UniqueList[Pixels] = Field(
        [], description="further sizes that each frame is seen in; the last layer learns from the features of all"
    )
    feature_stages: int = Field(1, ge=1, le=3, description="how many of the last stages the last layer learns from")

    @model_validator(mode="after")
    def _other_sizes_are_smaller(self) -> Self:
        if any(size_px >= self.input_size_px for size_px in self.other_sizes_px):
            raise ValueError(
                f"other_sizes_px: each of {self.other_sizes_px} has to be smaller than input_size_px, "
                f"{self.input_size_px}"
            )
        return self

    @model_validator(mode="after")
    def _a_simulated_backbone_sees_one_size(self) -> Self:
        if self.init == "simulated" and (self.other_sizes_px or self.feature_stages > 1):
            raise ValueError(
                "init: a backbone that learned on simulated frames has one size and one stage; set other_sizes_px to "
                "[] and feature_stages to 1, or init to imagenet"
            )
        return self
