"""The commands of docs/tutorial.md, as typed, on fewer and smaller frames: they do what the page promises."""

import csv
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from deploy.serving import serving
from deploy.test_serve_page import CHROMIUM
from PIL import Image
from workflow.conftest import ROOT, edit_params, environment

TUTORIAL = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
TAKE = ROOT / "docs/pictures/take.py"
SMALLER = {"width_px=320": "width_px=160", "height_px=175": "height_px=88", "train_frames=600": "train_frames=130"}
SMALLER |= {"valid_frames=240": "valid_frames=60", "test_frames=300": "test_frames=100"}


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield language and content of each block, without those of the installation, which has been done."""
    yield from re.findall(r"^```(\w+)\n(.*?)^```", text.partition("\n## Frames")[2], re.S | re.M)


def merge(params: dict, new: dict) -> None:
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(params.get(key), dict):
            merge(params[key], value)
        else:
            params[key] = value


def shrink(params: dict) -> None:
    params["ingest"]["frame_size_px"] = 96
    params["models"]["efficientnet_lite0"].update(
        input_size_px=64, other_sizes_px=[48], feature_stages=2, augment_views=1, simulated_frames=60
    )


def shape_of(line: str) -> str:
    """Return a line without its numbers, and of a frame's decision no more than how many columns it has.

    The small run has one seed, so no deviation, and whether its 8-bit graph is kept depends on the frames.
    """
    if line.startswith("new/"):
        return f"{line.count(',')} commas"
    line = re.sub(r" ± [\d.]+", "", line.replace("8-bit", "float32"))
    return re.sub(r"\d[\d.]*(e-\d+)?", "#", re.sub(r"-+", "-", re.sub(r"\s+", " ", line))).strip()


class Reader:
    """Does what the tutorial says, block after block, and keeps what the last command printed."""

    def __init__(self, project: Path):
        self.project, self.printed, self.served = project, "", []

    def follow(self, kind: str, content: str) -> None:
        match kind:
            case "python":
                name = re.match(r"# (\S+)\n", content)[1]
                for old, new in SMALLER.items():
                    assert old in content
                    content = content.replace(old, new)
                (self.project / name).write_text(content, encoding="utf-8")
            case "yaml":
                edit_params(self.project, lambda params: merge(params, yaml.safe_load(content)))
                edit_params(self.project, shrink)
            case "bash":
                self.printed = "".join(self.run(line) for line in content.splitlines())
            case "text":
                shapes = [shape_of(line) for line in re.split(r"[\r\n]", self.printed)]
                for line in content.splitlines():
                    begins = shape_of(line.removesuffix("..."))
                    found = any(
                        shape.startswith(begins) if line.endswith("...") else shape == begins for shape in shapes
                    )
                    assert found, f"{line!r} is not in:\n{self.printed}"

    def run(self, line: str) -> str:
        if line.startswith("weldbench serve"):
            self.served.append(line.split()[2])
            return ""
        if "take.py" in line:  # its frames are chosen by what these smaller ones are judged
            return ""
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.project,
            env=environment(self.project),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}"
        return done.stdout


def decisions(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine: apt-get install chromium")
def test_what_the_tutorial_types_does_what_it_promises(project: Path, tmp_path: Path) -> None:
    reader = Reader(project)
    for kind, content in blocks(TUTORIAL):
        reader.follow(kind, content)

    new = sorted((project / "new").rglob("*.png"))
    for name in ("decisions.csv", "decisions-few.csv"):
        judged = decisions(project / name)
        assert [Path(row["source"], row["frame"]) for row in judged] == [path.relative_to(project) for path in new]
        assert all(row["error"] == "" for row in judged)
    few = list((project / "few").rglob("*.png"))
    assert 40 < len(few) < 120
    assert "learns from" in (project / "results/few/report.html").read_text(encoding="utf-8")

    judged = decisions(project / "decisions.csv")
    defects = [row for row in judged if row["decision"] == "defect"]
    heat = sorted((project / "heat").glob("*.png"))
    assert len(heat) == sum(row["decision"] != "good" for row in judged)
    assert defects
    pixels = np.asarray(Image.open(heat[0]))
    assert pixels.shape == (88, 160, 3)
    assert (pixels[..., 0] > pixels[..., 1]).any()  # where the model saw it, it is red

    assert reader.served == ["exports/mine/efficientnet_lite0"]
    defect = project / defects[0]["source"]
    with serving(project / reader.served[0]) as server:
        command = [sys.executable, TAKE, server.url, defect / defects[0]["frame"], defect, tmp_path]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        server.stop()
    taken = sorted(path.name for path in tmp_path.glob("*.png"))
    assert taken == sorted(re.findall(r"\(pictures/(\w+\.png)\)", TUTORIAL))


def test_the_pictures_are_small() -> None:
    pictures = list((ROOT / "docs/pictures").glob("*.png"))
    assert {f"pictures/{path.name}" for path in pictures} == set(re.findall(r"pictures/\w+\.png", TUTORIAL))
    assert max(path.stat().st_size for path in pictures) < 200_000


def test_the_recipe_for_few_frames_is_that_of_the_page_on_datasets() -> None:
    """The lines that train this model alone are the same on both pages."""
    datasets = (ROOT / "docs/datasets.md").read_text(encoding="utf-8").partition("## Few labeled frames")[2]
    recipe = yaml.safe_load(re.search(r"```yaml\n(.*?)```", datasets, re.S)[1].replace(", ...", ""))
    typed = next(yaml.safe_load(content) for kind, content in blocks(TUTORIAL) if kind == "yaml")
    assert typed.items() >= recipe.items()
