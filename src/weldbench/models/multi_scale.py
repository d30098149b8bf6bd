"""One backbone that sees each frame in several sizes, and the features of several of its stages, for one last layer."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from weldbench.data.resize import area_shares

Stages = Callable[[nn.Module, torch.Tensor], list[torch.Tensor]]


class MultiScale(nn.Module):
    """Features of each size and stage, averaged over the map and joined, then a linear layer.

    Small sizes show the shape of the pool, large ones the texture; early stages are closer to the pixels, late ones to
    what the backbone was trained to tell apart.
    """

    def __init__(self, backbone: nn.Module, stages: Stages, sizes_px: Sequence[int], class_count: int):
        """Take a backbone, and the function that gives the maps of the stages to use.

        Args:
            backbone: Takes float32 of shape (N, 1, S, S).
            stages: Gives maps, each of shape (N, C, h, w), the last stage last.
            sizes_px: Height and width in pixels that the backbone sees; the largest is the input's.
            class_count: Logits.
        """
        super().__init__()
        self.backbone = backbone
        self._stages = stages
        # The largest last: what a picture of the decision shows is the last map.
        self._sizes_px = sorted(set(sizes_px))
        for size_px in self._sizes_px[:-1]:
            areas = area_matrix(self._sizes_px[-1], size_px)
            self.register_buffer(f"areas_{size_px}", areas, persistent=False)
        with torch.no_grad():
            was_training = backbone.training
            maps = stages(backbone.eval(), torch.zeros(1, 1, self._sizes_px[0], self._sizes_px[0]))
            backbone.train(was_training)
        # One for each size and stage, in the order of the features: a heat map asks what each was given.
        self.pools = nn.ModuleList(nn.AdaptiveAvgPool2d(1) for _ in range(len(self._sizes_px) * len(maps)))
        width = sum(one.shape[1] for one in maps)
        self.classifier = nn.Linear(width * len(self._sizes_px), class_count)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Compute logits of shape (N, K) from normalized frames of shape (N, 1, S, S)."""
        maps = [one for size in self._sizes_px for one in self._stages(self.backbone, self._scaled(frames, size))]
        features = [pool(one).flatten(1) for pool, one in zip(self.pools, maps, strict=True)]
        logits: torch.Tensor = self.classifier(torch.cat(features, 1))
        return logits

    def _scaled(self, frames: torch.Tensor, size_px: int) -> torch.Tensor:
        if size_px == self._sizes_px[-1]:
            return frames
        areas: torch.Tensor = self.get_buffer(f"areas_{size_px}")  # (s, S)
        # Pixels have 8 bits, as many as bf16 has in all.
        with torch.autocast(frames.device.type, enabled=False):
            return areas @ frames.float() @ areas.T


def area_matrix(pixels: int, areas: int) -> torch.Tensor:
    """Return the share of each pixel in each of `areas` equal areas of a line, float32, shape (areas, pixels).

    Example:
        >>> area_matrix(3, 2)
        tensor([[0.6667, 0.3333, 0.0000],
                [0.0000, 0.3333, 0.6667]])
    """
    shares = area_shares(pixels, areas, np.dtype(np.int64)).toarray()
    return torch.from_numpy(shares / shares.sum(axis=1, keepdims=True)).float()
