"""Named tensors with one JSON note in a safetensors file: no pickle, and the same bytes for the same content."""

import json
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from weldbench.config.models import Model
from weldbench.data.normalization import Normalization
from weldbench.errors import InputError
from weldbench.models.architectures import build_network
from weldbench.runtime.atomic import replacing

Tensors = dict[str, torch.Tensor]


def write_tensors(path: Path | str, tensors: Tensors, note: dict[str, Any]) -> None:
    """Write tensors of any shape, dtype and device, and JSON as the one metadata key `weldbench`, atomically."""
    # A second key would make the bytes differ from run to run: their order in the file is random.
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as partial:
        partial.touch()
        # `save_file` first writes under a random name, for its owner alone. What a kill leaves of that lies in a folder
        # that the next run deletes. `save` would take twice the tensors' memory.
        folder = partial.with_suffix("")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            written = folder / partial.name
            save_file(tensors, written, metadata={"weldbench": json.dumps(note)})
            written.chmod(partial.stat().st_mode)
            written.replace(partial)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def read_tensors(path: Path | str, skip: Collection[str] = ()) -> tuple[Tensors, dict[str, Any]]:
    """Read back what `write_tensors` wrote, the tensors on the CPU, but for those to skip.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, or has no such note.
    """
    try:
        with safe_open(path, "pt") as file:
            note = json.loads((file.metadata() or {})["weldbench"])
            names = [name for name in file.keys() if name not in skip]  # noqa: SIM118
            return {name: file.get_tensor(name) for name in names}, note
    except KeyError:
        raise ValueError("it has no note `weldbench` in its metadata") from None
    except SafetensorError as error:
        raise ValueError(str(error)) from None


@dataclass(frozen=True)
class TrainedInfo:
    """What a model's file says about it.

    Attributes:
        settings: How it was built and trained.
        classes: Names in label order.
        normalization: What its input wants.
        dataset: Name of the dataset, or `simulated` for a backbone.
        fold: Of the dataset; None where the split has none.
        seed: Of the training.
    """

    settings: Model
    classes: list[str]
    normalization: Normalization
    dataset: str
    fold: int | None
    seed: int


def save_network(
    path: Path | str, state: dict[str, torch.Tensor], info: TrainedInfo, made_from: dict[str, Any] | None = None
) -> None:
    """Write weights as safetensors, with all that is needed to use them as their note.

    Args:
        path: The file.
        state: The weights.
        info: How they were trained, and what they are for.
        made_from: As in `pipeline.records`; for a network that no training.json stands beside.
    """
    facts = {
        "model": info.settings.name,
        "architecture": info.settings.architecture,
        "settings": info.settings.model_dump(),
        "classes": info.classes,
        "mean": info.normalization.mean,
        "std": info.normalization.std,
        "dataset": info.dataset,
        "fold": info.fold,
        "seed": info.seed,
    }
    write_tensors(path, state, facts | ({"made_from": made_from} if made_from else {}))


def load_trained(path: Path | str) -> tuple[nn.Module, TrainedInfo]:
    """Read a trained network, on the CPU and in evaluation mode.

    Raises:
        InputError: The file is missing, damaged, or not one of ours.

    Example:
        >>> import tempfile
        >>> from weldbench.config.models import FullCon6
        >>> settings = FullCon6(architecture="full_con6", input_size_px=8, epochs=1, learning_rate=0.01)
        >>> info = TrainedInfo(settings, ["good", "bad"], Normalization(0.25, 0.2), "mine", fold=0, seed=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "model.safetensors"
        ...     save_network(path, build_network(settings, class_count=2).state_dict(), info)
        ...     network, read = load_trained(path)
        >>> read == info, network(torch.zeros(1, 1, 8, 8)).shape
        (True, torch.Size([1, 2]))
    """
    state, info = read_network(path)
    network = build_network(info.settings, len(info.classes))
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(f"{path}: the weights do not fit the network: {error}; train it again") from None
    return network.eval(), info


def read_network(path: Path | str) -> tuple[dict[str, torch.Tensor], TrainedInfo]:
    """Read the weights of a model's file, on the CPU, and what it says about them.

    Raises:
        InputError: The file is missing, damaged, or not one of ours.
    """
    try:
        state, facts = read_tensors(path)
        return state, _info(facts)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; train that model first") from None
    except (KeyError, ValueError, OSError) as error:
        raise InputError(f"{path}: this is no model of weldbench, or it is damaged: {error}; train it again") from None


def _info(facts: dict[str, Any]) -> TrainedInfo:
    return TrainedInfo(
        settings=Model.model_validate(facts["settings"]),
        classes=facts["classes"],
        normalization=Normalization(facts["mean"], facts["std"]),
        dataset=facts["dataset"],
        fold=facts["fold"],
        seed=facts["seed"],
    )
