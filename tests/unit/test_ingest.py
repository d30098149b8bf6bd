import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from archives import CLASSES, encoded, frame, picture, published, small_dataset, write_zip
from PIL import Image

from weldbench.config.data import Ingest, LocalDataset
from weldbench.data.resize import area_mean
from weldbench.errors import InputError
from weldbench.ingest.fetch import fetch
from weldbench.ingest.ingest import ingest
from weldbench.runtime.parallel import ordered_map

ROOT = Path(__file__).resolve().parents[2]
FILES = ("frames.npy", "manifest.csv", "inventory.json")
DATASET = LocalDataset(source="local", path="anywhere", classes=CLASSES)


def ingested(folder: Path, members: dict[str, bytes], **settings: object) -> tuple[np.ndarray, pd.DataFrame, dict]:
    archive = write_zip(folder / "archive.zip", members)
    ingest(archive, folder, "ours", DATASET, Ingest(**{"frame_size_px": 8, "workers": 1, **settings}))
    return read(folder)


def read(folder: Path) -> tuple[np.ndarray, pd.DataFrame, dict]:
    frames = np.load(folder / "frames.npy", mmap_mode="r", allow_pickle=False)
    manifest = pd.read_csv(folder / "manifest.csv", keep_default_na=False)
    return frames, manifest, json.loads((folder / "inventory.json").read_text())


def test_the_three_files(tmp_path: Path) -> None:
    splits = {
        "valid": {"run 2/image-0001.png": 2},
        "train": {"160705-150529-200A/image-0002.png": 0, "160705-150529-200A/image-0001.png": 1},
    }
    members = published(splits)
    members["ss304/train/160705-150529-200A/image-0001.png"] = encoded(picture(5, 64, 32))
    frames, manifest, inventory = ingested(tmp_path, members)
    assert frames.dtype == np.uint8
    assert frames.shape == (3, 8, 8)
    assert manifest.columns.tolist() == [
        "row", "path", "run", "label", "published_split", "width_px", "height_px", "sha256"
    ]  # fmt: skip
    assert manifest["path"].tolist() == [
        "160705-150529-200A/image-0001.png",
        "160705-150529-200A/image-0002.png",
        "run 2/image-0001.png",
    ]
    assert manifest["label"].tolist() == ["burn_through", "good_weld", "contamination"]
    assert manifest["published_split"].tolist() == ["train", "train", "valid"]
    assert manifest["width_px"].tolist() == [64, 40, 40]
    assert manifest["height_px"].tolist() == [32, 24, 24]
    assert manifest["sha256"][0] == hashlib.sha256(members["ss304/train/160705-150529-200A/image-0001.png"]).hexdigest()
    assert np.array_equal(frames[0], area_mean(picture(5, 64, 32), 8))
    assert inventory == {
        "dataset": "ours",
        "classes": CLASSES,
        "good_class": "good_weld",
        "frame_height_px": 8,
        "frame_width_px": 8,
        "frames": 3,
        "counts": {
            "train": {"good_weld": 1, "burn_through": 1, "contamination": 0},
            "valid": {"good_weld": 0, "burn_through": 0, "contamination": 1},
        },
        "runs": {"160705-150529-200A": {"recorded": "2016-07-05T15:05:29", "current_a": 200.0}, "run 2": {}},
        "rejected": [],
        "notes": [
            "The split train as published holds no frame of contamination.",
            "The split valid as published holds no frame of good_weld.",
            "The split valid as published holds no frame of burn_through.",
        ],
    }


def test_any_number_of_workers_and_any_packing_gives_the_same_bytes(tmp_path: Path) -> None:
    members = published(small_dataset(runs_per_class=4, frames_per_run=3))
    results = set()
    for name, workers, compression, order in (
        ("one", 1, zipfile.ZIP_STORED, members),
        ("three", 3, zipfile.ZIP_DEFLATED, dict(reversed(members.items()))),
    ):
        (tmp_path / name).mkdir()
        archive = write_zip(tmp_path / f"{name}.zip", order, compression)
        ingest(archive, tmp_path / name, "ours", DATASET, Ingest(frame_size_px=8, workers=workers))
        results.add(tuple((tmp_path / name / file).read_bytes() for file in FILES))
    assert len(results) == 1


def test_zero_workers_are_one_per_core_that_the_process_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def in_this_process(function, tasks, workers, remedy, initializer):
        asked.append(workers)
        return ordered_map(function, tasks, 1, remedy, initializer)

    monkeypatch.setattr("weldbench.ingest.ingest.ordered_map", in_this_process)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {4, 7, 9}, raising=False)
    ingested(tmp_path, published(small_dataset()), workers=0)
    monkeypatch.delattr(os, "sched_getaffinity")  # as on macOS
    ingested(tmp_path, published(small_dataset()), workers=0)
    assert asked == [3, 64]


def test_an_archive_that_is_not_there_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    dataset = LocalDataset(source="local", path=str(tmp_path))
    with pytest.raises(InputError, match="there is no such file"):
        ingest(tmp_path / "archive.zip", tmp_path, "mine", dataset, Ingest())
    assert capsys.readouterr().err == ""


def test_conversions_are_noted(tmp_path: Path) -> None:
    members = {f"{label}/{number}.png": frame(number) for label in CLASSES for number in range(2)}
    members["good_weld/color.png"] = encoded(np.stack([picture(7)] * 3, axis=2))
    members["good_weld/deep.png"] = encoded(picture(8).astype(np.uint16) * 257)
    frames, manifest, inventory = ingested(tmp_path, members)
    assert "1 frame: 16-bit levels scaled to 8 bit." in inventory["notes"]
    assert "1 frame: color made gray by luminance." in inventory["notes"]
    rows = manifest.set_index("path")["row"]
    assert np.array_equal(frames[rows["good_weld/color.png"]], area_mean(picture(7), 8))
    assert np.array_equal(frames[rows["good_weld/deep.png"]], area_mean(picture(8), 8))


def test_a_failed_pass_leaves_the_files_of_the_one_before(tmp_path: Path) -> None:
    members = published(small_dataset())
    ingested(tmp_path, members)
    before = [(tmp_path / file).read_bytes() for file in FILES]
    members["ss304/valid/valid-2-run1/image-0001.png"] = b"broken"
    with pytest.raises(InputError, match="valid-2-run1"):
        ingested(tmp_path, members)
    assert [(tmp_path / file).read_bytes() for file in FILES] == before


def start(folder: Path) -> subprocess.Popen:
    """Start the command on an archive that keeps two workers busy for a while."""
    write_zip(folder / "archive.zip", published(small_dataset(10, 20)))
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["datasets"]["ours"] = DATASET.model_dump(exclude_none=True)
    params["ingest"] = {"frame_size_px": 224, "workers": 2}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    arguments = ["--dataset", "ours", "--archive", "archive.zip", "--output", "output"]
    command = [sys.executable, str(ROOT / "scripts" / "ingest.py"), *arguments]
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)


def test_a_killed_pass_leaves_no_file_and_no_worker(tmp_path: Path) -> None:
    output = tmp_path / "output"
    process = start(tmp_path)
    while not (workers := _workers_of(process.pid)) or not list(output.glob(".frames*")):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert not [file for file in FILES if (output / file).exists()]
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)
    ingest(tmp_path / "archive.zip", output, "ours", DATASET, Ingest(frame_size_px=8, workers=1))
    assert len(read(output)[1]) == 3 * 3 * 10 * 20


def _workers_of(parent: int) -> list[int]:
    workers = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
            command = (status.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == parent and b"spawn_main" in command:
            workers.append(int(status.parent.name))
    return workers


def test_a_killed_worker_is_one_message(tmp_path: Path) -> None:
    process = start(tmp_path)
    while not (workers := _workers_of(process.pid)):
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(workers[0], signal.SIGKILL)
    message = process.communicate()[1]
    assert process.returncode == 2, message
    assert "error: a worker process was killed" in message
    assert list((tmp_path / "output").iterdir()) == []


PEAK_MEMORY = """
import re, sys
from pathlib import Path
from weldbench.config.data import Ingest, LocalDataset
from weldbench.ingest.ingest import ingest
dataset = LocalDataset(source="local", path="archive.zip")
ingest(sys.argv[1], sys.argv[2], "memory", dataset, Ingest(frame_size_px=224, workers=1))
# Unlike getrusage's, this peak does not hold that of the process which started this one.
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""


@pytest.mark.slow
def test_the_memory_for_45000_frames_of_full_size(tmp_path: Path) -> None:
    black = encoded(np.zeros((700, 1280), dtype=np.uint8))
    peaks_mib = []
    for frames in (500, 4500):
        names = [f"{CLASSES[n % 2]}/run {n // 800}/image-{n:05d}.png" for n in range(frames)]
        archive = write_zip(tmp_path / "archive.zip", dict.fromkeys(names, black))
        command = [sys.executable, "-c", PEAK_MEMORY, str(archive), str(tmp_path / "output")]
        peaks_mib.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    growth_mib = (peaks_mib[1] - peaks_mib[0]) / 4000
    # Two workers beside the process, each with its own list of names.
    assert 3 * (peaks_mib[0] + 45_000 * growth_mib) < 1024


def test_the_real_sample(sample: Path, tmp_path: Path) -> None:
    dataset = LocalDataset(source="local", path=str(sample))
    fetch(tmp_path / "archive.zip", "sample", dataset)
    ingest(tmp_path / "archive.zip", tmp_path, "sample", dataset, Ingest(frame_size_px=70, workers=1))
    frames, manifest, inventory = read(tmp_path)
    assert frames.shape == (120, 70, 70)
    assert set(zip(manifest["width_px"], manifest["height_px"], strict=True)) == {(1280, 700)}
    for counts in inventory["counts"].values():
        assert set(counts.values()) == {10}
    run = "160708-140302-50mmLens 200A w.s.Lev16 g.f.15L.m try joining 5mm Plate"
    assert inventory["runs"][run]["gas_flow_l_per_min"] == 15
    # The height shrinks by the whole factor 10, so with the full width kept Pillow's box filter is the reference.
    row = 17
    original = Image.open(sample / manifest["published_split"][row] / manifest["path"][row]).reduce((1, 10))
    columns = np.asarray(original, dtype=float).reshape(70, 1280).mean(axis=1)
    assert np.abs(frames[row].mean(axis=1) - columns).max() < 1
