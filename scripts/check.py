"""Check params.yaml; the output never changes, so that a valid edit alone makes nothing run again."""

import own_source  # noqa: F401

import argparse

from weldbench.config import load_params
from weldbench.pipeline.command import command
from weldbench.runtime.atomic import write_text


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", default="params.yaml")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    load_params(arguments.params)
    write_text(arguments.output, "params.yaml is valid\n")


if __name__ == "__main__":
    main()
