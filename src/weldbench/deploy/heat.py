"""Grad-CAM (Selvaraju et al. 2017) as a plain forward computation, so that it can be part of an exported graph.

The gradient of the predicted class through the few layers behind the last map of features is written out, layer by
layer. Where it is not what torch's autograd says, as behind attention, there is no heat map.
"""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional
from torchvision.models.convnext import LayerNorm2d

from weldbench.models.multi_scale import MultiScale
from weldbench.models.saliency import last_feature_map

_RESHAPING = (nn.AdaptiveAvgPool2d, nn.Dropout, nn.Flatten, nn.Identity)
Calls = dict[nn.Module, tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class Head:
    """What stands behind the last map of features.

    Attributes:
        feature_map: The module that gives the map, (N, C, h, w).
        layers: Behind it, in the order of the computation, without those that only average or change the shape.
        rectified: Whether the network takes the map's positive part, outside of any module, as DenseNets do.
    """

    feature_map: nn.Module
    layers: tuple[nn.Module, ...]
    rectified: bool

    @property
    def is_linear(self) -> bool:
        """Whether the map is averaged and weighted, and nothing else: then its heat costs next to nothing."""
        return len(self.layers) <= 1

    def recording(self, calls: Calls) -> AbstractContextManager[None]:
        """Record input and output of the map's module and of the layers behind it while the network runs."""
        return _hooked((self.feature_map, *self.layers), calls)

    def heat(self, calls: Calls, logits: torch.Tensor) -> torch.Tensor:
        """Compute what drove the predicted class of each frame, float32, shape (N, h, w), not scaled."""
        feature_map, gradient = self._gradient(calls, logits)
        weights = gradient.mean(dim=(2, 3), keepdim=True)
        return functional.relu((weights * feature_map).sum(dim=1))

    def _gradient(self, calls: Calls, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        gradient = functional.one_hot(logits.argmax(dim=1), logits.shape[1]).float()
        for layer in reversed(self.layers):
            inputs, output = calls[layer]
            gradient = _backward(layer, inputs, _as_shape_of(output, gradient))
        feature_map = calls[self.feature_map][1]
        if self.rectified:
            feature_map = functional.relu(feature_map)
        return feature_map, _as_shape_of(feature_map, gradient)

    def agrees_with_autograd(self, network: nn.Module, example: torch.Tensor) -> bool:
        """Tell whether the gradient that is written out here is that of torch, on example frames (N, 1, S, S)."""
        calls: Calls = {}
        with self.recording(calls), torch.enable_grad():
            logits = network(example)
        found = calls[self.feature_map][1]
        (true,) = torch.autograd.grad(logits.max(dim=1).values.sum(), found)
        try:
            with torch.no_grad():
                _, ours = self._gradient(calls, logits)
                ours = ours * (found > 0) if self.rectified else ours
        except (NotImplementedError, RuntimeError):  # a layer or a shape that is not written out here
            return False
        return torch.allclose(ours.expand_as(true), true, rtol=1e-3, atol=1e-4 * float(true.abs().max()))


@dataclass(frozen=True)
class MultiScaleHead:
    """A linear layer behind the averages of maps of several sizes and stages.

    Attributes:
        pools: What averages each map, in the order of the features.
        classifier: The linear layer.
    """

    pools: tuple[nn.Module, ...]
    classifier: nn.Linear
    is_linear: ClassVar[bool] = True

    def recording(self, calls: Calls) -> AbstractContextManager[None]:
        """Record the maps while the network runs."""
        return _hooked(self.pools, calls)

    def heat(self, calls: Calls, logits: torch.Tensor) -> torch.Tensor:
        """Compute what drove the predicted class of each frame, float32, shape (N, h, w), not scaled.

        It is Grad-CAM of each map, brought to the grid of the finest one and added. A coarse map counts as much as it
        adds to the logit: per area of the frame, not per position.
        """
        maps = [calls[pool][0] for pool in self.pools]
        height, width = self.grid(calls)
        weights = functional.one_hot(logits.argmax(dim=1), logits.shape[1]).float() @ self.classifier.weight
        heat = torch.zeros(())
        for one, of_map in zip(maps, weights.split([one.shape[1] for one in maps], dim=1), strict=True):
            # A position's gradient is weight / (its map's positions); times these per position of the finest grid.
            drove = (of_map[:, :, None, None] / (height * width) * one).sum(dim=1, keepdim=True)
            heat = heat + functional.interpolate(drove, (height, width), mode="bilinear", align_corners=False)
        return functional.relu(heat[:, 0])

    def grid(self, calls: Calls) -> tuple[int, int]:
        """Return height and width of the finest map."""
        height, width = max((calls[pool][0].shape[-2:] for pool in self.pools), key=math.prod)
        return int(height), int(width)  # as plain numbers, so that no exported graph asks for them again


def find_head(network: nn.Module, example: torch.Tensor) -> Head | MultiScaleHead | None:
    """Find what stands behind the last map of features, or behind the maps of several sizes and stages.

    Args:
        network: In evaluation mode, on the CPU.
        example: Some normalized frames, float32, shape (N, 1, S, S), that differ from each other.

    Returns:
        None where there is no map, or the way from it to the classes is none that is written out here.
    """
    if isinstance(network, MultiScale):
        return _multi_scale_head(network, example[:1])
    feature_map = last_feature_map(network, example[:1])
    if feature_map is None:
        return None
    calls: Calls = {}
    leaves = [module for module in network.modules() if module is feature_map or not list(module.children())]
    with _hooked(leaves, calls), torch.no_grad():
        network(example)
    behind = list(calls)[list(calls).index(feature_map) + 1 :]
    layers = tuple(layer for layer in behind if not isinstance(layer, _RESHAPING))
    heads = (Head(feature_map, layers, rectified) for rectified in (False, True))
    return next((head for head in heads if head.agrees_with_autograd(network, example)), None)


def _multi_scale_head(network: MultiScale, example: torch.Tensor) -> MultiScaleHead | None:
    head, calls = MultiScaleHead(tuple(network.pools), network.classifier), Calls()
    with head.recording(calls), torch.no_grad():
        network(example)
    return head if head.grid(calls) != (1, 1) else None


@contextmanager
def _hooked(modules: tuple[nn.Module, ...] | list[nn.Module], calls: Calls) -> Iterator[None]:
    inputs: dict[nn.Module, torch.Tensor] = {}

    def before(module: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        inputs[module] = given[0].clone()  # some layers write over it

    def after(module: nn.Module, _: object, output: torch.Tensor) -> None:
        calls[module] = (inputs[module], output)

    hooks = [module.register_forward_pre_hook(before) for module in modules]
    hooks += [module.register_forward_hook(after) for module in modules]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _backward(layer: nn.Module, inputs: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Return the gradient at a layer's input from that at its output."""
    match layer:
        case nn.Linear():
            return gradient @ layer.weight
        case nn.ReLU():
            return gradient * (inputs > 0)
        case nn.Hardswish():
            return gradient * torch.where(inputs.abs() < 3, inputs / 3 + 0.5, (inputs > 0).float())
        case LayerNorm2d():
            variance, mean = torch.var_mean(inputs, dim=1, correction=0, keepdim=True)
            scale = torch.rsqrt(variance + layer.eps)
            normalized, gradient = (inputs - mean) * scale, gradient * layer.weight[:, None, None]
            along = (gradient * normalized).mean(dim=1, keepdim=True)
            return scale * (gradient - gradient.mean(dim=1, keepdim=True) - normalized * along)
    raise NotImplementedError(type(layer).__name__)


def _as_shape_of(values: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Carry a gradient back over a flattening, or over an average, in which all positions share one value."""
    # As plain numbers, so that no exported graph asks for them again at every run.
    have, wanted = ([int(length) for length in tensor.shape[1:]] for tensor in (gradient, values))
    if have == wanted:
        return gradient
    if math.prod(have) == math.prod(wanted):
        return gradient.reshape(-1, *wanted)
    if len(wanted) != 3 or math.prod(have) != wanted[0]:
        raise NotImplementedError(f"from {have} to {wanted}")
    return gradient.reshape(-1, wanted[0], 1, 1) / (wanted[1] * wanted[2])
