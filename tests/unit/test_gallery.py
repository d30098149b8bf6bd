"""The gallery: simulated frames, and real ones beside them where there are some."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from weldbench.weldsim import CLASSES


def gallery(*arguments):
    return subprocess.run(
        [sys.executable, "scripts/gallery.py", *map(str, arguments)], capture_output=True, text=True, timeout=300
    )


@pytest.fixture
def split(tmp_path):
    """A split of a published layout with four made-up frames per class."""
    folder = tmp_path / "train"
    labels = {f"run{label}/image-{n:04d}.png": label for label in range(len(CLASSES)) for n in range(4)}
    for path, label in labels.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((35, 64), 40 * label, np.uint8)).save(folder / path)
    (folder / "train.json").write_text(json.dumps(labels))
    return folder


def test_real_frames_stand_beside_simulated_ones(split, tmp_path):
    for name, more in (("alone.png", ()), ("beside.png", ("--real", split))):
        done = gallery("--output", tmp_path / name, *more)
        assert done.returncode == 0, done.stderr
    alone, beside = (Image.open(tmp_path / name) for name in ("alone.png", "beside.png"))
    assert beside.width > 1.5 * alone.width


def test_a_folder_without_its_json_file_is_named(tmp_path):
    done = gallery("--output", tmp_path / "figure.png", "--real", tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path.name}.json" in done.stderr
    assert not (tmp_path / "figure.png").exists()
