"""Learning curve: `point` trains a model on a share of the training runs, `table` puts all points together."""

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
    from weldbench.runtime.hardware import prepare
    from weldbench.training.learning_curve import point_job, train_point

    place = arguments.model, arguments.share, arguments.fold, arguments.seed
    params = load_params(arguments.params).for_dataset(arguments.dataset)
    job = point_job(params, place, arguments.data, arguments.pretrained, arguments.features)
    train_point(prepare(params.hardware), job, arguments.share, arguments.output)


def table(arguments: argparse.Namespace) -> None:
    from weldbench.config import load_params
    from weldbench.reporting.learning_curve import gather_curve
    from weldbench.reporting.tables.learning_curve import write_curve

    params = load_params(arguments.params).for_dataset(arguments.dataset)
    write_curve(gather_curve(params, arguments.data, arguments.trained, arguments.results), arguments.output)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--params", type=Path, default="params.yaml")
    shared.add_argument("--dataset", required=True)
    shared.add_argument("--data", type=Path, required=True, help="folder that ingest wrote, with its splits")
    shared.add_argument("--output", type=Path, required=True, help="folder for the point, or for table and figure")
    one = commands.add_parser("point", parents=[shared], help="train on a share of the runs")
    one.set_defaults(run=point)
    for name, kind in {"--model": str, "--share": float, "--fold": int, "--seed": int}.items():
        one.add_argument(name, type=kind, required=True)
    one.add_argument("--pretrained", type=Path, help="backbone, for init: simulated")
    one.add_argument("--features", type=Path, help="features, for freeze: backbone; those absent are computed")
    every = commands.add_parser("table", parents=[shared], help="compare all points")
    every.set_defaults(run=table)
    every.add_argument("--trained", type=Path, required=True, help="folder of the trained models")
    every.add_argument("--results", type=Path, required=True, help="folder of evaluations and points")
    return parser.parse_args()


if __name__ == "__main__":
    main()
