"""A training's state on disk after every epoch, so that a killed training goes on where it was."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from weldbench.models.files import Tensors, read_tensors, write_tensors
from weldbench.pipeline.sources import library_files
from weldbench.runtime.atomic import partial_path


@dataclass(frozen=True)
class Checkpoint:
    """Where a training keeps its state, and what the state must belong to.

    Attributes:
        path: A hidden file beside the outputs, which no workflow engine knows or deletes.
        fingerprint: Hash of all that decides the training's bytes; the state of another one is ignored.
    """

    path: Path
    fingerprint: str

    def save(self, groups: dict[str, Tensors], facts: dict[str, Any]) -> None:
        """Write tensors, by group and name, and facts atomically.

        Args:
            groups: Group -> name -> tensor of any shape, dtype and device.
            facts: JSON.
        """
        tensors = {f"{group}/{name}": tensor for group, members in groups.items() for name, tensor in members.items()}
        write_tensors(self.path, tensors, {"of": self.fingerprint, "facts": facts})

    def load(self) -> tuple[dict[str, Tensors], dict[str, Any]] | None:
        """Read the state back.

        Returns:
            Groups and facts as `save` took them, the tensors on the CPU; None where there is no readable state, or only
            that of another training.
        """
        try:
            tensors, note = read_tensors(self.path)
        except (OSError, ValueError):
            return None
        if note["of"] != self.fingerprint:
            return None
        groups: dict[str, Tensors] = {}
        for key, tensor in tensors.items():
            group, _, name = key.partition("/")
            groups.setdefault(group, {})[name] = tensor
        return groups, note["facts"]


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


def fingerprint(facts: dict[str, Any], *files: Path | str) -> str:
    """Hash JSON facts, the contents of files, the library's own code and torch's version: 64 hex digits."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    digest.update(torch.__version__.encode())
    for file in [*files, *library_files()]:
        digest.update(hashlib.sha256(Path(file).read_bytes()).digest())
    return digest.hexdigest()
