"""What a frozen backbone says about every labeled frame: from the file of features, or computed where that lacks it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weldbench.config.models import Model
from weldbench.config.training import Augment
from weldbench.data.dataset import Dataset
from weldbench.data.normalization import Normalization
from weldbench.errors import InputError
from weldbench.models.features import backbone_id, read_features, without_last_layer
from weldbench.models.initialization import initial_network
from weldbench.runtime.hardware import Fabric
from weldbench.training.features import compute_features

_NO_ROWS = np.empty(0, np.int64)


def features_of_all(
    fabric: Fabric, settings: Model, augment: Augment, dataset: Dataset, rows: NDArray[np.int64], path: Path
) -> NDArray[np.float32]:
    """Return the features of rows, float32, shape (N, F); a file of features lacks the frames beyond a cap.

    Args:
        fabric: From `hardware.prepare`.
        settings: Of the model, as they hold for the dataset.
        augment: The section `train.augment`; no frame is changed by it here.
        dataset: Where the frames are.
        rows: Of the manifest, sorted, int64, shape (N,).
        path: The file that the stage features wrote.

    Raises:
        InputError: The file is missing, damaged or of another backbone, or the weights are not to be had.
    """
    network, normalization = initial_network(settings, dataset.classes, None, Normalization(0.5, 0.5))
    backbone = without_last_layer(network, settings)
    known = read_features(path, views=False)
    if known.backbone != backbone_id(backbone, normalization, settings, dataset):
        raise InputError(
            f"{path}: these are features of another backbone, input size or set of frames; delete the file and run the "
            "stage features again"
        )
    there = np.isin(rows, known.rows)
    result = np.empty((len(rows), known.plain.shape[1]), np.float32)
    result[there] = known.of(rows[there])
    if not there.all():
        as_they_are = settings.model_copy(update={"augment_views": 0, "simulated_frames": 0})
        missing = rows[~there]
        computed = compute_features(fabric, backbone, normalization, as_they_are, augment, dataset, _NO_ROWS, missing)
        result[~there] = computed.of(missing)
    return result
