"""Draw simulated frames per class, and real ones beside them where a folder of real frames is given."""

import own_source  # noqa: F401

import argparse
import json
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from PIL import Image

from weldbench.errors import InputError
from weldbench.pipeline.command import command
from weldbench.runtime.atomic import replacing
from weldbench.weldsim import CLASSES, render_batch

SHOWN, SIZE_PX, GAMMA = 4, (480, 262), 0.6  # frames per class and source; a gamma that shows more of the dark plate


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="the figure, a PNG")
    parser.add_argument("--real", type=Path, help="a split of a published layout, such as ss304-sample/train")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    columns = [simulated(arguments.seed)] + ([real(arguments.real)] if arguments.real else [])
    figure, axes = plt.subplots(len(CLASSES), SHOWN * len(columns), figsize=(3 * SHOWN * len(columns), 10))
    for label, name in enumerate(CLASSES):
        for axis, frame in zip(axes[label], (frame for column in columns for frame in column[label]), strict=True):
            axis.imshow((frame / 255) ** GAMMA, cmap="gray", vmin=0, vmax=1, aspect="auto")
            axis.set(xticks=[], yticks=[])
        axes[label][0].set_ylabel(name.replace("_", "\n"))
    for number, title in enumerate(("simulated", "real")[: len(columns)]):
        axes[0][number * SHOWN].set_title(title, loc="left")
    with replacing(arguments.output) as partial:
        figure.savefig(partial, dpi=80)


def simulated(seed: int) -> list[np.ndarray]:
    frames, labels = render_batch(seed, SHOWN * len(CLASSES), *SIZE_PX)
    return [frames[labels == label] for label in range(len(CLASSES))]


def real(folder: Path) -> list[list[np.ndarray]]:
    if not (path := folder / f"{folder.resolve().name}.json").is_file():
        raise InputError(f"{path}: there is no such file; give the folder of one split, which holds its JSON file")
    labels, rows = json.loads(path.read_text(encoding="utf-8")), []
    for label, name in enumerate(CLASSES):
        frames = sorted(frame for frame, its in labels.items() if its == label)
        if not frames:
            raise InputError(f"{path}: no frame is labeled {label}, {name}")
        chosen = [folder / frames[len(frames) * shown // SHOWN] for shown in range(SHOWN)]
        rows.append([np.asarray(Image.open(path).convert("L").resize(SIZE_PX)) for path in chosen])
    return rows


if __name__ == "__main__":
    main()
