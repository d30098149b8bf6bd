"""The networks by name: one gray channel in, one logit per class out; and their files."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter
from torch import nn

from weldbench.augment import Normalisation
from weldbench.config.models import Conv6, FullCon6, Model, TorchvisionModel
from weldbench.errors import InputError
from weldbench.tensors import read_tensors, write_tensors

_HEADS = ("fc", "classifier", "heads")  # what torchvision calls the part behind the backbone


@dataclass(frozen=True)
class TrainedInfo:
    """What a model's file says about it.

    Attributes:
        settings: How it was built and trained.
        classes: Names in label order.
        normalisation: What its input wants.
        dataset: Name of the dataset, or `simulated` for a backbone.
        fold: Of the dataset; None where the split has none.
        seed: Of the training.
    """

    settings: Model
    classes: list[str]
    normalisation: Normalisation
    dataset: str
    fold: int | None
    seed: int


def build_network(settings: Model, class_count: int) -> nn.Module:
    """Build a network with random weights, drawn from torch's generator.

    It takes float32 of shape (N, 1, S, S), S being `input_size_px`, and gives logits of shape (N, class_count).

    Raises:
        InputError: The input size does not fit the network.
    """
    if isinstance(settings, FullCon6):
        return _full_con6(settings, class_count)
    network = _conv6(settings, class_count) if isinstance(settings, Conv6) else _torchvision(settings, class_count)
    return network.to(memory_format=torch.channels_last)


def head_name(network: nn.Module) -> str:
    """Return the name of the part of a torchvision network that stands behind its backbone."""
    return next(name for name in _HEADS if hasattr(network, name))


def fold_to_gray(network: nn.Module) -> nn.Module:
    """Give a network of three equal input channels one channel instead, with the same outputs, at the border too.

    Every kernel of the first convolution becomes its sum over the input channels. This is exact where all three
    channels hold the same values, and so are normalised with one mean and deviation.
    """
    name, first = next((n, m) for n, m in network.named_modules() if isinstance(m, nn.Conv2d))
    gray = nn.Conv2d(
        1,
        first.out_channels,
        first.kernel_size,
        first.stride,
        first.padding,
        first.dilation,
        bias=first.bias is not None,
    )
    with torch.no_grad():
        gray.weight.copy_(first.weight.sum(dim=1, keepdim=True))
        if first.bias is not None:
            gray.bias.copy_(first.bias)
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
    """Put a fresh last layer with `class_count` outputs on a torchvision network."""
    name, last = [(n, m) for n, m in network.named_modules() if isinstance(m, nn.Linear)][-1]
    network.set_submodule(name, nn.Linear(last.in_features, class_count))
    return network


def between(state: dict[str, torch.Tensor], other: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """Return the weights on the straight line from `state` (share 0) to `other` (share 1); counts are those of `state`.

    As in Wortsman et al. 2022, "Robust fine-tuning of zero-shot models".
    """
    return {
        name: torch.lerp(tensor, other[name], share) if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
    }


def save_network(path: Path | str, state: dict[str, torch.Tensor], info: TrainedInfo) -> None:
    """Write weights as safetensors, with all that is needed to use them as their note."""
    facts = {
        "model": info.settings.architecture,
        "settings": info.settings.model_dump(exclude={"per_dataset"}),
        "classes": info.classes,
        "mean": info.normalisation.mean,
        "std": info.normalisation.std,
        "dataset": info.dataset,
        "fold": info.fold,
        "seed": info.seed,
    }
    write_tensors(path, state, facts)


def load_trained(path: Path | str) -> tuple[nn.Module, TrainedInfo]:
    """Read a trained network, on the CPU and in evaluation mode.

    Raises:
        InputError: The file is missing, damaged, or not one of ours.
    """
    state, info = read_network(path)
    network = build_network(info.settings, len(info.classes))
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(f"{path}: the weights do not fit the network: {error}; train it again") from None
    return network.eval(), info


def read_network(path: Path | str) -> tuple[dict[str, torch.Tensor], TrainedInfo]:
    """Read the weights and the facts of a model's file.

    Raises:
        InputError: The file is missing, damaged, or not one of ours.
    """
    try:
        state, facts = read_tensors(path)
        return state, _info(facts)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; train that model first") from None
    except (KeyError, ValueError, OSError) as error:
        raise InputError(f"{path}: this is no model of weldbench, or it is damaged: {error}; train it again") from None


def _info(facts: dict[str, Any]) -> TrainedInfo:
    return TrainedInfo(
        settings=TypeAdapter(Model).validate_python(facts["settings"]),
        classes=facts["classes"],
        normalisation=Normalisation(facts["mean"], facts["std"]),
        dataset=facts["dataset"],
        fold=facts["fold"],
        seed=facts["seed"],
    )


def _full_con6(settings: FullCon6, class_count: int) -> nn.Module:
    widths = [settings.input_size_px**2, *settings.hidden]
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], class_count))


def _conv6(settings: Conv6, class_count: int) -> nn.Module:
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
            f"params.yaml: models.conv6.input_size_px is {settings.input_size_px}, too small for "
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


def _torchvision(settings: TorchvisionModel, class_count: int) -> nn.Module:
    network = pool_before_relu(fold_to_gray(torchvision_network(settings, class_count)))
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, 1, settings.input_size_px, settings.input_size_px))
    except RuntimeError as error:
        raise InputError(
            f"params.yaml: models.{settings.architecture}.input_size_px is {settings.input_size_px}, "
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
                f"params.yaml: models.{settings.architecture}.input_size_px is {settings.input_size_px}; "
                f"it must be a multiple of {patch_px}"
            )
        sized = {"image_size": settings.input_size_px}
    return get_model(settings.architecture, num_classes=class_count, **sized)
