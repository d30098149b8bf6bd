"""What training looked like, for the drift check: by class, and how much a run differs from its class."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from weldbench.deploy.bundle import Bundle
from weldbench.deploy.runtimes import Outputs
from weldbench.errors import InputError
from weldbench.runtime.atomic import replacing

Floats = NDArray[np.float64]

# Chart -> its places in a weld's vector.
CHARTS = {
    "brightness": slice(0, 2),
    "sharpness": slice(2, 4),
    "position of the light": slice(4, 6),
    "scores": slice(6, 7),
    "features": slice(7, 11),
}
MEASURES, NUMBERS = 7, 11  # of a frame without its features; of a weld's vector
DIRECTIONS = 3  # of the features, beside their distance from what training shows
CLIP = 5.0  # standard deviations of a single feature
_ARRAYS = (
    "measures", "features", "scale", "directions", "center", "shares", "share_limits", "first_defect", "runs",
)  # fmt: skip


class FrameView(NamedTuple):
    """What a frame says about camera and process, of N frames.

    Attributes:
        measures: Brightness (2), sharpness (2), position of the light (2), scores (1): float64, shape (N, 7).
        features: float64, shape (N, F).
        predicted: Most probable class, int64, shape (N,).
    """

    measures: Floats
    features: Floats
    predicted: NDArray[np.int64]

    @classmethod
    def of(cls, said: Outputs) -> "FrameView":
        """Measure frames as the network sees them, and take what it says of them."""
        levels = said.levels.astype(np.float64)
        pixels = levels.reshape(len(levels), -1)
        mean, spread = pixels.mean(axis=1), pixels.std(axis=1)
        across, down = np.diff(levels, axis=2), np.diff(levels, axis=1)
        slope = _mean_square(across) + _mean_square(down)
        bend = _mean_square(np.diff(across, axis=2)) + _mean_square(np.diff(down, axis=1))
        light = pixels.sum(axis=1) + 1
        place = (np.arange(levels.shape[1]) + 0.5) / levels.shape[1]
        measures = [
            np.log(mean + 1),
            np.log(np.quantile(pixels, 0.995, axis=1) + 2),
            np.log(slope + 0.1) - 2 * np.log(spread + 1),
            np.log(bend + 0.01) - np.log(slope + 0.1),
            (levels.sum(axis=1) @ place) / light,
            (levels.sum(axis=2) @ place) / light,
            np.log(1.001 - said.probabilities.max(axis=1).astype(np.float64)),
        ]
        return cls(np.stack(measures, axis=1), said.features.astype(np.float64), said.probabilities.argmax(axis=1))


@dataclass(frozen=True)
class Reference:
    """What training looked like, and how far welds may be from it.

    Attributes:
        measures: Mean measures of each class, shape (K, 7).
        features: Mean features of each class, shape (K, F).
        scale: Of each feature, shape (F,).
        directions: In which features differ most from run to run, shape (3, F).
        center: Mean of a weld's vector, shape (11,).
        whitening: Chart -> matrix that makes its numbers independent with variance 1, shape (d, d).
        limits: Chart -> limit of its statistic; charts that the runs were too few for are absent.
        shares: Share of welds of each class in training, shape (K,).
        share_limits: Of the CUSUM of each class, shape (K,).
        first_defect: Number of the first class that is a defect.
        runs: Runs behind it.
    """

    measures: Floats
    features: Floats
    scale: Floats
    directions: Floats
    center: Floats
    whitening: Mapping[str, Floats]
    limits: Mapping[str, float]
    shares: Floats
    share_limits: Floats
    first_defect: int
    runs: int

    def save(self, path: Path) -> None:
        """Write it as .npz, without pickle."""
        arrays = {name: np.asarray(getattr(self, name), np.float32) for name in _ARRAYS}
        for chart, matrix in self.whitening.items():
            arrays[f"whitening/{chart}"] = matrix.astype(np.float32)
            arrays[f"limit/{chart}"] = np.array(self.limits[chart], np.float32)
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Reference":
        """Read what `save` wrote.

        Raises:
            InputError: The file is damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                found = {name: file[name].astype(np.float64) for name in file.files}
            charts = [name.partition("/")[2] for name in found if name.startswith("limit/")]
            return cls(
                **{name: found[name] for name in _ARRAYS[:-2]},
                whitening={chart: found[f"whitening/{chart}"] for chart in charts},
                limits={chart: float(found[f"limit/{chart}"]) for chart in charts},
                first_defect=int(found["first_defect"]),
                runs=int(found["runs"]),
            )
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise InputError(f"{path}: this file is damaged ({error}); export the model again") from None

    @classmethod
    def of(cls, bundle: Bundle, int8: bool = False) -> "Reference | None":
        """Read that of the graph of an export that runs; None where it has none.

        Raises:
            InputError: The file is damaged.
        """
        path = bundle.int8_drift_path if int8 else bundle.drift_path
        return cls.load(path) if path else None

    def traits(self, said: Outputs) -> Floats:
        """Return what frames say of camera and process, each compared with training frames of its predicted class.

        Returns:
            float64, shape (N, 11); the mean over a weld is what the charts get.
        """
        view = FrameView.of(said)
        away = np.clip((view.features - self.features[view.predicted]) / self.scale, -CLIP, CLIP)
        along = away @ self.directions.T
        rest = np.maximum((away**2).sum(axis=1) - (along**2).sum(axis=1), 0.0)
        return np.column_stack([view.measures - self.measures[view.predicted], along, np.log(rest + 1e-6)])


def _mean_square(values: Floats) -> Floats:
    """Return the mean square of each map, (N, h, w) -> (N,); 0 of a map without pixels."""
    return np.asarray((values**2).sum(axis=(1, 2)) / max(values[0].size, 1))
