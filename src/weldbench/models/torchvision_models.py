"""Networks of torchvision's zoo, adapted to one gray channel and to the classes at hand."""

from typing import Any

import torch
from torch import nn

from weldbench.config.models import TorchvisionModel
from weldbench.errors import InputError


def head_name(network: nn.Module) -> str:
    """Return the name of the head of a network: the last of its parts that has weights."""
    return [name for name, part in network.named_children() if any(True for _ in part.parameters())][-1]


def fold_to_gray(network: nn.Module) -> nn.Module:
    """Give a network of three equal input channels one channel instead, with the same outputs, at the border too.

    Every kernel of the first convolution becomes its sum over the input channels. This is exact where all three
    channels hold the same values, and so are normalized with one mean and standard deviation.
    """
    name, first = next((n, m) for n, m in network.named_modules() if isinstance(m, nn.Conv2d))
    gray = _convolution_like(first, 1, first.out_channels)
    gray.load_state_dict({**first.state_dict(), "weight": first.weight.sum(dim=1, keepdim=True)})
    network.set_submodule(name, gray)
    return network


def pool_before_relu(network: nn.Module) -> nn.Module:
    """Move the ReLU of a ResNet's stem behind its pooling; other networks stay as they are.

    The largest of all ReLUs has a quarter of the pixels left, and gives the same outputs and gradients.
    """
    from torchvision.models import ResNet

    if isinstance(network, ResNet):
        network.maxpool = nn.Sequential(network.maxpool, network.relu)
        network.relu = nn.Identity()
    return network


def replace_classes(network: nn.Module, class_count: int) -> nn.Module:
    """Put a fresh last layer with `class_count` outputs on a network: linear, or a convolution as there."""
    name, last = [(n, m) for n, m in network.named_modules() if isinstance(m, nn.Linear | nn.Conv2d)][-1]
    if isinstance(last, nn.Linear):
        fresh: nn.Module = nn.Linear(last.in_features, class_count)
    else:
        fresh = _convolution_like(last, last.in_channels, class_count)
    network.set_submodule(name, fresh)
    return network


def gray_torchvision_network(settings: TorchvisionModel, class_count: int) -> nn.Module:
    """Build a network of torchvision's zoo for one gray channel, with random weights, and try its input size.

    Raises:
        InputError: The input size does not fit the network.
    """
    network = pool_before_relu(fold_to_gray(torchvision_network(settings, class_count)))
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, 1, settings.input_size_px, settings.input_size_px))
    except RuntimeError as error:
        raise InputError(
            f"params.yaml: models.{settings.name}.input_size_px is {settings.input_size_px}, "
            f"which does not fit that network: {error}"
        ) from None
    return network.train()


def torchvision_network(settings: TorchvisionModel, class_count: int) -> nn.Module:
    """Build a network of torchvision's zoo as it is there, with three input channels and random weights.

    Raises:
        InputError: The input size does not fit the network.
    """
    from torchvision.models import get_model

    sized = {}
    if settings.architecture.startswith("vit_"):
        patch_px = int(settings.architecture.rsplit("_", 1)[1])
        if settings.input_size_px % patch_px:
            raise InputError(
                f"params.yaml: models.{settings.name}.input_size_px is {settings.input_size_px}; "
                f"it must be a multiple of {patch_px}"
            )
        sized = {"image_size": settings.input_size_px}
    network: nn.Module = get_model(settings.architecture, num_classes=class_count, **sized)
    return network


def _convolution_like(other: nn.Conv2d, in_channels: int, out_channels: int) -> nn.Conv2d:
    """Make a convolution of the same kind, with random weights, that differs from another in its channels alone."""
    form: dict[str, Any] = {key: getattr(other, key) for key in ("kernel_size", "stride", "padding", "dilation")}
    return type(other)(in_channels, out_channels, bias=other.bias is not None, **form)
