"""What an export does with what it has not learned: `judge` one export, `table` puts all of them together."""

import own_source  # noqa: F401

import argparse
from pathlib import Path

from weldbench.pipeline.command import command
from weldbench.pipeline.lock import take_output_lock


@command
def main() -> None:
    take_output_lock((arguments := parse_arguments()).output)
    arguments.run(arguments)


def judge(arguments: argparse.Namespace) -> None:
    from weldbench.config import load_params
    from weldbench.deploy.strangers import judge_strangers
    from weldbench.deploy.strangers_job import strangers_job, strangers_record
    from weldbench.runtime.hardware import prepare

    params = load_params(arguments.params).for_dataset(arguments.dataset)
    job = strangers_job(params, arguments.export, arguments.data, arguments.pretrained, arguments.features)
    record = strangers_record(params, job, arguments.output)
    judge_strangers(prepare(params.hardware), job, arguments.output, record)


def table(arguments: argparse.Namespace) -> None:
    from weldbench.config import load_params
    from weldbench.reporting.tables.unknown import write_unknown
    from weldbench.reporting.unknown import read_judged

    params = load_params(arguments.params).for_dataset(arguments.dataset)
    judged = {folder.name: read_judged(folder) for folder in arguments.judged}
    write_unknown(judged, params.compare, arguments.output.parent)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--params", type=Path, default="params.yaml")
    shared.add_argument("--dataset", required=True)
    shared.add_argument("--output", type=Path, required=True, help="folder of the judged frames, or the table.md")
    one = commands.add_parser("judge", parents=[shared], help="judge frames that an export has not learned")
    one.set_defaults(run=judge)
    one.add_argument("--data", type=Path, required=True, help="folder that ingest wrote, with its splits")
    one.add_argument("--export", type=Path, required=True, help="folder of the export")
    one.add_argument("--pretrained", type=Path, help="backbone, for init: simulated")
    one.add_argument("--features", type=Path, help="features, for freeze: backbone")
    every = commands.add_parser("table", parents=[shared], help="put all exports into one table and figure")
    every.set_defaults(run=table)
    every.add_argument("--judged", type=Path, nargs="+", required=True, help="folders of judged frames")
    return parser.parse_args()


if __name__ == "__main__":
    main()
