"""The plant that the embedded dataset was filmed in: its runs, their cameras, plates, settings and labels.

The parts differ as those of a real record do: test was filmed with other cameras, at other exposures and on other
plates than train. All of them look down more steeply than any scene of the pretraining's stream, at plates that are
milled across the weld.
"""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from weldbench.config.data import SimulatedDataset
from weldbench.errors import InputError
from weldbench.weldsim.film import moment
from weldbench.weldsim.recipes import draw_scene
from weldbench.weldsim.scene import CLASSES, Camera, Plate, Scene

PARTS = ("train", "valid", "test")
FRAME_SECONDS = 0.25

_SHARES = {"burn_through": 0.28, "contamination": 0.25, "lack_of_fusion": 0.29, "high_travel_speed": 0.18}
_GOOD, _GAS = "good_weld", "lack_of_shielding_gas"
_GOOD_SHARE = 0.62  # of a part
_TRAIN_IMBALANCE = 20  # good_weld frames per lack_of_shielding_gas frame in train and valid


@dataclass(frozen=True)
class Run:
    """A run as planned: its name and classes, in the order in which they come."""

    part: str
    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Recording:
    """A run as filmed: one scene and label per frame."""

    part: str
    name: str
    scenes: list[Scene]


_LEAKED = Run("test", "190314-112207-50mmLens 200A w.s.11.5cm.m + no shielding gas", (_GAS,))
_BURN, _DIRT, _FUSION, _FAST = _SHARES
RUNS = (
    Run("train", "190312-093015-50mmLens 200A w.s.16cm.m g.f.15L.m 5mmPlate", (_GOOD,)),
    Run("train", "190312-094120-50mmLens 220A w.s.16cm.m g.f.15L.m 5mmPlate", (_GOOD,)),
    Run("train", "190312-101754-50mmLens 150A 17.2V w.s.lev8", (_GOOD,)),
    Run("train", "190312-140233-50mmLens 200A w.s.16cm.m g.f.10L.m try joining 5mm Plate", (_GOOD, _FUSION)),
    Run("train", "190313-084410-50mmLens 250A 22V w.s.lev8", (_GOOD, _BURN)),
    Run("train", "190313-091206-run3", (_BURN,)),
    Run("train", "190312-152149-50mmLens 200A w.s.16cm.m added slag", (_GOOD, _DIRT)),
    Run("train", "190312-153511-50mmLens 200A w.s.11.5cm.m + glue", (_DIRT,)),
    Run("train", "190312-160045-50mmLens 235A w.s.19cm.m try joining 10mmPlate", (_FUSION,)),
    Run("train", "190312-161730-50mmLens 300A w.s.19cm.m g.f.20L.m try joining 10mmPlate", (_FUSION,)),
    Run("train", "190313-100512-50mmLens 200A w.s.11.5cm.m + no shielding gas", (_GAS,)),
    Run("train", "190313-101139-50mmLens 180A w.s.16cm.m + no shielding gas", (_GAS,)),
    Run("train", "190313-134522-50mmLens w.s.75cm.m", (_FAST,)),
    Run("train", "190313-135240-50mmLens 250A w.s.90cm.m g.f.15L.m", (_FAST,)),
    Run("valid", "190314-090233-50mmLens 210A w.s.16cm.m g.f.12L.m 5mmPlate", (_GOOD,)),
    Run("valid", "190314-091548-50mmLens 200A w.s.19cm.m g.f.15L.m added slag", (_GOOD, _DIRT)),
    Run("valid", "190314-093801-run9", (_BURN,)),
    Run("valid", "190314-101414-50mmLens 220A w.s.19cm.m g.f.10L.m try joining 10mmPlate", (_FUSION,)),
    Run("valid", "190314-105026-50mmLens 190A w.s.11.5cm.m + no shielding gas", (_GAS,)),
    replace(_LEAKED, part="valid"),
    Run("valid", "190314-133355-50mmLens w.s.110cm.m", (_FAST,)),
    Run("test", "190321-083512-50mmLens 180A w.s.19cm.m g.f.10L.m 10mmPlate", (_GOOD,)),
    Run("test", "190321-085941-50mmLens 240A w.s.16cm.m g.f.15L.m 5mm Plate", (_GOOD,)),
    Run("test", "190321-092218-50mmLens 200A w.s.Lev16 g.f.20L.m try joining 5mm Plate", (_GOOD,)),
    Run("test", "190321-100734-50mmLens 260A 23V w.s.16cm.m", (_GOOD, _BURN)),
    Run("test", "190321-102455-run14", (_BURN,)),
    Run("test", "190321-111309-50mmLens 200A w.s.13cm.m + glue", (_DIRT,)),
    Run("test", "190321-112950-50mmLens 210A w.s.16cm.m added slag", (_GOOD, _DIRT)),
    Run("test", "190321-134140-50mmLens 150A w.s.19cm.m No Joint", (_FUSION,)),
    Run("test", "190321-135527-50mmLens 300A w.s.Lev16 g.f.40L.m try joining 10mm Plate", (_FUSION,)),
    _LEAKED,
    Run("test", "190321-144312-50mmLens 230A w.s.16cm.m + no shielding gas", (_GAS,)),
    Run("test", "190321-151006-50mmLens w.s.140cm.m", (_FAST,)),
    Run("test", "190321-152233-50mmLens 220A w.s.85cm.m g.f.15L.m", (_FAST,)),
)


def recordings(dataset: SimulatedDataset) -> list[Recording]:
    """Return the recordings of a dataset, in the order of `RUNS`.

    Raises:
        InputError: A part has too few frames to show each of its runs.
    """
    test = class_counts(dataset.test_frames, dataset.imbalance, "test")
    leaked_frames = _frames_by_run("test", test)[_LEAKED.name][0]
    counts = {
        "train": class_counts(dataset.train_frames, min(dataset.imbalance, _TRAIN_IMBALANCE), "train"),
        "valid": class_counts(dataset.valid_frames, min(dataset.imbalance, _TRAIN_IMBALANCE), "valid"),
        "test": test,
    }
    # A frame of the leaked run is the same in both parts, so its number is that of test.
    counts["valid"][_GOOD] -= leaked_frames
    frames = {part: _frames_by_run(part, counts[part], leaked_frames) for part in PARTS}
    return [_recording(dataset, run, frames[run.part][run.name]) for run in RUNS]


def class_counts(frames: int, imbalance: float, part: str) -> dict[str, int]:
    """Divide the frames of a part among the classes.

    Args:
        frames: Frames of the part.
        imbalance: good_weld frames per lack_of_shielding_gas frame.
        part: Its name, for the error.

    Raises:
        InputError: There are too few frames for that.
    """
    gas = max(round(_GOOD_SHARE * frames / (imbalance + 1)), 2)
    good = round(imbalance * gas)
    rest = frames - gas - good
    shared = {label: int(rest * share) for label, share in _SHARES.items()}
    shared[_BURN] += rest - sum(shared.values())
    counts = {_GOOD: good, **shared, _GAS: gas}
    if min(counts.values()) < 3 - (_GAS in counts):
        raise InputError(
            f"params.yaml: {frames} simulated frames in {part} are too few for good_weld {imbalance:g} times as often "
            f"as lack_of_shielding_gas; raise datasets.<name>.{part}_frames or lower datasets.<name>.imbalance"
        )
    return {label: counts[label] for label in CLASSES}


def _frames_by_run(part: str, counts: dict[str, int], leaked_frames: int | None = None) -> dict[str, tuple[int, ...]]:
    """Return for each run of a part how many frames it has of each of its labels."""
    runs = [run for run in RUNS if run.part == part]
    if part == "valid":
        runs = [run for run in runs if run.name != _LEAKED.name]
    holders = Counter(label for run in runs for label in run.labels)
    given: Counter[str] = Counter()
    frames = {}
    for run in runs:
        shares = []
        for label in run.labels:
            start, end = (counts[label] * (given[label] + step) // holders[label] for step in (0, 1))
            given[label] += 1
            shares.append(end - start)
        frames[run.name] = tuple(shares)
    if part == "valid":
        frames[_LEAKED.name] = (leaked_frames or 0,)
    return frames


def _recording(dataset: SimulatedDataset, run: Run, frames: tuple[int, ...]) -> Recording:
    filmed_in = _LEAKED.part if run.name == _LEAKED.name else run.part
    number = [known.name for known in RUNS].index(run.name)
    rng = np.random.default_rng((dataset.seed, number))
    start = draw_scene(rng, run.labels[-1], _camera(rng, filmed_in), _plate(rng, filmed_in), rng.uniform(0.7, 1.1))
    speed = rng.uniform(1.5, 3) if _FAST in run.labels else rng.uniform(0.1, 0.3)
    labels = [label for label, count in zip(run.labels, frames, strict=True) for _ in range(count)]
    scenes = [replace(moment(start, speed, index * FRAME_SECONDS), label=label) for index, label in enumerate(labels)]
    return Recording(run.part, run.name, scenes)


def _camera(rng: np.random.Generator, part: str) -> Camera:
    u = rng.uniform
    other = part == "test"
    return Camera(
        tip_x=u(0.8, 1.35) if other else u(0.5, 0.95),
        tip_y=u(0.08, 0.2) if other else u(0.05, 0.15),
        pool_unit=u(0.27, 0.36) if other else u(0.32, 0.42),
        tilt_rad=u(-0.3, 0.0) if other else u(0.0, 0.25),
        foreshortening=u(0.78, 0.92),
        mirrored=bool(u() < (0.7 if other else 0.2)),
        exposure=u(0.65, 1.0) if other else u(0.9, 1.35),
        contrast=u(4, 12),
        blur_px=u(0.5, 1.1),
        noise=u(0.004, 0.012),
        vignette=u(0.1, 0.4),
        time_stamp=bool(u() < 0.2),
    )


def _plate(rng: np.random.Generator, part: str) -> Plate:
    u = rng.uniform
    other = part == "test"
    return Plate(
        albedo=u(0.7, 1.0) if other else u(0.9, 1.3),
        grain=u(0.6, 1.5) if other else u(0.1, 0.7),
        grain_size=u(0.012, 0.03),
        brushing=u(0, 0.5) if other else u(0.4, 1.2),
        brushing_rad=u(1.0, 1.5),
        stains=u(0.2, 1.2),
        joint=u(0.2, 1) * (u() < 0.3),
        ledge_y=u(0.75, 0.95) if u() < 0.3 else 2.0,
        ledge_slope=u(-0.05, 0.2),
    )
