"""A training as if one class had never been seen: to learn what a model says about what it does not know."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from weldbench.data.dataset import read_split
from weldbench.runtime.atomic import write_csv
from weldbench.training.setup import TrainingJob


def without_class(job: TrainingJob, left_out: str, split: Path) -> TrainingJob:
    """Return the training of the same model without the frames of one class, in train and in valid.

    It learns from the frames that the model learned from, but for those of the class, and from no simulated frames.

    Args:
        job: The training with all classes.
        left_out: Name of the class.
        split: Where to write the split without it; test keeps all frames.

    Raises:
        InputError: A file is missing or damaged.
    """
    table, labels = read_split(job.split), job.dataset.manifest["label"].to_numpy()
    shows = labels[table["row"]] == left_out
    # The choice of `balance` is made before: without a class it would choose other frames of the rest.
    learned = np.isin(table["row"], job.training_list()["row"])
    kept = (table["split"] == "test") | ~shows & (learned | (table["split"] != "train"))
    write_csv(split, table[kept])
    classes = [name for name in job.dataset.classes if name != left_out]
    return replace(
        job,
        dataset=replace(job.dataset, classes=classes),
        split=split,
        settings=job.settings.model_copy(update={"simulated_frames": 0}),
    )
