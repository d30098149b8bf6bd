"""The weights that a training starts from: random, learned on ImageNet, or learned on simulated frames."""

from functools import singledispatch
from pathlib import Path

import torch
from torch import nn

from weldbench.config.models import EfficientNetLite, Model, Pretrainable, TorchvisionModel
from weldbench.data.normalization import Normalization
from weldbench.errors import InputError
from weldbench.models import efficientnet_lite
from weldbench.models.architectures import build_network
from weldbench.models.files import read_network
from weldbench.models.published import sha256_fits_name
from weldbench.models.speed import made_fast
from weldbench.models.torchvision_models import fold_to_gray, pool_before_relu, replace_classes, torchvision_network

# The channel averages of ImageNet's means (0.485, 0.456, 0.406) and standard deviations (0.229, 0.224, 0.225): for
# gray frames they leave the first convolution's zero padding exact, which three different values would not.
IMAGENET = Normalization(mean=0.449, std=0.226)


def initial_network(
    settings: Model, classes: list[str], pretrained: Path | str | None, own: Normalization
) -> tuple[nn.Module, Normalization]:
    """Build the network that a training starts from; random weights come from torch's generator.

    A backbone that learned the same classes keeps its last layer; any other pretrained network gets a fresh one.

    Args:
        settings: Of the model; `init` says where the weights come from.
        classes: Of the dataset, one output each.
        pretrained: The backbone's file, for `init: simulated`.
        own: Normalization of the training frames, for random weights.

    Returns:
        The network, and the normalization that its input wants.

    Raises:
        InputError: The weights are not to be had, damaged, of another network, or not to be kept in part.
    """
    if not isinstance(settings, Pretrainable):
        return build_network(settings, len(classes)), own
    match settings.init:
        case "scratch":
            _refuse_pretrained_share(settings)
            return build_network(settings, len(classes)), own
        case "imagenet":
            _refuse_pretrained_share(settings)
            network, normalization = imagenet_network(settings)
            return made_fast(replace_classes(network, len(classes))), normalization
        case "simulated":
            return _simulated_network(settings, classes, pretrained)


@singledispatch
def imagenet_network(settings: Pretrainable) -> tuple[nn.Module, Normalization]:
    """Build a network with ImageNet weights for one gray channel and the 1,000 classes, and say what its input wants.

    A class of settings whose networks have such weights registers its function here.

    Raises:
        InputError: The weights are neither on this machine nor to be downloaded, or damaged.
    """
    raise InputError(
        f"params.yaml: models.{settings.name}.init is imagenet, but no ImageNet weights of this network are "
        "known; set it to simulated or scratch"
    )


@imagenet_network.register
def _efficientnet_lite(settings: EfficientNetLite) -> tuple[nn.Module, Normalization]:
    network = efficientnet_lite.imagenet_efficientnet_lite0(settings.name)
    network = efficientnet_lite.in_sizes_and_stages(fold_to_gray(network), settings, class_count=1000)
    return network, efficientnet_lite.NORMALIZATION


@imagenet_network.register
def _torchvision(settings: TorchvisionModel) -> tuple[nn.Module, Normalization]:
    network = torchvision_network(settings, class_count=1000)
    state = _imagenet_state(settings)
    if settings.architecture.startswith("vit_"):
        from torchvision.models.vision_transformer import interpolate_embeddings

        state = interpolate_embeddings(settings.input_size_px, network.patch_size, state)
    network.load_state_dict(state)
    return pool_before_relu(fold_to_gray(network)), IMAGENET


def _imagenet_state(settings: TorchvisionModel) -> dict[str, torch.Tensor]:
    from torchvision.models import get_model_weights

    weights = get_model_weights(settings.architecture).DEFAULT
    path = Path(torch.hub.get_dir(), "checkpoints", Path(weights.url).name)
    try:
        if path.is_file():
            _refuse_damaged(path, weights.url)
        state: dict[str, torch.Tensor] = weights.get_state_dict(
            check_hash=True, map_location="cpu", weights_only=True, progress=False
        )
        return state
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"the ImageNet weights of {settings.architecture} are not on this machine and could not be downloaded "
            f"({error}); put the file {path.name} into {path.parent} (the environment variable TORCH_HOME moves that "
            f"folder), or set models.{settings.name}.init in params.yaml to simulated or scratch"
        ) from None


def _refuse_damaged(path: Path, url: str) -> None:
    """Check a file of weights by its name, as torch.hub checks what it downloads, but not what is there already."""
    if not sha256_fits_name(path):
        raise InputError(
            f"{path}: the file is damaged, its sha256 does not begin with {path.stem.rsplit('-', 1)[1]}; "
            f"delete it, and it is downloaded again from {url}"
        )


def _simulated_network(
    settings: Pretrainable, classes: list[str], pretrained: Path | str | None
) -> tuple[nn.Module, Normalization]:
    name, architecture = settings.name, settings.architecture
    if pretrained is None:
        raise InputError(
            f"params.yaml: models.{name}.init is simulated, but no backbone was given; "
            f"make one with scripts/pretrain.py and name it with --pretrained"
        )
    state, info = read_network(pretrained)
    if info.settings.architecture != architecture:
        raise InputError(
            f"{pretrained}: this is a backbone of {info.settings.architecture}, and models.{name} is a {architecture}; "
            f"delete the file and make it again with scripts/pretrain.py --model {name}"
        )
    network = build_network(settings, len(info.classes))
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(f"{pretrained}: the backbone does not fit models.{name}: {error}") from None
    if info.classes != classes:
        _refuse_pretrained_share(settings)
        replace_classes(network, len(classes))
    return network, info.normalization


def _refuse_pretrained_share(settings: Model) -> None:
    if settings.pretrained_share > 0:
        raise InputError(
            f"params.yaml: models.{settings.name}.pretrained_share is {settings.pretrained_share}, but the "
            "last layer starts from random weights, of which no share is worth keeping; set it to 0, or init to "
            "simulated for a dataset that has the classes of weldsim in their order"
        )


def interpolate_weights(
    state: dict[str, torch.Tensor], other: dict[str, torch.Tensor], share: float
) -> dict[str, torch.Tensor]:
    """Return the weights on the straight line from `state` (share 0) to `other` (share 1); counts are those of `state`.

    As in Wortsman et al. 2022, "Robust fine-tuning of zero-shot models".

    Args:
        state: Named tensors of any shape.
        other: Of the same names and shapes.
        share: 0 to 1.
    """
    return {
        name: torch.lerp(tensor, other[name], share) if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
    }
