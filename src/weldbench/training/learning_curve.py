"""The learning curve over the number of training runs: its points, each a training on a share of the runs of train."""

import sys
from dataclasses import replace
from pathlib import Path

from weldbench.config import Params
from weldbench.config.base import LARGEST_SEED
from weldbench.data.dataset import open_dataset, read_split
from weldbench.errors import InputError
from weldbench.models.features import read_features
from weldbench.models.files import TrainedInfo
from weldbench.models.inference import predictions_on
from weldbench.runtime.atomic import write_csv, write_json
from weldbench.runtime.hardware import Fabric
from weldbench.training.checkpoint import remove_checkpoint
from weldbench.training.setup import TrainingJob
from weldbench.training.train import train_network, training_facts
from weldbench.training.train_share import share_of_train


def point_job(
    params: Params, place: tuple[str, float, int, int], data: Path, pretrained: Path | None, features: Path | None
) -> TrainingJob:
    """Return the training of a model on all runs of train, by the parameters as they hold for a dataset.

    Args:
        params: As they hold for the dataset.
        place: Model, share of the runs, fold and seed of the point.
        data: Folder that ingest wrote, with its splits.
        pretrained: File of the backbone, for `init: simulated`.
        features: File of the features of a frozen backbone.

    Raises:
        InputError: The model is not compared, or a number is out of range.
    """
    model, share, fold, seed = place
    if model not in params.compare.models:
        raise InputError(f"--model {model}: compare.models in params.yaml has {', '.join(params.compare.models)}")
    if not 0 < share <= 1:
        raise InputError(f"--share {share:g}: a share of the training runs is above 0 and at most 1")
    if not 0 <= seed <= LARGEST_SEED:
        raise InputError(f"--seed {seed}: a seed is a whole number from 0 to {LARGEST_SEED}")
    split = data / "split" / f"fold{fold}" / "split.csv"
    return TrainingJob(
        name=params.dataset,
        dataset=open_dataset(data, split),
        split=split,
        fold=fold,
        settings=params.models[model],
        train=params.train,
        hardware=params.hardware,
        seed=seed,
        split_seed=params.split.seed,
        pretrained=pretrained,
        features=features,
    )


def train_point(fabric: Fabric, job: TrainingJob, share: float, output: Path) -> None:
    """Train on a share of the runs of train and score valid and test; the weights are not kept.

    Writes into the folder `output`: split.csv, whose train is the share, training.json, and predictions.csv.

    Args:
        fabric: From `hardware.prepare`.
        job: The training on all runs; the choice of runs depends on its `split_seed` and `fold`.
        share: Of the runs of train, above 0 up to 1.
        output: Folder of the point.

    Raises:
        InputError: Anything in params.yaml or the data does not fit.
    """
    if fabric.is_global_zero:
        whole = read_split(job.split)
        of_share = share_of_train(job.dataset.manifest, whole, share, job.split_seed, job.fold or 0)
        write_csv(output / "split.csv", of_share)
    fabric.barrier()
    smaller = _with_features_at_hand(fabric, replace(job, split=output / "split.csv"))
    checkpoint_path = output / ".checkpoint.safetensors"
    result = train_network(fabric, smaller, checkpoint_path, lambda line: None)
    if not fabric.is_global_zero:
        return
    info = TrainedInfo(job.settings, job.dataset.classes, result.normalization, job.name, job.fold, job.seed)
    network, features = result.network.to(fabric.device), job.features.parent if job.features else None
    # On the whole split, as in the comparison: valid and test are the same for every share.
    predictions = predictions_on(fabric, network, info, job.dataset, job.split, features)
    write_csv(output / "predictions.csv", predictions, float_format="%.8f")
    facts = {"share": share, **training_facts(fabric, smaller, result)}
    write_json(output / "training.json", {**facts, "made_from": result.made_from})
    remove_checkpoint(checkpoint_path)


def _with_features_at_hand(fabric: Fabric, job: TrainingJob) -> TrainingJob:
    """Leave a file of features out where it lacks frames: undersampling chooses more of each run, as runs are fewer."""
    if job.features is None:
        return job
    rows = job.training_list()["row"].to_numpy()
    if read_features(job.features, views=False).covers(rows, rows):
        return job
    if fabric.is_global_zero:
        print(
            f"train {job.settings.name}: {job.features} lacks frames of this share of train, as balance chooses others "
            "of fewer runs; their features are computed for this training alone",
            file=sys.stderr,
        )
    return replace(job, features=None)
