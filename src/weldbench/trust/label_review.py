"""Which labels a person should look at again: stretches of film whose label is probably wrong, worst first."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weldbench.config import Params
from weldbench.data.dataset import Dataset, open_dataset, read_split
from weldbench.errors import InputError
from weldbench.runtime.hardware import Fabric
from weldbench.trust.out_of_folds import out_of_folds
from weldbench.trust.stretches import Stretches, stretches_of

COLUMNS = [
    "stretch", "path", "row", "run", "split", "first_frame", "last_frame", "frames", "given", "label", "suggested",
    "probably_wrong", "score", "p_label", "p_suggested",
]  # fmt: skip


@dataclass(frozen=True)
class LabelReview:
    """All labeled frames with what the fits say about them, M of which can be judged.

    Attributes:
        model: Name of the model whose features were used.
        dataset: With the labels as they are used.
        frames: One line per judged frame: row, path, run, split, given (as ingested), label (as used); in film order.
        probabilities: Of each, out of folds by run, shape (M, K).
        stretches: Of the judged frames.
        unjudged: Class -> frames that no other run helps to judge.
    """

    model: str
    dataset: Dataset
    frames: pd.DataFrame
    probabilities: NDArray[np.float64]
    stretches: Stretches
    unjudged: dict[str, int]

    def listed(self) -> pd.DataFrame:
        """Return the content of review.csv: every frame of every stretch in doubt, worst stretch first."""
        parts = []
        for place, number in enumerate(self.stretches.worst_first, start=1):
            positions = np.flatnonzero(self.stretches.of_frame == number)
            label, suggested = self.stretches.given[number], self.stretches.suggested[number]
            lines = self.frames.iloc[positions]
            names = [path.rpartition("/")[2] for path in lines["path"]]
            parts.append(
                lines.assign(
                    stretch=place,
                    first_frame=names[0],
                    last_frame=names[-1],
                    frames=len(lines),
                    suggested=self.dataset.classes[suggested],
                    probably_wrong="yes" if self.stretches.probably_wrong[number] else "no",
                    score=self.stretches.scores[number],
                    p_label=self.probabilities[positions, label],
                    p_suggested=self.probabilities[positions, suggested],
                )
            )
        return pd.concat(parts)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)


def review_labels(fabric: Fabric, params: Params, model: str, data: Path) -> LabelReview:
    """Judge every label that a split uses, from the features of a frozen backbone.

    Args:
        fabric: From `hardware.prepare`.
        params: As they hold for the dataset.
        model: One of features.models.
        data: Folder that ingest, split and features wrote.

    Raises:
        InputError: The model has no features, or a file is missing, damaged or does not belong to the others.
    """
    from weldbench.trust.frame_features import features_of_all

    if model not in params.features.models:
        raise InputError(
            f"params.yaml: features.models does not name `{model}`; a review of labels needs the features of a frozen "
            "backbone, so add one there, such as efficientnet_lite0 with freeze: backbone and init: imagenet"
        )
    splits = [data / "split" / f"fold{fold}" / "split.csv" for fold in params.folds]
    dataset = open_dataset(data, *splits)
    frames = used_frames(dataset, splits)
    rows, labels = frames["row"].to_numpy(), dataset.labels_of(frames["row"].to_numpy())
    features = features_of_all(
        fabric, params.models[model], params.train.augment, dataset, rows, data / "features" / f"{model}.safetensors"
    )
    return judged(model, dataset, frames, features, labels, params.split.seed, params.hardware.threads)


def judged(
    model: str,
    dataset: Dataset,
    frames: pd.DataFrame,
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    seed: int,
    threads: int,
) -> LabelReview:
    """Judge labels by features of their frames.

    Args:
        model: Whose features these are.
        dataset: Where the frames are.
        frames: As `used_frames` returns them, N lines.
        features: Of each, shape (N, F).
        labels: Of each as a number, int64, shape (N,).
        seed: Of the folds.
        threads: Of numpy, as another count gives other bits.
    """
    import sklearn.linear_model  # noqa: F401 - first: the limit holds for the libraries that are loaded
    from threadpoolctl import threadpool_limits

    runs = np.unique(frames["run"].to_numpy(dtype=str), return_inverse=True)[1].astype(np.int64)
    with threadpool_limits(limits=threads):
        probabilities, can_judge = out_of_folds(features, labels, runs, len(dataset.classes), seed)
    # A run that is published in two splits is two films here.
    films = frames.groupby(["run", "published_split"], sort=False).ngroup().to_numpy().astype(np.int64)
    left, counts = np.unique(labels[~can_judge], return_counts=True)
    unjudged = {dataset.classes[label]: int(count) for label, count in zip(left, counts, strict=True)}
    kept = np.flatnonzero(can_judge)
    if not len(kept):
        raise InputError(f"{dataset.folder}: no class stands in two runs, so no label can be judged; record more runs")
    stretches = stretches_of(probabilities[kept], labels[kept], films[kept])
    return LabelReview(model, dataset, frames.iloc[kept], probabilities[kept], stretches, unjudged)


def used_frames(dataset: Dataset, splits: Iterable[Path]) -> pd.DataFrame:
    """List the frames that splits use, each frame once, in film order.

    Returns:
        Columns row, path, run, published_split, split (`train, test` where folds differ), given and label.
    """
    tables = pd.concat([read_split(path)[["row", "split"]] for path in splits]).drop_duplicates()
    split_of = tables.groupby("row")["split"].agg(lambda found: ", ".join(dict.fromkeys(found)))
    lines = dataset.manifest[dataset.manifest["row"].isin(split_of.index)].drop_duplicates(["path", "sha256", "label"])
    given = lines.get("given_label", lines["label"])
    columns = lines[["row", "path", "run", "published_split", "label"]]
    return columns.assign(split=lines["row"].map(split_of), given=given).sort_values(
        ["run", "published_split", "row"], ignore_index=True
    )
