"""Bring a dataset's archive to its place: rendered, downloaded from Kaggle, or taken from this machine."""

import argparse

from weldbench.config import load_params
from weldbench.ingest.fetch import fetch
from weldbench.pipeline.command import command


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", default="params.yaml")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--archive", required=True, help="zip to make; archive.json is written beside it")
    arguments = parser.parse_args()
    params = load_params(arguments.params).for_dataset(arguments.dataset)
    fetch(arguments.archive, arguments.dataset, params.datasets[arguments.dataset])


if __name__ == "__main__":
    main()
