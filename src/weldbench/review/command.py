"""The command `weldbench review`."""

import argparse
from pathlib import Path

from weldbench.errors import InputError

_PACKAGES = frozenset({"fastapi", "starlette", "uvicorn"})
_EPILOG = """\
Run `snakemake --cores all review` first: it lists the labels that are in doubt. Every decision is written at once;
Ctrl-C ends the review with exit code 0, and the next one goes on where it ended. docs/labels.md says how to apply the
decisions."""


def add_review(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to those of `weldbench`."""
    parser = commands.add_parser(
        "review", help="decide on labels that are probably wrong, on a page for this machine alone", epilog=_EPILOG
    )
    parser.add_argument("--dataset", metavar="NAME", help="default: the one that params.yaml names")
    parser.add_argument(
        "--corrections", type=Path, metavar="FILE", help="where decisions go; default: corrections/NAME.csv"
    )
    parser.add_argument(
        "--port",
        type=int,
        default=8010,
        metavar="NUMBER",
        help="of the page, which only this machine can open; 0 for a free one; default: 8010",
    )
    parser.set_defaults(run=_review)


def _review(arguments: argparse.Namespace) -> None:
    try:
        from weldbench.review.server import review
    except ModuleNotFoundError as error:
        if error.name not in _PACKAGES:
            raise
        raise InputError("weldbench review needs more packages; run `pip install 'weldbench[serve]'`") from None
    from weldbench.config import load_params
    from weldbench.config.data import CORRECTIONS

    params = load_params()
    name = arguments.dataset or params.dataset
    params.for_dataset(name)  # refuses a name that is not there
    file = arguments.corrections or Path(CORRECTIONS, f"{name}.csv")
    review(Path("data", name), Path("results", name, "review.csv"), file, arguments.port)
    applied = Path(CORRECTIONS, file.name)
    move = "" if file == applied else f"move it to {applied}, and "
    print(f"To apply {file}, {move}set in params.yaml: per_dataset: {{{name}: {{split: {{corrections: {applied}}}}}}}")
