"""How fast and how lean ingest is, beside the usual way: Pillow's decoder and box filter, one process.

Every speed is measured on real frames of 1280x700, given by the environment variable WELDBENCH_SAMPLE, and every
ratio within this one run. Memory is measured at the size of the largest dataset.
Prints lines `name<TAB>value<TAB>unit` and writes the section of RESULTS.md.
"""

import io
import itertools
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from results import Measured, print_lines, write_section

from weldbench.config.data import Ingest, LocalDataset
from weldbench.errors import InputError
from weldbench.ingest.archive import Archive
from weldbench.ingest.ingest import ingest, ingest_member
from weldbench.ingest.packing import pack_folder
from weldbench.pipeline.command import command

SIZE_PX = 224
CLASSES = "good_weld", "bad_weld"
ROUNDS = 7
LIMIT_MS = 1.5  # libdeflate and a vectorized unfilter in C, measured on the same kind of machine
LARGEST_FRAMES = 45_000
REPEATS = 20  # of the sample, for the test of several cores
WHOLE_PASSES = 3


def with_pillow(archive: Archive, member: str) -> np.ndarray:
    """Decode and scale one frame as most projects do."""
    image = Image.open(io.BytesIO(archive.read(member)))
    return np.asarray(image.resize((SIZE_PX, SIZE_PX), Image.Resampling.BOX))


def milliseconds_per_frame(work: Callable[[Archive, str], object], archive: Archive, members: list[str]) -> float:
    """Time one round over all frames, in this process."""
    start = time.perf_counter()
    for member in members:
        work(archive, member)
    return (time.perf_counter() - start) * 1e3 / len(members)


def speed_of_one_core(archive_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return milliseconds per frame with Pillow and with ingest, each of shape (ROUNDS,); the two take turns."""
    with Archive(archive_path) as archive:
        members = [name for name in archive.names if name.lower().endswith(".png")]
        rounds = [
            (
                milliseconds_per_frame(with_pillow, archive, members),
                milliseconds_per_frame(lambda opened, member: ingest_member(opened, member, SIZE_PX), archive, members),
            )
            for _ in range(ROUNDS)
        ]
    pillow, ours = np.array(rounds).T
    return pillow, ours


def repeated(archive_path: Path, target: Path) -> None:
    """Write an archive with the frames of another one many times over, as many runs."""
    with Archive(archive_path) as archive, zipfile.ZipFile(target, "w") as packed:
        for name in archive.names:
            if name.lower().endswith(".png"):
                data = archive.read(name)
                for copy in range(REPEATS):
                    packed.writestr(f"{CLASSES[len(name) % 2]}/copy{copy}/{name.replace('/', '_')}", data)


def seconds_of_whole_pass(archive_path: Path, output: Path, workers: int) -> tuple[float, float]:
    """Time a whole pass, with its start and its files; return seconds, and this process's share of the computing.

    That share is what more workers do not shorten; unlike the seconds it does not depend on what else runs.
    """
    dataset = LocalDataset(source="local", path=str(archive_path))
    before, start = os.times(), time.perf_counter()
    ingest(archive_path, output, "benchmark", dataset, Ingest(frame_size_px=SIZE_PX, workers=workers))
    seconds, after = time.perf_counter() - start, os.times()
    own = after.user + after.system - before.user - before.system
    workers_own = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, own / (own + workers_own)


def gain_of_a_second_worker(small: Path, large: Path, folder: Path) -> tuple[float, float]:
    """Return how many times faster two workers are, and the serial share.

    Two archives are measured and their difference is taken, so that the start of the processes, which a large dataset
    does not feel, drops out. Of several rounds the quickest counts, as others use the machine too.
    """
    seconds: dict[tuple[int, Path], float] = {}
    for _ in range(WHOLE_PASSES):
        for workers, archive in itertools.product((1, 2), (small, large)):
            taken, serial_share = seconds_of_whole_pass(archive, folder / "pass", workers)
            seconds[workers, archive] = min(taken, seconds.get((workers, archive), taken))
    one, two = (seconds[workers, large] - seconds[workers, small] for workers in (1, 2))
    return one / two, serial_share


# What getrusage says of a process's own peak holds that of the process which started it, so the kernel's mark is read.
MEASURE_MEMORY = """
import re, resource, sys
from pathlib import Path
from weldbench.config.data import Ingest, LocalDataset
from weldbench.ingest.ingest import ingest

if __name__ == "__main__":
    dataset = LocalDataset(source="local", path=sys.argv[1])
    ingest(sys.argv[1], sys.argv[2], "memory", dataset, Ingest(frame_size_px=224, workers=2))
    own = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
    print(own + 2 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_memory_mib(folder: Path, frames: int) -> float:
    """Ingest so many frames of 1280x700 with two workers; return their and the parent's peak memory together.

    The frames are nearly empty pictures, small on disk, but of full size in memory.
    """
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((700, 1280), dtype=np.uint8)).save(buffer, "PNG")
    archive = folder / "large.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for number in range(frames):
            run = f"160708-140302-50mmLens 200A w.s.Lev16 g.f.15L.m try joining 5mm Plate {number // 800}"
            packed.writestr(f"{CLASSES[number % 2]}/{run}/image-{number:05d}.png", buffer.getvalue())
    script = folder / "measure_memory.py"
    script.write_text(MEASURE_MEMORY)
    command = [sys.executable, str(script), str(archive), str(folder / "large")]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout) / 1024


@command
def main() -> None:
    """Measure and print."""
    sample = os.environ.get("WELDBENCH_SAMPLE")
    if not sample:
        raise InputError("WELDBENCH_SAMPLE does not name a folder of real frames")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pack_folder(Path(sample), folder / "sample.zip")
        pillow_ms, ours_ms = speed_of_one_core(folder / "sample.zip")
        repeated(folder / "sample.zip", folder / "repeated.zip")
        two_vs_one, serial_share = gain_of_a_second_worker(folder / "sample.zip", folder / "repeated.zip", folder)
        memory_mib = peak_memory_mib(folder, LARGEST_FRAMES)
    measured = [
        Measured("ingest_ms_per_frame", ours_ms.tolist(), "ms"),
        Measured("pillow_ms_per_frame", pillow_ms.tolist(), "ms"),
        Measured("ingest_vs_pil", (pillow_ms / ours_ms).tolist(), "x"),
        Measured("ingest_vs_limit", (ours_ms / LIMIT_MS).tolist(), "x"),
        Measured("ingest_two_workers_vs_one", [two_vs_one], "x"),
        Measured("ingest_serial_share", [100 * serial_share], "%"),
        Measured("ingest_peak_memory", [memory_mib], "MiB"),
    ]
    print_lines(measured)
    write_section(
        "Ingest",
        f"Frames of 1280 x 700, from zip to {SIZE_PX} x {SIZE_PX} pixels; speed on real ones, memory with "
        f"{LARGEST_FRAMES:,} nearly empty ones. The limit is that of a decoder in C, {LIMIT_MS} ms.",
        measured,
    )


if __name__ == "__main__":
    main()
