"""Check params.yaml; the output never changes, so that a valid edit alone makes nothing run again."""

import own_source  # noqa: F401

import argparse
from pathlib import Path

from weldbench.config import load_params
from weldbench.pipeline.checked import write_architectures, write_mark, write_overrides
from weldbench.pipeline.command import command


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", default="params.yaml")
    parser.add_argument("--output", type=Path, required=True, help="file that says that params.yaml is valid")
    parser.add_argument("--overrides", type=Path, help="folder for what the dataset changes in each section")
    parser.add_argument("--architectures", type=Path, help="folder for which network each model is")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    if arguments.overrides:
        write_overrides(params, arguments.overrides)
    if arguments.architectures:
        write_architectures(params, arguments.architectures)
    write_mark(arguments.output)


if __name__ == "__main__":
    main()
