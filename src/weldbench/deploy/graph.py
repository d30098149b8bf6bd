"""The graphs of an export: from raw frames to probabilities, features and a heat map."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import onnx
import torch
from torch import nn

from weldbench.data.normalization import Normalization, normalize
from weldbench.deploy.heat import Calls, Head, MultiScaleHead, find_head
from weldbench.models.files import TrainedInfo

OPSET = 18  # of ONNX; every runtime of the last years reads it

# Sums over one axis are cut here into two parts, each of which float32 holds exactly when summed over the other axis.
_CUT = 2048


class AreaMean(nn.Module):
    """`data.resize.area_mean` for a batch, from operations that every runtime has: the same bytes, in float32.

    Sums over an area are differences of cumulative sums at its borders, in the unit of 1 / size_px of a pixel, so all
    are whole numbers. Up to LARGEST_SIDE_PX pixels high and wide every number stays below 2**24, up to which float32
    holds each whole number: hence the two parts, and the exact correction of a quotient that was rounded. A runtime may
    be free to compute in float32 alone.
    """

    def __init__(self, size_px: int):
        super().__init__()
        self.size_px = size_px

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Scale frames, levels 0 to 255 of shape (N, H, W), to uint8 of shape (N, size_px, size_px)."""
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
        return level.transpose(1, 2).to(torch.uint8)

    def _sums(self, levels: torch.Tensor, pixels: int) -> torch.Tensor:
        """Sum over the areas along axis 1: (N, pixels, M) -> (N, size_px, M)."""
        edges = torch.arange(self.size_px + 1) * pixels
        last = torch.clamp(torch.div(edges, self.size_px, rounding_mode="floor"), max=pixels - 1)
        beyond = ((last + 1) * self.size_px - edges)[:, None].float()
        so_far = torch.cumsum(levels, dim=1)
        at_edge = beyond * levels[:, last]
        so_far = so_far[:, last]
        return self.size_px * (so_far[:, 1:] - so_far[:, :-1]) - at_edge[:, 1:] + at_edge[:, :-1]


class ExportedNetwork(nn.Module):
    """From levels at the network's size, uint8 (N, S, S), to `probabilities`, `features` and, with a head, `heat`."""

    def __init__(
        self,
        network: nn.Module,
        normalization: Normalization,
        head: Head | MultiScaleHead | None,
        only_heat: bool = False,
    ):
        super().__init__()
        self._network, self._normalization = network, normalization
        self._head, self._only_heat = head, only_heat
        self._last = [part for part in network.modules() if isinstance(part, nn.Linear | nn.Conv2d)][-1]

    def forward(self, levels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Compute the outputs, float32, in the order of `outputs`."""
        seen: list[torch.Tensor] = []
        hook = self._last.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        try:
            calls: Calls = {}
            with self._head.recording(calls) if self._head else nullcontext():
                logits = self._network(normalize(levels, self._normalization))
        finally:
            hook.remove()
        heat = (self._head.heat(calls, logits),) if self._head else ()
        if self._only_heat:
            return heat
        features = seen[0] if seen[0].ndim == 2 else seen[0].mean(dim=(2, 3))
        return (torch.softmax(logits, dim=1), features, *heat)

    @property
    def outputs(self) -> list[str]:
        """The names of what `forward` gives."""
        named = [] if self._only_heat else ["probabilities", "features"]
        return [*named, "heat"] if self._head else named


@dataclass(frozen=True)
class Graphs:
    """The parts of an export as ONNX.

    Attributes:
        resize: From `frames` to `levels`.
        network: From `levels` to `probabilities` and `features`, and to `heat` where that costs next to nothing.
        heat: From `frames` to `heat` alone, where it costs more; None otherwise.
        has_heat: Whether one of the two gives it.
    """

    resize: onnx.ModelProto
    network: onnx.ModelProto
    heat: onnx.ModelProto | None
    has_heat: bool


def export_graphs(network: nn.Module, info: TrainedInfo, frame_size_px: int) -> Graphs:
    """Turn a trained network into graphs that take frames of any size.

    Args:
        network: In evaluation mode, on the CPU.
        info: What its file says about it.
        frame_size_px: Height and width to which ingest scaled the frames.
    """
    size_px = info.settings.input_size_px
    # In two steps, each rounded, as ingest stores frames and training loads them.
    sizes = [frame_size_px] if frame_size_px == size_px else [frame_size_px, size_px]
    resize = _to_onnx(nn.Sequential(*map(AreaMean, sizes)), (2, 7, 9), "frames", ["levels"])
    # Two different frames without any pattern to speak of; 7919 is a prime.
    noise = (torch.arange(2 * size_px**2) * 7919 % 253).view(2, size_px, size_px).to(torch.uint8)
    head = find_head(network, normalize(noise, info.normalization))
    whole = ExportedNetwork(network, info.normalization, head if head and head.is_linear else None)
    heat = None
    if head and not head.is_linear:
        apart = ExportedNetwork(network, info.normalization, head, only_heat=True)
        heat = joined(resize, _to_onnx(apart, tuple(noise.shape), "levels", apart.outputs))
    return Graphs(resize, _to_onnx(whole, tuple(noise.shape), "levels", whole.outputs), heat, head is not None)


def joined(resize: onnx.ModelProto, network: onnx.ModelProto) -> onnx.ModelProto:
    """Put the two parts together; `levels`, what the network sees, stays an output."""
    resize = onnx.compose.add_prefix(resize, "resize", rename_inputs=False, rename_outputs=False)
    both = onnx.compose.merge_models(resize, network, io_map=[("levels", "levels")])
    both.graph.output.append(resize.graph.output[0])
    onnx.checker.check_model(both)
    return both


def _to_onnx(module: nn.Module, shape: tuple[int, ...], name: str, outputs: list[str]) -> onnx.ModelProto:
    varying = {
        name: {0: "N", 1: "H", 2: "W"} if name == "frames" else {0: "N"},
        **{output: {0: "N"} for output in outputs},
    }
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), torch.no_grad(), _plain_attention():
        # Traced: what is exported is plain, and torch's newer exporter needs two more packages.
        torch.onnx.export(
            module.eval(),
            (torch.zeros(shape, dtype=torch.uint8),),
            file,  # type: ignore[arg-type]  # the traced export takes it
            input_names=[name],
            output_names=outputs,
            dynamic_axes=varying,
            opset_version=OPSET,
            dynamo=False,
        )
    return onnx.load_from_string(file.getvalue())


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Let torch compute attention in plain steps; its one fused step has no counterpart in ONNX."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
