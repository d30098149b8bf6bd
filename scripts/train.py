"""Train one model on one split with one seed; from random weights or from a backbone, as params.yaml says."""

import own_source  # noqa: F401

import argparse
from pathlib import Path

from weldbench.pipeline.command import command
from weldbench.pipeline.lock import take_output_lock


@command
def main() -> None:
    arguments = parse_arguments()
    take_output_lock(arguments.output)
    from weldbench.config import load_params
    from weldbench.config.base import LARGEST_SEED
    from weldbench.data.dataset import fold_of, open_dataset
    from weldbench.errors import InputError
    from weldbench.runtime.hardware import prepare
    from weldbench.training.setup import TrainingJob
    from weldbench.training.train import train_model

    params = load_params(arguments.params).for_dataset(arguments.dataset)
    if arguments.model not in params.models:
        raise InputError(f"--model {arguments.model}: params.yaml has the models {', '.join(params.models)}")
    if not 0 <= arguments.seed <= LARGEST_SEED:
        raise InputError(f"--seed {arguments.seed}: a seed is a whole number from 0 to {LARGEST_SEED}")
    job = TrainingJob(
        name=arguments.dataset,
        dataset=open_dataset(arguments.data, arguments.split),
        split=arguments.split,
        fold=fold_of(arguments.split),
        settings=params.models[arguments.model],
        train=params.train,
        hardware=params.hardware,
        seed=arguments.seed,
        split_seed=params.split.seed,
        pretrained=arguments.pretrained,
        features=arguments.features,
    )
    train_model(prepare(params.hardware), job, arguments.output)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, default="params.yaml")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder that ingest wrote")
    parser.add_argument("--split", type=Path, required=True, help="split.csv")
    parser.add_argument("--pretrained", type=Path, help="backbone, for init: simulated")
    parser.add_argument("--features", type=Path, help="features, for freeze: backbone; if absent, they are computed")
    parser.add_argument("--output", type=Path, required=True, help="folder for the trained model")
    return parser.parse_args()


if __name__ == "__main__":
    main()
