"""Write the dossier of an exported model with what the drills of `snakemake trust` found."""

import own_source  # noqa: F401

import argparse
from pathlib import Path

from weldbench.pipeline.command import command
from weldbench.pipeline.lock import take_output_lock


@command
def main() -> None:
    arguments = parse_arguments()
    take_output_lock(arguments.output)
    from weldbench.deploy.dossier.evidence import with_evidence
    from weldbench.deploy.dossier.page import dossier_page
    from weldbench.runtime.atomic import write_text

    text = with_evidence(arguments.export, arguments.trust)
    page = dossier_page(text, arguments.dataset, arguments.template)
    write_text(arguments.output.with_suffix(".md"), text)
    write_text(arguments.output, page)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--export", type=Path, required=True, help="exports/D/M, with card.md")
    parser.add_argument("--trust", type=Path, required=True, help="folder of the drills' tables")
    parser.add_argument("--template", type=Path, default="notebooks/report_template", help="folder of nbconvert")
    parser.add_argument("--output", type=Path, required=True, help="the page; the same in Markdown lies beside it")
    return parser.parse_args()


if __name__ == "__main__":
    main()
