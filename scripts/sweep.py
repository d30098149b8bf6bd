"""Search depth, epochs and learning rate: `point` trains one combination, `table` ranks them by macro F1 on valid."""

import own_source  # noqa: F401

import argparse
from pathlib import Path

from weldbench.pipeline.command import command
from weldbench.pipeline.lock import take_output_lock


@command
def main() -> None:
    take_output_lock((arguments := parse_arguments()).output)
    arguments.run(arguments)


def point(arguments: argparse.Namespace) -> None:
    from weldbench.config import load_params
    from weldbench.data.dataset import open_dataset
    from weldbench.runtime.hardware import prepare
    from weldbench.training.setup import TrainingJob
    from weldbench.training.sweep import point_settings, train_point

    params = load_params(arguments.params).for_dataset(arguments.dataset)
    settings = point_settings(params, arguments.model, arguments.epochs, arguments.learning_rate)
    shared = params.train, params.hardware, params.sweep.seed, params.split.seed
    dataset = open_dataset(arguments.data, arguments.split)
    job = TrainingJob(arguments.dataset, dataset, arguments.split, None, settings, *shared)
    train_point(prepare(params.hardware), job, arguments.output)


def table(arguments: argparse.Namespace) -> None:
    from weldbench.reporting.tables.sweep import sweep_table, write_sweep

    write_sweep(sweep_table(arguments.points), arguments.output)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("point", help="train one combination")
    one.set_defaults(run=point)
    one.add_argument("--params", type=Path, default="params.yaml")
    one.add_argument("--dataset", required=True)
    one.add_argument("--model", required=True)
    one.add_argument("--epochs", type=int, required=True)
    one.add_argument("--learning-rate", type=float, required=True)
    one.add_argument("--data", type=Path, required=True, help="folder that ingest wrote")
    one.add_argument("--split", type=Path, required=True, help="split.csv")
    one.add_argument("--output", type=Path, required=True, help="JSON file of the point")
    ranking = commands.add_parser("table", help="rank all points")
    ranking.set_defaults(run=table)
    ranking.add_argument("--points", type=Path, nargs="+", required=True, help="JSON files of the points")
    ranking.add_argument("--output", type=Path, required=True, help="folder for sweep.csv, sweep.md and sweep.png")
    return parser.parse_args()


if __name__ == "__main__":
    main()
