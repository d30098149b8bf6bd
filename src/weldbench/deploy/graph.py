"""The module that is exported: from raw frames to probabilities, features and, where it is nearly free, a heat map."""

import torch
from torch import nn

from weldbench.data.normalization import Normalization
from weldbench.models.saliency import last_feature_map

# Up to this height and width the area mean in the graph is exact.
LARGEST_SIDE_PX = 4096
# Sums over one axis are cut here into two parts, each of which float32 holds exactly when summed over the other axis.
_CUT = 2048


class AreaMean(nn.Module):
    """`data.resize.area_mean` for a batch, from operations that every runtime has: the same bytes, in float32.

    Sums over an area are differences of cumulative sums at its borders, in the unit of 1 / size_px of a pixel, so all
    are whole numbers. Every number stays below 2**24, up to which float32 holds each whole number: hence the two parts,
    and the exact correction of a quotient that was rounded. A runtime may be free to compute in float32 alone.
    """

    def __init__(self, size_px: int):
        super().__init__()
        self.size_px = size_px

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Scale frames, levels 0 to 255 of shape (N, H, W), to float32 of shape (N, size_px, size_px)."""
        height, width = frames.shape[1], frames.shape[2]
        down = self._sums(frames.float(), height).transpose(1, 2)
        high = torch.floor(down / _CUT)
        high, low = self._sums(high, width), self._sums(down - _CUT * high, width)
        level = torch.floor((_CUT * high + low) / (height * width) + 0.5)
        # Twice the sum less that of the rounded level, exact at the borders of rounding.
        of_level = level * height
        high_of_level = torch.floor(of_level / _CUT)
        over = 2 * _CUT * (high - width * high_of_level) + 2 * (low - width * (of_level - _CUT * high_of_level))
        level = level + (over >= height * width).float() - (over < -height * width).float()
        return level.transpose(1, 2)

    def _sums(self, levels: torch.Tensor, pixels: int) -> torch.Tensor:
        """Sum over the areas along axis 1: (N, pixels, M) -> (N, size_px, M)."""
        edges = torch.arange(self.size_px + 1) * pixels
        last = torch.clamp(torch.div(edges, self.size_px, rounding_mode="floor"), max=pixels - 1)
        beyond = ((last + 1) * self.size_px - edges)[:, None].float()
        so_far = torch.cumsum(levels, dim=1)
        at_edge = beyond * levels[:, last]
        so_far = so_far[:, last]
        return self.size_px * (so_far[:, 1:] - so_far[:, :-1]) - at_edge[:, 1:] + at_edge[:, :-1]


class ExportedModel(nn.Module):
    """From raw frames to `probabilities`, `features` and, for a linear layer behind average pooling, `heat`."""

    def __init__(self, network: nn.Module, normalization: Normalization, frame_size_px: int, input_size_px: int):
        super().__init__()
        # In two steps, each rounded, as ingest stores frames and training loads them.
        sizes = [frame_size_px] if frame_size_px == input_size_px else [frame_size_px, input_size_px]
        self.resize = nn.Sequential(*(AreaMean(size_px) for size_px in sizes))
        self.network = network
        self.normalization = normalization
