"""Bring a dataset's archive to its place: rendered, downloaded from Kaggle, or taken from this machine."""

import own_source  # noqa: F401

import argparse
from pathlib import Path

from weldbench.config import load_params
from weldbench.ingest.fetch import fetch
from weldbench.pipeline.command import command
from weldbench.pipeline.lock import take_output_lock
from weldbench.pipeline.provenance import fetch_record


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", default="params.yaml")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--archive", required=True, help="zip to make; archive.json is written beside it")
    arguments = parser.parse_args()
    take_output_lock(Path(arguments.archive))
    params = load_params(arguments.params).for_dataset(arguments.dataset)
    fetch(arguments.archive, arguments.dataset, params.datasets[arguments.dataset])
    fetch_record(params, arguments.dataset, Path(arguments.archive)).add()


if __name__ == "__main__":
    main()
