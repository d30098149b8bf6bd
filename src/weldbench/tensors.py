"""Named tensors with one JSON note in a safetensors file: no pickle, and the same bytes for the same content."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from weldbench.atomic import replacing

Tensors = dict[str, torch.Tensor]


def write_tensors(path: Path | str, tensors: Tensors, note: dict[str, Any]) -> None:
    """Write tensors, from any device, and the note as the one metadata key `weldbench`, atomically."""
    # A second key would make the bytes differ from run to run: their order in the file is random. And the bytes are
    # made here, as `save_file` would leave a temporary file of its own behind when it is killed.
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as partial:
        partial.write_bytes(save(tensors, metadata={"weldbench": json.dumps(note)}))


def read_tensors(path: Path | str) -> tuple[Tensors, dict[str, Any]]:
    """Read back what `write_tensors` wrote.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, or has no such note.
    """
    try:
        with safe_open(path, "pt") as file:
            note = json.loads((file.metadata() or {})["weldbench"])
            return {name: file.get_tensor(name) for name in file.keys()}, note  # noqa: SIM118
    except KeyError:
        raise ValueError("it has no note `weldbench` in its metadata") from None
    except SafetensorError as error:
        raise ValueError(str(error)) from None
