"""The networks by their settings: one gray channel in, one logit per class out."""

from functools import singledispatch
from itertools import pairwise

from torch import nn

from weldbench.config import models as config
from weldbench.errors import InputError
from weldbench.models.efficientnet_lite import efficientnet_lite0, in_sizes_and_stages
from weldbench.models.speed import made_fast
from weldbench.models.torchvision_models import fold_to_gray, gray_torchvision_network


def build_network(settings: config.Model, class_count: int) -> nn.Module:
    """Build a network with random weights, drawn from torch's generator.

    It takes float32 of shape (N, 1, S, S), S being `input_size_px`, and gives logits of shape (N, class_count).

    Raises:
        InputError: The input size does not fit the network.

    Example:
        >>> import torch
        >>> settings = config.FullCon6(architecture="full_con6", input_size_px=8, epochs=1, learning_rate=0.01)
        >>> build_network(settings, class_count=6)(torch.zeros(2, 1, 8, 8)).shape
        torch.Size([2, 6])
    """
    return made_fast(network_of(settings, class_count))


@singledispatch
def network_of(settings: config.Model, class_count: int) -> nn.Module:
    """Build the network of a class of settings: a new one registers its function here by the type of `settings`."""
    raise NotImplementedError(f"{type(settings).__name__}: no function builds it; register one in architectures.py")


@network_of.register
def _torchvision(settings: config.TorchvisionModel, class_count: int) -> nn.Module:
    return gray_torchvision_network(settings, class_count)


@network_of.register
def _efficientnet_lite(settings: config.EfficientNetLite, class_count: int) -> nn.Module:
    return in_sizes_and_stages(fold_to_gray(efficientnet_lite0(class_count)), settings, class_count)


@network_of.register
def _full_con6(settings: config.FullCon6, class_count: int) -> nn.Module:
    widths = [settings.input_size_px**2, *settings.hidden]
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], class_count))


@network_of.register
def _conv6(settings: config.Conv6, class_count: int) -> nn.Module:
    layers: list[nn.Module] = []
    side = settings.input_size_px
    for inputs, outputs in pairwise([1, *settings.channels]):
        layers += [
            nn.Conv2d(inputs, outputs, settings.kernel_size, padding=settings.kernel_size // 2),
            # Behind the pooling ReLU gives the same values and gradients as before it, from a fraction of the pixels.
            nn.MaxPool2d(settings.pool_size),
            nn.ReLU(inplace=True),
        ]
        side = (side + 2 * (settings.kernel_size // 2) - settings.kernel_size + 1) // settings.pool_size
    if side < 1:
        raise InputError(
            f"params.yaml: models.{settings.name}.input_size_px is {settings.input_size_px}, too small for "
            f"{len(settings.channels)} poolings by {settings.pool_size}; raise it, or lower pool_size"
        )
    features = settings.channels[-1] * side**2
    return nn.Sequential(
        *layers,
        nn.Flatten(),
        nn.Linear(features, settings.hidden),
        nn.ReLU(),
        nn.Linear(settings.hidden, class_count),
    )
