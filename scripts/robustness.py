"""Another camera: `frames` changes test frames, `predict` lets a model judge them, `table` says what it costs."""

import own_source  # noqa: F401

import argparse
from pathlib import Path
from typing import Any

from weldbench.pipeline.command import command
from weldbench.pipeline.lock import take_output_lock


@command
def main() -> None:
    from weldbench.config import load_params

    take_output_lock((arguments := parse_arguments()).output)
    arguments.run(load_params(arguments.params).for_dataset(arguments.dataset), arguments)


def frames(params: Any, arguments: argparse.Namespace) -> None:
    from weldbench.deploy.changed_frames import make_changed_frames

    make_changed_frames(params, arguments.data, arguments.output)


def predict(params: Any, arguments: argparse.Namespace) -> None:
    from weldbench.trust.changed_predictions import judge_changed_frames

    judge_changed_frames(params, arguments.data, arguments.trained, arguments.changed, arguments.output)


def table(params: Any, arguments: argparse.Namespace) -> None:
    from weldbench.reporting.robustness import gather_robustness
    from weldbench.reporting.tables.robustness import write_robustness

    folder = arguments.output.parent
    places = arguments.data, arguments.trained, folder.parent / "evaluation", folder / "robustness"
    write_robustness(gather_robustness(params, *places, Path("requirements.lock")), folder)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    for step in (frames, predict, table):
        own = commands.add_parser(step.__name__)
        own.set_defaults(run=step)
        own.add_argument("--params", type=Path, default="params.yaml")
        own.add_argument("--dataset", required=True)
        own.add_argument("--data", type=Path, required=True, help="folder that ingest wrote, with its splits")
        own.add_argument("--output", type=Path, required=True, help="frames.npy, MODEL.csv or robustness.csv")
        if step is not frames:
            own.add_argument("--trained", type=Path, required=True, help="trained models; predict: seeds of the model")
        if step is predict:
            own.add_argument("--changed", type=Path, required=True, help="changed frames, frames.npy")
    return parser.parse_args()


if __name__ == "__main__":
    main()
