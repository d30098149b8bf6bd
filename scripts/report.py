"""Write the report: one self-contained page from the tables and figures of a dataset."""

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
    from weldbench.pipeline.lineage import lineage
    from weldbench.reporting.render import render
    from weldbench.runtime.atomic import write_json

    write_json(arguments.results / "lineage.json", lineage(arguments.dataset))
    params = load_params(arguments.params)
    parameters = {
        "dataset": arguments.dataset,
        "results": str(arguments.results.resolve()),
        "title": params.report.title,
        "exported": params.export.models,
    }
    render(arguments.notebook, arguments.template, parameters, arguments.output)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, default="params.yaml")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--results", type=Path, required=True, help="folder that holds tables/ and figures/")
    parser.add_argument("--notebook", type=Path, default="notebooks/report.ipynb")
    parser.add_argument("--template", type=Path, default="notebooks/report_template", help="folder of nbconvert")
    parser.add_argument("--output", type=Path, required=True, help="the page")
    return parser.parse_args()


if __name__ == "__main__":
    main()
