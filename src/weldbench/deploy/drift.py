"""Has the camera or the process changed? A running comparison of weld after weld with the runs of training.

Frames of one weld are near copies, so a weld counts once, by the mean of its frames. What depends on its class would
alarm where the mix of defects differs from that of training, as it always does: so each frame is compared with what
training frames of its PREDICTED class show. The means go into charts of a few numbers each (brightness, sharpness,
where the light lies, how sure the scores are, features), each a multivariate EWMA (Lowry, Woodall, Champ and Rigdon
1992, "A multivariate exponentially weighted moving average control chart"). A single strange weld counts up to a cap,
and alarms nothing alone. One more chart, a CUSUM of each defect's share (Page 1954; Reynolds and Stoumbos 1999, "A
CUSUM chart for monitoring a proportion"), tells where welds are called a defect more often than in training, which had
more defects than any production.

The limits are simulated for the number of runs that set mean and covariance: estimates from few runs multiply false
alarms (Jones, Champ and Rigdon 2001, "The performance of exponentially weighted moving average charts with estimated
parameters"), so fewer runs make wider limits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from weldbench.deploy.runtimes import Outputs
from weldbench.errors import InputError

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
FEWEST_FRAMES = 5  # of a weld that counts; so many of each run of training set the limits
SMOOTHING = 0.25  # weight of the newest weld
WELDS_PER_FALSE_ALARM = 2000  # all charts together, as simulated
_CLIP = 5.0  # standard deviations of a single feature


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
        slope = (across**2).mean(axis=(1, 2)) + (down**2).mean(axis=(1, 2))
        bend = (np.diff(across, axis=2) ** 2).mean(axis=(1, 2)) + (np.diff(down, axis=1) ** 2).mean(axis=(1, 2))
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
        share_limit: Of the CUSUM of each defect's share.
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
    share_limit: Floats
    first_defect: int
    runs: int

    def save(self, path: Path) -> None:
        """Write it as .npz, without pickle."""
        arrays = {name: np.asarray(value, np.float32) for name, value in vars(self).items() if _is_plain(value)}
        for chart, matrix in self.whitening.items():
            arrays |= {f"whitening/{chart}": matrix, f"limit/{chart}": np.array(self.limits[chart])}
        with path.open("wb") as file:
            np.savez_compressed(file, **arrays)

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
                **{name: found[name] for name in ("measures", "features", "scale", "directions", "center")},
                whitening={chart: found[f"whitening/{chart}"] for chart in charts},
                limits={chart: float(found[f"limit/{chart}"]) for chart in charts},
                shares=found["shares"],
                share_limit=found["share_limit"],
                first_defect=int(found["first_defect"]),
                runs=int(found["runs"]),
            )
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{path}: this file is damaged ({error}); export the model again") from None

    def differences(self, view: FrameView) -> tuple[Floats, Floats]:
        """Return how frames differ from training frames of their class: measures (N, 7), scaled features (N, F)."""
        features = np.clip((view.features - self.features[view.predicted]) / self.scale, -_CLIP, _CLIP)
        return view.measures - self.measures[view.predicted], features

    def vector(self, measures: Floats, features: Floats) -> Floats:
        """Return the vector of a weld from the mean differences of its frames, (7,) and (F,)."""
        along = self.directions @ features
        rest = max(float(features @ features - along @ along), 0.0)
        return np.concatenate([measures, along, [np.log(rest + 1e-6)]])


class Weld:
    """The frames of one weld so far, as sums."""

    def __init__(self, reference: Reference):
        self._reference = reference
        self._measures, self._features = np.zeros(MEASURES), np.zeros(len(reference.scale))
        self._classes, self.frames = np.zeros(len(reference.shares)), 0

    def add(self, said: Outputs) -> None:
        """Take frames."""
        view = FrameView.of(said)
        measures, features = self._reference.differences(view)
        self._measures += measures.sum(axis=0)
        self._features += features.sum(axis=0)
        self._classes += np.bincount(view.predicted, minlength=len(self._classes))
        self.frames += len(measures)

    def summary(self) -> tuple[Floats, Floats]:
        """Return its vector, (11,), and the shares of its frames that are taken for each class, (K,)."""
        vector = self._reference.vector(self._measures / self.frames, self._features / self.frames)
        return vector, self._classes / self.frames


@dataclass
class DriftState:
    """Where the charts stand; plain numbers, so that a record can keep them.

    Attributes:
        welds: Seen so far.
        means: Chart -> its moving average.
        sums: CUSUM of each class.
        calm: Chart or class -> the last weld at which it was where it usually is.
        told: Charts and classes that are beyond their limits, which was said.
    """

    welds: int = 0
    means: dict[str, list[float]] = field(default_factory=dict)
    sums: list[float] = field(default_factory=list)
    calm: dict[str, int] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "DriftState":
        """Take what `vars` gave, as JSON kept it."""
        return cls(**kept)


class Drift:
    """The charts over the welds of one camera, in the order in which they were made.

    Args:
        reference: Of the export.
        classes: Names in label order.
        state: Where an earlier watch ended; None begins anew.
    """

    def __init__(self, reference: Reference, classes: Sequence[str], state: DriftState | None = None):
        self._reference, self._classes = reference, classes
        self.state = state or DriftState()

    @property
    def changed(self) -> bool:
        """Whether a chart is beyond its limit now."""
        return bool(self.state.told)

    def add(self, weld: Weld) -> str | None:
        """Take a finished weld; return a sentence where it brings a chart beyond its limit.

        A weld of fewer than 5 frames does not count: its mean says less than those that set the limits.
        """
        return self.add_summary(*weld.summary()) if weld.frames >= FEWEST_FRAMES else None

    def add_summary(self, vector: Floats, shares: Floats) -> str | None:
        """Take a weld by its vector, (11,), and the shares of its classes, (K,)."""
        reference, state = self._reference, self.state
        state.welds += 1
        beyond: dict[str, float] = {}
        for chart, whitening in reference.whitening.items():
            newest = capped(whitening @ (vector - reference.center)[CHARTS[chart]])
            mean = np.array(state.means.get(chart, np.zeros(len(newest))))
            mean = (1 - SMOOTHING) * mean + SMOOTHING * newest
            state.means[chart] = mean.tolist()
            self._weigh(chart, statistic(mean), len(mean), reference.limits[chart], beyond)
        sums = np.array(state.sums or np.zeros(len(shares)))
        sums = np.maximum(sums + share_step(shares, reference.shares), 0.0)
        state.sums = sums.tolist()
        for number in range(reference.first_defect, len(shares)):
            self._weigh(self._classes[number], sums[number], 0.0, reference.share_limit[number], beyond)
        fresh = [name for name in beyond if name not in state.told]
        state.told = list(beyond)
        return self._sentence(fresh, beyond) if fresh else None

    def _weigh(self, name: str, value: float, usual: float, limit: float, beyond: dict[str, float]) -> None:
        if value <= usual:
            self.state.calm[name] = self.state.welds
        if value > limit:
            beyond[name] = float(value / limit)

    def _sentence(self, fresh: Sequence[str], beyond: Mapping[str, float]) -> str:
        most = max(fresh, key=lambda name: beyond[name])
        since = self.state.calm.get(most, 0) + 1
        what = f"{most} moved most" if most in CHARTS else f"more welds are taken for {most} than in training"
        return f"the camera or the process has changed since weld {since}: {what}"


def capped(whitened: Floats) -> Floats:
    """Shorten a vector of independent numbers of variance 1, (..., d), to the length that one in 1,000 exceeds."""
    from scipy.stats import chi2  # late: it takes a while to import

    longest = float(chi2.ppf(0.999, whitened.shape[-1])) ** 0.5
    length = np.sqrt((whitened**2).sum(axis=-1, keepdims=True))
    return np.asarray(whitened * np.minimum(1.0, longest / np.maximum(length, 1e-12)))


def statistic(mean: Floats) -> Any:
    """Return the squared distance of moving averages, (..., d), in their standard deviations."""
    return (mean**2).sum(axis=-1) * (2 - SMOOTHING) / SMOOTHING


def share_step(shares: Floats, usual: Floats) -> Floats:
    """Return the step of the CUSUM of each class: the log likelihood ratio of half way to every weld, to the usual."""
    more = usual + (1 - usual) / 2
    return np.asarray(shares * np.log(more / usual) + (1 - shares) * np.log((1 - more) / (1 - usual)))


def _is_plain(value: object) -> bool:
    return not isinstance(value, dict | Mapping)
