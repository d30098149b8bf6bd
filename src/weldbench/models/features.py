"""Features of frames in a file: what a frozen backbone says about each, which the last layer learns from."""

import copy
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from weldbench.config.models import Model
from weldbench.data.dataset import Dataset
from weldbench.data.normalization import Normalization
from weldbench.errors import InputError
from weldbench.models.files import TrainedInfo, read_tensors, write_tensors
from weldbench.models.torchvision_models import head_name

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class FrameFeatures:
    """Features of frames, F numbers each.

    Attributes:
        rows: Of the manifest, sorted, int64, shape (R,).
        plain: Of these frames as they are, float32, shape (R, F).
        view_rows: Rows of the training frames, sorted, int64, shape (T,).
        views: Of their changed views, float32, shape (T, V, F).
        simulated: Of simulated frames, float32, shape (M, F).
        simulated_labels: Their classes, int64, shape (M,).
        backbone: From `backbone_id`.
    """

    rows: IntArray
    plain: FloatArray
    view_rows: IntArray
    views: FloatArray
    simulated: FloatArray
    simulated_labels: IntArray
    backbone: str

    def of(self, rows: IntArray) -> FloatArray:
        """Return the features of rows, which may repeat: float32, shape (N, F).

        Raises:
            KeyError: A row has none; `covers` tells.
        """
        return self.plain[_places(self.rows, rows)]

    def with_views(self, rows: IntArray) -> FloatArray:
        """Return the features of training rows as they are, then of their views: float32, shape (N, 1 + V, F).

        Raises:
            KeyError: A row has none; `covers` tells.
        """
        places, (_, views, width) = _places(self.view_rows, rows), self.views.shape
        result = np.empty((len(rows), 1 + views, width), np.float32)
        result[:, 0] = self.of(rows)
        for view in range(views):  # one at a time, so that memory holds no second copy of all
            result[:, 1 + view] = self.views[places, view]
        return result

    def covers(self, rows: IntArray, train_rows: IntArray | None = None) -> bool:
        """Tell whether there are features of all rows, and of the views of all training rows."""
        trains = train_rows is None or np.isin(train_rows, np.intersect1d(self.rows, self.view_rows)).all()
        return bool(trains and np.isin(rows, self.rows).all())


def _places(known: IntArray, rows: IntArray) -> IntArray:
    places = np.minimum(np.searchsorted(known, rows), len(known) - 1)
    if len(known) == 0 or (known[places] != rows).any():
        raise KeyError("there are frames without features")
    return places


def last_layer(network: nn.Module, settings: Model) -> tuple[str, nn.Linear]:
    """Return the last layer of a network and its name.

    Raises:
        InputError: It needs maps of features, not one vector for each frame.
    """
    name, last = [(n, m) for n, m in network.named_modules() if isinstance(m, nn.Linear | nn.Conv2d)][-1]
    if not isinstance(last, nn.Linear):
        before = [part for part, _ in network.named_children() if part != head_name(network)][-1]
        raise InputError(
            f"params.yaml: models.{settings.name}.freeze is backbone, but the head of this network needs maps of "
            f"features, not one vector for each frame; set it to `until {before}`"
        )
    return name, last


def without_last_layer(network: nn.Module, settings: Model) -> nn.Module:
    """Return a copy of a network, in evaluation mode, that gives what its last layer is given.

    Raises:
        InputError: The last layer needs maps of features, not one vector for each frame.
    """
    name, _ = last_layer(network, settings)
    backbone = copy.deepcopy(network).eval()
    backbone.set_submodule(name, nn.Identity())
    return backbone


def backbone_id(backbone: nn.Module, normalization: Normalization, settings: Model, dataset: Dataset) -> str:
    """Return a hash of all that decides the features of a frame.

    That is the weights, what the settings say of the network's form (all that no other architecture has, and the input
    size), the normalization and the stored frames.
    """
    form = type(settings).model_fields.keys() - Model.model_fields.keys() | {"architecture", "input_size_px"}
    digest = hashlib.sha256()
    for name, tensor in sorted(backbone.state_dict().items()):
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    digest.update(repr((normalization, sorted(settings.model_dump(include=form).items()))).encode())
    digest.update((dataset.folder / "inventory.json").read_bytes())
    return digest.hexdigest()


def features_at_hand(
    folder: Path | None, network: nn.Module, info: TrainedInfo, dataset: Dataset, rows: IntArray
) -> FrameFeatures | None:
    """Return the features that a network with a frozen backbone learned from, to score the frames with.

    None for another network, or where there are none; stderr says so where they do not fit.

    Args:
        folder: Of the files of features, by the names of the models.
        network: As trained.
        info: What its file says about it.
        dataset: Where the frames are.
        rows: Of the frames to score, int64.

    Raises:
        InputError: The file of the features is damaged.
    """
    if folder is None or info.settings.freeze != "backbone":
        return None
    path = folder / f"{info.settings.name}.safetensors"
    if not path.is_file():
        return None
    features = read_features(path, views=False)
    backbone = without_last_layer(network, info.settings)
    if features.backbone != backbone_id(backbone, info.normalization, info.settings, dataset):
        print(f"{path}: not used, as these features are of another backbone or other frames", file=sys.stderr)
        return None
    if not features.covers(rows):
        print(f"{path}: not used, as some frames to score have no features there", file=sys.stderr)
        return None
    return features


def write_features(path: Path, features: FrameFeatures) -> None:
    """Write features as safetensors."""
    arrays = {name: value for name, value in vars(features).items() if isinstance(value, np.ndarray)}
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    write_tensors(path, tensors, {"backbone": features.backbone})


def read_features(path: Path, views: bool = True) -> FrameFeatures:
    """Read what `write_features` wrote.

    Args:
        path: The file.
        views: Whether to read those of the views too, which are most of the file; `covers` needs none.

    Raises:
        InputError: The file is missing or damaged.
    """
    try:
        tensors, note = read_tensors(path, skip=() if views else ("views",))
        if not views:
            tensors["views"] = torch.empty(len(tensors["view_rows"]), 0, tensors["plain"].shape[1])
        return FrameFeatures(**{name: tensor.numpy() for name, tensor in tensors.items()}, backbone=note["backbone"])
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; run the stage features first") from None
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(f"{path}: the file is damaged: {error}; delete it and run the stage features again") from None
