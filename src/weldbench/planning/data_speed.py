"""Measurements of what happens to one frame before a network sees it, and of a process that starts."""

import io
import subprocess
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import numpy as np

from weldbench.errors import InputError
from weldbench.planning.calibration import shortest


def start_seconds(module: str) -> float:
    """Seconds in which a process imports a module: those that its processor works, whatever else is going on.

    Raises:
        InputError: It cannot.
    """
    code = f"import time, {module}; print(time.process_time())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it was killed"])[-1]
        raise InputError(f"a process that imports {module} fails ({said}); `weldbench doctor` looks at what is missing")
    return float(done.stdout)


def decode_seconds(width_px: int, height_px: int, frame_size_px: int) -> float:
    """Seconds in which ingest reads, checks, decodes and scales one PNG of this size."""
    from weldbench.ingest.archive import Archive
    from weldbench.ingest.ingest import ingest_member

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "frame.zip")
        with zipfile.ZipFile(path, "w") as zipped:
            zipped.writestr("frame.png", _png(width_px, height_px))
        with Archive(path) as archive:
            return shortest(lambda: ingest_member(archive, "frame.png", frame_size_px))


@cache
def _png(width_px: int, height_px: int) -> bytes:
    """Draw a frame that packs about as well as a published one, 0.22 bytes per pixel: bright pool, dark noise."""
    from PIL import Image

    rng = np.random.default_rng(0)
    rows, columns = np.ogrid[:height_px, :width_px]
    pool = 200 * np.exp(-((rows / height_px - 0.5) ** 2 + (columns / width_px - 0.5) ** 2) / 0.02)
    frame = pool + 20 + rng.normal(0, 0.8, (height_px, width_px))
    packed = io.BytesIO()
    Image.fromarray(frame.clip(0, 255).astype(np.uint8)).save(packed, "png")
    return packed.getvalue()


def simulate_seconds(width_px: int, height_px: int) -> float:
    """Seconds in which fetch renders one frame of the simulated dataset and packs it."""
    from weldbench.config.data import SimulatedDataset
    from weldbench.weldsim.archive import _png_film, runs_of

    dataset = SimulatedDataset(source="simulated", width_px=width_px, height_px=height_px)
    run = next(run for run in runs_of(dataset) if len(run.labels) >= 8)
    return shortest(lambda: _png_film(width_px, height_px, run)) / len(run.labels)


def render_seconds(size_px: int) -> float:
    """Seconds in which pretraining renders one frame."""
    from weldbench.weldsim import render_batch

    return shortest(lambda: render_batch((0, 0), 32, size_px)) / 32


def fingerprint_seconds(frame_size_px: int) -> float:
    """Seconds in which the audit of the split computes the fingerprints of one stored frame."""
    from weldbench.splitting.perceptual_hash import fingerprints

    frames = np.random.default_rng(0).integers(0, 255, (16, frame_size_px, frame_size_px), dtype=np.uint8)
    return shortest(lambda: fingerprints(frames)) / len(frames)


def resize_seconds(frame_size_px: int, input_size_px: int) -> float:
    """Seconds in which a training scales one stored frame to its input."""
    from weldbench.data.dataset import resident

    frames = np.zeros((64, frame_size_px, frame_size_px), np.uint8)
    return shortest(lambda: resident(frames, np.arange(len(frames)), input_size_px)) / len(frames)
