"""Where a network looks: Grad-CAM (Selvaraju et al. 2017) on right and wrong frames of each class."""

from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import LayerGradCam, Saliency
from torch import nn
from torch.nn import functional

from weldbench.data.normalization import Normalization, normalize
from weldbench.evaluation.predictions import Predictions


@dataclass(frozen=True)
class Explained:
    """One frame and what drove the decision about it.

    Attributes:
        position: Of the frame among the scored ones.
        frame: uint8, shape (S, S), as the network saw it.
        heat: Between 0 and 1, float32, shape (S, S).
    """

    position: int
    frame: np.ndarray
    heat: np.ndarray


def frames_to_explain(frames: Predictions) -> list[tuple[int | None, int | None]]:
    """Choose for each class the surest right frame and the surest wrong one, None where there is none."""
    confidence = frames.probabilities.max(axis=1)

    def surest(mask: np.ndarray) -> int | None:
        positions = np.flatnonzero(mask)
        return int(positions[confidence[positions].argmax()]) if len(positions) else None

    return [
        (surest((frames.labels == number) & frames.correct), surest((frames.labels == number) & ~frames.correct))
        for number in range(len(frames.classes))
    ]


def explain(
    network: nn.Module, normalization: Normalization, inputs: np.ndarray, positions: list[int], predicted: np.ndarray
) -> list[Explained]:
    """Compute what drove the predicted class of each frame.

    Args:
        network: In evaluation mode, on the CPU.
        normalization: What its input wants.
        inputs: uint8, shape (N, S, S).
        positions: Of these frames among the scored ones, N of them.
        predicted: The class to explain of each frame, int64, shape (N,).
    """
    batch = normalize(torch.from_numpy(inputs), normalization)
    target = torch.from_numpy(predicted)
    layer = last_feature_map(network, batch[:1])
    # One frame after another: what a network keeps of a frame to find its gradient is large.
    heats = [_heat(network, layer, *one) for one in zip(batch.split(1), target.split(1), strict=True)]
    heat = torch.cat(heats).detach().float().numpy()[:, 0]  # (N, S, S)
    highest = heat.max(axis=(1, 2), keepdims=True)
    heat = np.divide(heat, highest, out=np.zeros_like(heat), where=highest > 0)
    return [Explained(*splits) for splits in zip(positions, inputs, heat, strict=True)]


def _heat(network: nn.Module, layer: nn.Module | None, frame: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return what drove one class of one frame, float32, shape (1, 1, S, S), not yet between 0 and 1."""
    heat: torch.Tensor
    if layer is None:
        heat = Saliency(network).attribute(frame.requires_grad_(), target=target)
        return functional.avg_pool2d(heat, 5, stride=1, padding=2, count_include_pad=False)
    heat = LayerGradCam(network, layer).attribute(frame, target=target, relu_attributions=True)
    return functional.interpolate(heat, size=frame.shape[-2:], mode="bilinear", align_corners=False)


def last_feature_map(network: nn.Module, example: torch.Tensor) -> nn.Module | None:
    """Find the module that gives the last map of features, before what is left is one value per channel.

    Args:
        network: Any network.
        example: One normalized frame, float32, shape (1, 1, S, S).

    Returns:
        None for a network without convolutions.
    """
    found: list[nn.Module] = []

    def note(module: nn.Module, _: object, output: object) -> None:
        is_map = isinstance(output, torch.Tensor) and output.ndim == 4 and min(output.shape[-2:]) > 1
        if is_map and (found or isinstance(module, nn.Conv2d)):
            found.append(module)

    hooks = [module.register_forward_hook(note) for module in network.modules()]
    try:
        with torch.inference_mode():
            network(example)
    finally:
        for hook in hooks:
            hook.remove()
    return found[-1] if found else None
