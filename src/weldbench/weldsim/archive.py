"""The embedded dataset in the published layout: its runs, what they hold, and the archive of their frames."""

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from weldbench.config.base import SplitName
from weldbench.config.data import SimulatedDataset
from weldbench.runtime.parallel import ordered_map
from weldbench.runtime.progress import reporting
from weldbench.runtime.seeding import Stream, generator
from weldbench.weldsim.domain import PLANT, Process, process_of
from weldbench.weldsim.draw import scene_of, with_defect
from weldbench.weldsim.film import at
from weldbench.weldsim.render import render
from weldbench.weldsim.scene import CLASSES, Scene

GOOD, HOLE, DIRT, FOLD, GAS, FAST = range(len(CLASSES))
# The classes that follow each other in each run. As in the real set, a weld may go bad in the middle, shielding gas
# is missing in few runs, and one of those stands in valid and in test, frame for frame: a leak for the audit to find.
_RUNS: dict[SplitName, list[tuple[int, ...]]] = {
    "train": [
        *[(GOOD,)] * 10, *[(GOOD, HOLE), (GOOD, DIRT), (GOOD, FOLD), (FAST, GOOD)] * 2,
        *[(HOLE,), (DIRT,), (FOLD,)] * 7, *[(GAS,)] * 5, *[(FAST,)] * 6,
    ],
    "valid": [
        *[(GOOD,)] * 7, (GOOD, HOLE), (GOOD, DIRT), (GOOD, FOLD), *[(HOLE,), (DIRT,), (FOLD,)] * 4, *[(GAS,)] * 2,
        *[(FAST,)] * 4,
    ],
    "test": [
        *[(GOOD,)] * 8, (GOOD, HOLE), (GOOD, DIRT), (GOOD, FOLD), (FAST, GOOD), *[(HOLE,), (DIRT,), (FOLD,)] * 4,
        *[(GAS,)] * 2, *[(FAST,)] * 4,
    ],
}  # fmt: skip
_SHARES = {
    "train": (0.36, 0.16, 0.16, 0.17, 0.05, 0.10),
    "valid": (0.36, 0.16, 0.15, 0.17, 0.06, 0.10),
    "test": (0.55, 0.12, 0.11, 0.12, 0.0, 0.10),
}
_SECONDS_PER_FRAME = 0.4
_STRETCH_FRAMES = 5
_ZIP_TIME = (2016, 7, 8, 12, 0, 0)


@dataclass(frozen=True)
class Run:
    """A film: its name, the splits that it stands in, the label of each frame, and what it is drawn from."""

    name: str
    splits: tuple[str, ...]
    labels: tuple[int, ...]
    process: Process
    seed: tuple[int, ...]


def runs_of(dataset: SimulatedDataset) -> list[Run]:
    """Lay out the runs of a dataset; their labels sum up to the frames that it asks for."""
    runs: list[Run] = []
    leaked = _leaked_frames(dataset)
    for split, plan in _RUNS.items():
        counts = _counts(split, dataset.frames_per_split[split], dataset.imbalance)
        if split != "train":
            counts[GAS] -= leaked
        for number, labels in enumerate(plan):
            filmed = [label for label in labels for _ in range(_share(counts[label], label, number, plan))]
            if filmed:
                runs.append(_run(dataset, len(runs), (split,), filmed))
        if split == "valid" and leaked:
            runs.append(_run(dataset, len(runs), ("valid", "test"), [GAS] * leaked))
    return runs


def frames_of(dataset: SimulatedDataset) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the archive's frames in order: (`split/run/image-0001.png`, uint8 of shape (height_px, width_px))."""
    for run in runs_of(dataset):
        frames = film_of(run, dataset.width_px, dataset.height_px)
        for split in run.splits:
            for number, frame in enumerate(frames, 1):
                yield f"{split}/{run.name}/image-{number:04d}.png", frame


def labels_of(dataset: SimulatedDataset) -> dict[str, dict[str, int]]:
    """Return split -> `run/image-0001.png` -> label, what the published JSON files hold."""
    labels: dict[str, dict[str, int]] = {split: {} for split in _RUNS}
    for run in runs_of(dataset):
        for split in run.splits:
            labels[split] |= {f"{run.name}/image-{n:04d}.png": label for n, label in enumerate(run.labels, 1)}
    return labels


def write_archive(dataset: SimulatedDataset, zip_path: Path | str, workers: int = 2) -> None:
    """Write the dataset as one zip, the same bytes each time.

    It holds `{split}/{split}.json` and `{split}/{run}/image-0001.png`.

    Args:
        dataset: What to render.
        zip_path: Written as it goes on; a caller who needs all or nothing renames it afterwards.
        workers: Processes that render and compress.
    """
    runs = runs_of(dataset)
    total = sum(len(run.labels) * len(run.splits) for run in runs)
    png_film = partial(_png_film, dataset.width_px, dataset.height_px)
    films = ordered_map(png_film, runs, workers, "free some memory")
    with reporting("render", total, "frames") as advance, zipfile.ZipFile(zip_path, "w", zipfile.ZIP_STORED) as archive:
        for split, labels in labels_of(dataset).items():
            text = json.dumps(labels, indent=0, ensure_ascii=False)
            archive.writestr(zipfile.ZipInfo(f"{split}/{split}.json", _ZIP_TIME), text)
        for run, images in zip(runs, films, strict=True):
            for split in run.splits:
                for number, image in enumerate(images, 1):
                    archive.writestr(zipfile.ZipInfo(f"{split}/{run.name}/image-{number:04d}.png", _ZIP_TIME), image)
            advance(len(images) * len(run.splits))


def _png_film(width_px: int, height_px: int, run: Run) -> list[bytes]:
    images = []
    for frame in film_of(run, width_px, height_px):
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "png", compress_level=1)
        images.append(buffer.getvalue())
    return images


def film_of(run: Run, width_px: int, height_px: int, numbers: range | None = None) -> np.ndarray:
    """Render a run: one weld, to which each class in turn adds its defect.

    Args:
        run: From `runs_of`.
        width_px: Width of a frame.
        height_px: Its height.
        numbers: Which frames of the run, from 0; None: all.

    Returns:
        uint8, shape (N, height_px, width_px).
    """
    numbers = range(len(run.labels)) if numbers is None else numbers
    frames = np.empty((len(numbers), height_px, width_px), np.uint8)
    weld = scene_of(GOOD, run.process, PLANT, generator(Stream.SIMULATED_WELD, *run.seed))
    speed_mm_s = run.process.travel_speed_cm_min / 6
    stretches: dict[tuple[int, int], Scene] = {}
    for place, number in enumerate(numbers):
        # A hole closes, a lump drifts away, and the next one is another: a new draw for each stretch of the film.
        label, stretch = run.labels[number], number // _STRETCH_FRAMES
        if (label, stretch) not in stretches:
            draw = generator(Stream.SIMULATED_DEFECT, *run.seed, label, stretch)
            stretches[label, stretch] = with_defect(replace(weld, label=label), draw)
        scene = at(stretches[label, stretch], float(number) * _SECONDS_PER_FRAME, speed_mm_s)
        frames[place] = render([scene], width_px, height_px)[0]
    return frames


def _run(dataset: SimulatedDataset, number: int, splits: tuple[str, ...], labels: list[int]) -> Run:
    seed = (dataset.seed, number)
    process = process_of(max(labels), generator(Stream.SIMULATED_PROCESS, *seed, 1))
    return Run(_name(number, process, max(labels)), splits, tuple(labels), process, (*seed, 2))


def _name(number: int, process: Process, label: int) -> str:
    """Name a run as the laboratory did: when, which lens, and the facts of the process."""
    minute = 37 * number
    when = f"1607{5 + minute // 480:02d}-{9 + minute % 480 // 60:02d}{minute % 60:02d}{(number * 17) % 60:02d}"
    facts = f"{process.current_a:g}A w.s.{process.travel_speed_cm_min:g}cm.m"
    if label == GAS:
        return f"{when}-50mmLens {facts} + no shielding gas"
    dirt = " + added slag" if label == DIRT else ""
    return f"{when}-50mmLens {facts} g.f.{process.gas_flow_l_min:g}L.m {process.thickness_mm:g}mmPlate{dirt}"


def _counts(split: str, total: int, imbalance: float) -> list[int]:
    """Divide a split's frames among the classes; in test, the good weld is `imbalance` times the missing gas."""
    counts = [int(total * share) for share in _SHARES[split]]
    if split == "test":
        counts[GAS] = max(1, min(round(counts[GOOD] / imbalance), int(0.3 * total)))
        # Where the split is too small for that ratio, the other classes come first.
        counts[GOOD] = min(round(counts[GAS] * imbalance), int(0.7 * total))
        others = total - counts[GAS] - counts[GOOD]
        for label in (HOLE, DIRT, FAST):
            counts[label] = others * 3 // 11
    counts[FOLD if split == "test" else GOOD] += total - sum(counts)
    return counts


def _leaked_frames(dataset: SimulatedDataset) -> int:
    valid = _counts("valid", dataset.valid_frames, dataset.imbalance)[GAS]
    test = _counts("test", dataset.test_frames, dataset.imbalance)[GAS]
    return min(valid, test, max(1, test // 4))


def _share(count: int, label: int, number: int, plan: Sequence[tuple[int, ...]]) -> int:
    """Return how many of a class's frames the run of this number in the plan holds."""
    holders = [index for index, labels in enumerate(plan) if label in labels]
    return count // len(holders) + (holders.index(number) < count % len(holders))
