"""Where a network looks: Grad-CAM (Selvaraju et al. 2017) on right and wrong frames of each class."""

from dataclasses import dataclass

import numpy as np
import torch
from captum.attr import LayerGradCam, Saliency
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional

from weldbench.augment import Normalisation, normalise
from weldbench.figure_style import new_figure, words
from weldbench.predictions import Scored


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


def frames_to_explain(frames: Scored) -> list[tuple[int | None, int | None]]:
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
    network: nn.Module, normalisation: Normalisation, inputs: np.ndarray, positions: list[int], predicted: np.ndarray
) -> list[Explained]:
    """Compute what drove the predicted class of each frame.

    Args:
        network: In evaluation mode, on the CPU.
        normalisation: What its input wants.
        inputs: uint8, shape (N, S, S).
        positions: Of these frames among the scored ones, N of them.
        predicted: The class to explain of each frame, int64, shape (N,).
    """
    batch = normalise(torch.from_numpy(inputs), normalisation)
    target = torch.from_numpy(predicted)
    layer = last_feature_map(network, batch[:1])
    if layer is None:
        heat = Saliency(network).attribute(batch.requires_grad_(), target=target)
        heat = functional.avg_pool2d(heat, 5, stride=1, padding=2, count_include_pad=False)
    else:
        heat = LayerGradCam(network, layer).attribute(batch, target=target, relu_attributions=True)
        heat = functional.interpolate(heat, size=batch.shape[-2:], mode="bilinear", align_corners=False)
    heat = heat.detach().float().numpy()[:, 0]
    highest = heat.max(axis=(1, 2), keepdims=True)
    heat = np.divide(heat, highest, out=np.zeros_like(heat), where=highest > 0)
    return [Explained(*parts) for parts in zip(positions, inputs, heat, strict=True)]


def last_feature_map(network: nn.Module, example: torch.Tensor) -> nn.Module | None:
    """Find the module that gives the last map of features, before what is left is one value per channel.

    Args:
        network: Any network.
        example: One normalised frame, float32, shape (1, 1, S, S).

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


def explanation_figure(
    frames: Scored, chosen: list[tuple[int | None, int | None]], explained: dict[int, Explained], title: str
) -> Figure:
    """Draw a row per class: its surest right frame and its surest wrong one, each plain and with heat."""
    figure = new_figure(9, 0.5 + 2.5 * len(chosen))
    figure.suptitle(title, ha="left", x=0.01, fontsize=11)
    grid = figure.subplots(len(chosen), 4, squeeze=False)
    for number, (row, positions) in enumerate(zip(grid, chosen, strict=True)):
        for side, (kind, position) in enumerate(zip(("right", "wrong"), positions, strict=True)):
            plain, hot = row[2 * side : 2 * side + 2]
            plain.set_axis_off()
            hot.set_axis_off()
            if position is None:
                plain.set_title(f"{words(frames.classes[number])}\nno {kind} frame", fontsize=9)
                continue
            plain.set_title(f"{words(frames.classes[number])}\n{kind}: {_said(frames, position)}", fontsize=9)
            frame, heat = explained[position].frame, explained[position].heat
            plain.imshow(frame, cmap="gray", vmin=0, vmax=255)
            hot.imshow(frame, cmap="gray", vmin=0, vmax=255)
            hot.imshow(heat, cmap="inferno", alpha=0.65 * heat, vmin=0, vmax=1)
    return figure


def _said(frames: Scored, position: int) -> str:
    number = frames.predicted[position]
    return f"{words(frames.classes[number])} ({frames.probabilities[position, number]:.2f})"
