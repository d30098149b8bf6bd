"""A small project to review, and its real server in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from blobs import write_blobs, write_params

from weldbench.trust.label_review import COLUMNS

WELDBENCH = Path(sys.executable).parent / "weldbench"
PATIENCE_SECONDS = 120  # against hangs only


def write_project(folder: Path) -> Path:
    """Write params.yaml, frames and a list of three stretches in doubt, of 4, 3 and 2 frames."""
    folder.mkdir(parents=True, exist_ok=True)
    write_params(folder)
    data = folder / "data/blobs"
    write_blobs(data, (30, 12, 12))
    manifest = pd.read_csv(data / "manifest.csv")
    parts = []
    for number, (label, suggested, count) in enumerate(
        [("good_weld", "burn_through", 4), ("burn_through", "contamination", 3), ("contamination", "good_weld", 2)], 1
    ):
        frames = manifest[(manifest["label"] == label) & (manifest["published_split"] == "train")].head(count)
        names = [path.rpartition("/")[2] for path in frames["path"]]
        told = {"stretch": number, "first_frame": names[0], "last_frame": names[-1], "frames": count, "given": label}
        told |= {"suggested": suggested, "probably_wrong": "yes" if number < 3 else "no", "score": 1 - 0.2 * number}
        parts.append(frames.assign(**told, split="train", p_label=0.1, p_suggested=0.9))
    listed = folder / "results/blobs/review.csv"
    listed.parent.mkdir(parents=True)
    pd.concat(parts)[COLUMNS].to_csv(listed, index=False)
    return folder


@dataclass
class Reviewing:
    url: str
    process: subprocess.Popen
    printed: Path

    def stop(self) -> str:
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(timeout=PATIENCE_SECONDS) == 0, self.printed.read_text()
        return self.printed.read_text()


def start(project: Path, *options: str) -> tuple[subprocess.Popen, Path]:
    printed = project / f"printed-{time.monotonic_ns()}"
    with printed.open("w") as file:
        command = [WELDBENCH, "review", "--port", "0", *options]
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, cwd=project, env=os.environ)
    return process, printed


@contextmanager
def reviewing(project: Path, *options: str) -> Iterator[Reviewing]:
    process, printed = start(project, *options)
    try:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not (found := re.search(r"at (http://\S+)", printed.read_text())):
            assert process.poll() is None, printed.read_text()
            assert time.monotonic() < give_up
            time.sleep(0.05)
        yield Reviewing(found[1], process, printed)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def refused(project: Path, *options: str) -> str:
    process, printed = start(project, *options)
    try:
        assert process.wait(timeout=PATIENCE_SECONDS) == 2, printed.read_text()
    finally:
        process.kill()
        process.wait()
    return printed.read_text()
