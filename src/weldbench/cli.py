"""The command `weldbench`: what concerns the two engines together, and what runs in a factory without them."""

import argparse
import sys
from pathlib import Path
from typing import Any

from weldbench.errors import InputError
from weldbench.pipeline.command import command
from weldbench.planning.doctor_command import add_doctor
from weldbench.planning.plan_command import add_plan

_EPILOG = """\
`weldbench COMMAND --help` says more. Exit codes of all commands: 0; 2 for bad input, or where the answer of `check` or
`verify` is no; 130 after Ctrl-C, which `watch`, `serve` and `review` take for their regular end (0). `doctor` and
`predict` have further ones."""

_SYNC_EPILOG = """\
No stage runs. Exit codes: 0; 2 where nothing was carried across, with the reason, such as an engine at work."""


class _Subcommands(argparse._SubParsersAction):  # type: ignore[type-arg]  # no generic when the program runs
    """Subcommands that begin their own `--help` with what that of `weldbench` says about them."""

    def add_parser(self, name: str, **settings: Any) -> argparse.ArgumentParser:
        said: str = settings["help"]
        parser: argparse.ArgumentParser = super().add_parser(name, description=said[0].upper() + said[1:], **settings)
        return parser


def main() -> None:
    """Run one subcommand of `weldbench`."""
    # The doctor tells of an installation of another checkout itself, beside all else.
    command(_run, of_any_code=_asks_the_doctor())()


def _asks_the_doctor() -> bool:
    return sys.argv[1:2] == ["doctor"]


def _run() -> None:
    parser = argparse.ArgumentParser(prog="weldbench", description=__doc__, epilog=_EPILOG)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", action=_Subcommands)
    try:
        add_doctor(commands)
        if not _asks_the_doctor():  # it has to answer where packages are missing
            _add_others(commands)
        arguments = parser.parse_args()
        sys.exit(arguments.run(arguments))
    except ModuleNotFoundError as error:
        raise InputError(
            f"weldbench {' '.join(sys.argv[1:2])} needs the package {error.name}, which is not installed; "
            "run `pip install 'weldbench[pipeline]'`"
        ) from None


def _add_others(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from weldbench.deploy.command import add_predict
    from weldbench.deploy.serve.command import add_serve
    from weldbench.deploy.watch_command import add_watch
    from weldbench.review.command import add_review
    from weldbench.trust.plan_command import add_plan_evidence

    add_plan(commands)
    sync = commands.add_parser(
        "sync",
        help="after one engine ran, or after `dvc pull`: the other accepts what is there",
        epilog=_SYNC_EPILOG,
    )
    sync.set_defaults(run=_sync)
    check = commands.add_parser(
        "check",
        help="is params.yaml valid? says which key is wrong, where DVC cannot",
        epilog="Exit codes: 0 if it is valid, else 2.",
    )
    check.set_defaults(run=_check)
    verify = commands.add_parser(
        "verify",
        help="does what lies in results/ belong to this commit, params and data?",
        epilog="Exit codes: 0 if it belongs to them, else 2, with all that differs. Nothing is changed.",
    )
    verify.add_argument("--dataset", metavar="NAME", help="default: the one that params.yaml names")
    verify.set_defaults(run=_verify)
    add_predict(commands)
    add_watch(commands)
    add_serve(commands)
    add_plan_evidence(commands)
    add_review(commands)


def _check(arguments: argparse.Namespace) -> None:
    from weldbench.config import load_params
    from weldbench.config.data import LocalDataset

    params = load_params()
    print("params.yaml is valid")
    dataset = params.datasets[params.dataset]
    # No error: a run goes on from what was fetched before.
    if isinstance(dataset, LocalDataset) and not Path(dataset.path).expanduser().exists():
        print(f"but datasets.{params.dataset}.path names no folder or zip of this machine: {dataset.path}")


def _sync(arguments: argparse.Namespace) -> None:
    from weldbench.pipeline.sync import synchronize

    for sentence in synchronize():
        print(sentence)


def _verify(arguments: argparse.Namespace) -> None:
    from weldbench.config import load_params
    from weldbench.pipeline.consistency import AGAIN, contradictions, deviations, missing
    from weldbench.pipeline.lineage import differences
    from weldbench.pipeline.provenance import Project

    params = load_params()
    dataset = arguments.dataset or params.dataset
    params.for_dataset(dataset)  # refuses a name that is not there
    found = differences(dataset, Path("results") / dataset / "lineage.json")
    records = Project.here(params, dataset).all_records()
    found += missing(records)
    found += [f"{path}: {told}" for path, said in contradictions(records, large_files=True).items() for told in said]
    found += deviations(records, Path("requirements.lock"))
    if found:
        raise InputError("\n  - ".join([f"results/{dataset} does not belong to what is here", *found]) + f"\n{AGAIN}")
    print(f"results/{dataset} belongs to this code, params.yaml, data and lock, as do the networks and predictions")
