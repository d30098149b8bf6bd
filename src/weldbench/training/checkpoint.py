"""A training's state on disk after every epoch, so that a killed training goes on where it was."""

import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import nn

from weldbench.config.models import Model
from weldbench.models.files import Tensors, read_tensors, write_tensors
from weldbench.pipeline.records import record_differences
from weldbench.runtime.atomic import partial_path


@dataclass(frozen=True)
class Checkpoint:
    """Where a training keeps its state, and what the state must belong to.

    Attributes:
        path: A hidden file beside the outputs, which no workflow engine knows or deletes.
        made_from: All that decides the training's bytes, as `pipeline.records` describes it.
    """

    path: Path
    made_from: dict[str, Any]

    def save(self, groups: dict[str, Tensors], facts: dict[str, Any]) -> None:
        """Write tensors, by group and name, and facts atomically.

        Args:
            groups: Group -> name -> tensor of any shape, dtype and device.
            facts: JSON.
        """
        tensors = {f"{group}/{name}": tensor for group, members in groups.items() for name, tensor in members.items()}
        write_tensors(self.path, tensors, {"made_from": self.made_from, "facts": facts})

    def load(self) -> tuple[dict[str, Tensors], dict[str, Any]] | None:
        """Read the state back; None where there is none.

        The state of another training is kept beside under another name, and stderr says in what they differ.
        """
        try:
            tensors, note = read_tensors(self.path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            self._set_aside([f"it is damaged: {error}"])
            return None
        made_from = note.get("made_from") or {}
        if differing := record_differences(made_from, self.made_from):
            self._set_aside(differing if made_from else ["an earlier version of weldbench wrote it"])
            return None
        groups: dict[str, Tensors] = {}
        for key, tensor in tensors.items():
            group, _, name = key.partition("/")
            groups.setdefault(group, {})[name] = tensor
        return groups, note["facts"]

    def _set_aside(self, reasons: list[str]) -> None:
        number = next(number for number in count(1) if not self._aside(number).exists())
        try:
            self.path.rename(self._aside(number))
        except FileNotFoundError:  # another process of the same training was faster
            return
        print(
            f"{self.path}: this training cannot go on from here, and starts from the beginning: {'; '.join(reasons)}. "
            f"The state is kept as {self._aside(number).name}; delete it when you do not need it",
            file=sys.stderr,
        )

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.stem}-{number}{self.path.suffix}")


def needed_bytes(network: nn.Module, settings: Model, checkpoint: Path) -> int:
    """Return how much free space a training needs: for a model and two checkpoints, one written beside the other.

    Args:
        network: With all its weights.
        settings: Of the training: its optimizer and whether the weights are averaged.
        checkpoint: Where it will be; one that is there already takes no more space.
    """
    weights: int = sum(tensor.nbytes for tensor in network.state_dict().values())
    states = 2 + (2 if settings.optimizer == "adamw" else 1) + (1 if settings.ema_decay else 0)
    present = checkpoint.stat().st_size if checkpoint.exists() else 0
    return max(weights * (2 * states + 1) - present, 0)


def remove_checkpoint(path: Path) -> None:
    """Delete a checkpoint, and what a kill left half written beside it."""
    for left in (path, partial_path(path)):
        left.unlink(missing_ok=True)


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> Tensors:
    """Return an optimizer's state as tensors named `parameter's number/quantity`, such as `3/momentum_buffer`."""
    state = optimizer.state_dict()["state"]
    return {
        f"{index}/{name}": value
        for index, values in state.items()
        for name, value in values.items()
        if isinstance(value, torch.Tensor)
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    """Give an optimizer the state that `optimizer_tensors` returned, in the memory layout of its weights.

    Args:
        optimizer: Of the same network and settings.
        tensors: The state, contiguous, on any device.
    """
    learning = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, Tensors] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition("/")
        like = learning[int(index)]
        if tensor.shape == like.shape:
            # The fused kernels walk through weight and momentum in memory order and never look at the strides: a
            # contiguous momentum beside a channels-last weight would be applied to the wrong weights.
            tensor = torch.empty_like(like, dtype=tensor.dtype).copy_(tensor)
        state.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
