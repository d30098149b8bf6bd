"""Write the page of what can be relied on, from the tables and figures of the drills."""

import own_source  # noqa: F401

import argparse
from pathlib import Path

from weldbench.pipeline.command import command
from weldbench.pipeline.lock import take_output_lock


@command
def main() -> None:
    arguments = parse_arguments()
    take_output_lock(arguments.output)
    from weldbench.reporting.render import render

    parameters = {
        "dataset": arguments.dataset,
        "results": str(arguments.results.resolve()),
        "title": "What can be relied on",
    }
    render(arguments.notebook, arguments.template, parameters, arguments.output)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--results", type=Path, required=True, help="folder that holds trust/")
    parser.add_argument("--notebook", type=Path, default="notebooks/trust.ipynb")
    parser.add_argument("--template", type=Path, default="notebooks/report_template", help="folder of nbconvert")
    parser.add_argument("--output", type=Path, required=True, help="the page")
    return parser.parse_args()


if __name__ == "__main__":
    main()
