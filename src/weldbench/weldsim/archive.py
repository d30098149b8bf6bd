"""The simulated dataset as one zip in the published layout, the same bytes every time."""

import io
import json
import os
import zipfile
from pathlib import Path

from PIL import Image

from weldbench.config.data import SimulatedDataset
from weldbench.parallel import ordered_map
from weldbench.progress import reporting
from weldbench.weldsim.film import film
from weldbench.weldsim.plant import PARTS, Recording, recordings
from weldbench.weldsim.scene import CLASSES

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold
_FRAMES_WORTH_A_PROCESS = 300


def write_archive(dataset: SimulatedDataset, path: Path) -> None:
    """Render a dataset and write it as `{part}/{part}.json` and `{part}/{run}/image-0001.png`, ... into a zip.

    Args:
        dataset: Numbers of frames, their size, the imbalance and the seed.
        path: Where the zip goes; one that is there is overwritten.

    Raises:
        InputError: A part has too few frames.
    """
    planned = recordings(dataset)
    frames = sum(len(recording.scenes) for recording in planned)
    workers = min(len(os.sched_getaffinity(0)), 1 + frames // _FRAMES_WORTH_A_PROCESS)
    size = (dataset.height_px, dataset.width_px)
    rendered = ordered_map(_pictures, planned, workers, _set_size, size)
    with zipfile.ZipFile(path, "w") as archive, reporting("simulate", frames, "frames") as advance:
        for part in PARTS:
            labels = {
                f"{recording.name}/{_frame_name(index)}": CLASSES.index(scene.label)
                for recording in planned
                if recording.part == part
                for index, scene in enumerate(recording.scenes)
            }
            _add(archive, f"{part}/{part}.json", json.dumps(labels, indent=1).encode())
        for recording, pictures in zip(planned, rendered, strict=True):
            for index, picture in enumerate(pictures):
                _add(archive, f"{recording.part}/{recording.name}/{_frame_name(index)}", picture)
            advance(len(pictures))


def _frame_name(index: int) -> str:
    return f"image-{index + 1:04d}.png"


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name, _EPOCH)
    member.external_attr = 0o644 << 16
    archive.writestr(member, content)


_size: tuple[int, int] = (0, 0)


def _set_size(size: tuple[int, int]) -> None:
    global _size
    _size = size


def _pictures(recording: Recording) -> list[bytes]:
    return [_png(frame) for frame in film(recording.scenes, *_size)]


def _png(frame) -> bytes:
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "PNG", compress_level=1)
    return file.getvalue()
