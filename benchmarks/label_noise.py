"""Does the review of labels find wrong ones? Labels of train are flipped by whole stretches, and looked for.

    python benchmarks/label_noise.py [--draws N] [--share P] [--dataset weldsim] [--model efficientnet_lite0]

A draw takes stretches of train (consecutive frames of one run with one label) at random until P % of its frames are
taken, and gives each another class at random. Then the stage review runs as it is, on all splits, and its list is held
against what was flipped, frames counted, those of train alone. Also with only the second half of each stretch flipped,
as where a defect was marked to begin too early. The labels of weldsim are right by construction. Needs the data, the
splits and the features of `make reproduce`.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from results import Measured, machine, print_lines, write_section

from weldbench.config import load_params
from weldbench.data.dataset import open_dataset
from weldbench.runtime.hardware import prepare
from weldbench.trust.frame_features import features_of_all
from weldbench.trust.label_review import LabelReview, judged, used_frames

LEAST_PRECISION = 0.5


@dataclass(frozen=True)
class Found:
    """What one draw's list is worth, frames of train counted.

    Attributes:
        recall: Of the flipped frames, those that are listed before the precision falls below 0.5 for good.
        recall_marked: Those in stretches that are marked as probably wrong.
        precision_marked: Share of flipped frames among those marked; 1 where none is.
        marked: Stretches of train marked.
        listed: Stretches of train in the list.
    """

    recall: float
    recall_marked: float
    precision_marked: float
    marked: float
    listed: float


def main() -> None:
    """Print all numbers and put them into RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--share", type=float, default=3.0, help="of the labels of train, in percent")
    parser.add_argument("--dataset", default="weldsim")
    parser.add_argument("--model", default="efficientnet_lite0")
    arguments = parser.parse_args()
    params = load_params().for_dataset(arguments.dataset)
    fabric, data = prepare(params.hardware), Path("data", arguments.dataset)
    splits = [data / "split" / f"fold{fold}" / "split.csv" for fold in params.folds]
    dataset = open_dataset(data, *splits)
    frames = used_frames(dataset, splits)
    rows = frames["row"].to_numpy()
    labels = dataset.labels_of(rows)
    file = data / "features" / f"{arguments.model}.safetensors"
    features = features_of_all(fabric, params.models[arguments.model], params.train.augment, dataset, rows, file)
    films = frames.groupby(["run", "published_split"], sort=False).ngroup().to_numpy()
    in_train = (frames["split"] == "train").to_numpy()
    fixed = params.split.seed, params.hardware.threads
    measured: list[Measured] = []
    for part in ("whole stretches", "second halves of stretches"):
        found = []
        for draw in range(arguments.draws):
            rng = np.random.default_rng((draw, part == "whole stretches"))
            flipped = flip(labels, films, in_train, arguments.share / 100, part == "whole stretches", rng)
            review = judged(arguments.model, dataset, frames, features, flipped, *fixed)
            found.append(worth(review, rows[flipped != labels]))
        measured += list(lines(part, found))
        print_lines(measured[-4:])
    review = judged(arguments.model, dataset, frames, features, labels, *fixed)
    wrongly = np.isin(review.stretches.of_frame, np.flatnonzero(review.stretches.probably_wrong))
    measured.append(Measured("frames of all splits marked where nothing is flipped", [100 * wrongly.mean()], "%"))
    introduction = (
        f"`benchmarks/label_noise.py`: {arguments.draws} draws, each with {arguments.share:g} % of the labels of train "
        f"of {arguments.dataset} flipped by stretches ({in_train.sum():,} frames in {len(set(films[in_train]))} runs); "
        f"probabilities out of folds by run from the features of {arguments.model}. Recall at precision 0.5: flipped "
        "frames that are listed, worst first, before the precision of the list falls below 0.5 for good; how far to "
        "read is known to this benchmark alone. Marked: in stretches that the list calls probably wrong, without any "
        f"knowledge of what was flipped. {means(measured)} {machine(params.hardware, fabric)}"
    )
    seed = getattr(params.datasets[arguments.dataset], "seed", None)  # of a simulated plant
    plant = "" if seed is None else f", seed {seed}"
    write_section(f"Wrong labels of {arguments.dataset}{plant}", introduction, measured)


def flip(
    labels: NDArray[np.int64],
    films: NDArray[np.int64],
    in_train: NDArray[np.bool_],
    share: float,
    whole: bool,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return labels with stretches of train flipped, or their second halves, until they are the share of train."""
    begins = np.r_[True, (films[1:] != films[:-1]) | (labels[1:] != labels[:-1])]
    stretch = np.cumsum(begins) - 1
    result = labels.copy()
    for number in rng.permutation(np.unique(stretch[in_train])):
        if (result != labels).sum() >= share * in_train.sum():
            break
        frames = np.flatnonzero(stretch == number)
        others = np.setdiff1d(np.unique(labels), labels[frames[0]])
        result[frames if whole else frames[len(frames) // 2 :]] = rng.choice(others)
    return result


def worth(review: LabelReview, wrong_rows: NDArray[np.int64]) -> Found:
    """Hold the list of a review against the rows whose labels were flipped."""
    listed = review.listed()
    listed = listed[listed["split"] == "train"].assign(hit=lambda lines: lines["row"].isin(wrong_rows))
    by_stretch = listed.groupby("stretch", sort=True)["hit"].agg(["sum", "size"]).cumsum()
    enough = by_stretch[by_stretch["sum"] >= LEAST_PRECISION * by_stretch["size"]]
    marked = listed[listed["probably_wrong"] == "yes"]
    return Found(
        recall=enough["sum"].max() / len(wrong_rows) if len(enough) else 0.0,
        recall_marked=marked["hit"].sum() / len(wrong_rows),
        precision_marked=marked["hit"].mean() if len(marked) else 1.0,
        marked=marked["stretch"].nunique(),
        listed=listed["stretch"].nunique(),
    )


def lines(part: str, found: list[Found]) -> Iterator[Measured]:
    """Yield a line for each number of one way to flip."""
    yield Measured(f"{part}: recall at precision 0.5", [each.recall for each in found], "share")
    yield Measured(f"{part}: recall of those marked", [each.recall_marked for each in found], "share")
    yield Measured(f"{part}: precision of those marked", [each.precision_marked for each in found], "share")
    yield Measured(f"{part}: stretches marked, of those listed", [each.marked / each.listed for each in found], "share")


def means(measured: list[Measured]) -> str:
    """Say the means over draws, which the table does not have."""
    told = [
        f"{line.name} {np.mean(line.values):.3f}" for line in measured if len(line.values) > 1 and line.unit == "share"
    ]
    return f"Means over draws: {'; '.join(told)}."


if __name__ == "__main__":
    main()
