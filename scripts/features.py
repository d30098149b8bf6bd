"""Compute once what a frozen backbone says about the frames of all splits and folds, for training and for scores."""

import own_source  # noqa: F401

import argparse
import time
from pathlib import Path

from weldbench.pipeline.command import command
from weldbench.pipeline.lock import take_output_lock


@command
def main() -> None:
    arguments = parse_arguments()
    take_output_lock(arguments.output)
    from weldbench.config import load_params
    from weldbench.data.dataset import open_dataset
    from weldbench.errors import InputError
    from weldbench.models.features import write_features
    from weldbench.pipeline.provenance import features_record
    from weldbench.runtime.atomic import write_json
    from weldbench.runtime.hardware import in_force, prepare
    from weldbench.training.probe import features_of_folds

    started = time.perf_counter()
    params = load_params(arguments.params).for_dataset(arguments.dataset)
    if arguments.model not in params.features.models:
        raise InputError(f"--model {arguments.model}: params.yaml's features.models does not name it")
    hardware = params.hardware.model_copy(update={"devices": 1})
    settings, splits = params.models[arguments.model], {fold: arguments.splits / f"fold{fold}" for fold in params.folds}
    dataset = open_dataset(arguments.data, *(folder / "split.csv" for folder in splits.values()))
    fabric = prepare(hardware)
    features = features_of_folds(fabric, settings, params.train.augment, dataset, splits, params.split.seed)
    record = features_record(params, settings, in_force(hardware, fabric), arguments.data, splits, arguments.output)
    write_features(arguments.output, features)
    facts = {
        "model": settings.name,
        "frames": len(features.rows),
        "views": features.views.shape[0] * features.views.shape[1],
        "simulated_frames": len(features.simulated),
        "numbers_per_frame": features.plain.shape[1],
        "seconds": round(time.perf_counter() - started, 3),
    }
    write_json(record.path, {**facts, **record.told()})


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, default="params.yaml")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder that ingest wrote")
    parser.add_argument("--splits", type=Path, required=True, help="folder of the splits, fold0 and so on")
    parser.add_argument("--output", type=Path, required=True, help="file of the features; a record lies beside it")
    return parser.parse_args()


if __name__ == "__main__":
    main()
