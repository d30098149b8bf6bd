"""Turn an archive of frames into one array, a manifest and an inventory."""

import own_source  # noqa: F401

import argparse
from pathlib import Path

from weldbench.config import load_params
from weldbench.ingest.ingest import ingest
from weldbench.pipeline.command import command
from weldbench.pipeline.lock import take_output_lock
from weldbench.pipeline.provenance import ingest_record


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", default="params.yaml")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--archive", required=True, help="zip that the stage fetch made")
    parser.add_argument("--output", required=True, help="folder for frames.npy, manifest.csv and inventory.json")
    arguments = parser.parse_args()
    take_output_lock(Path(arguments.output))
    params = load_params(arguments.params).for_dataset(arguments.dataset)
    dataset = params.datasets[arguments.dataset]
    ingest(arguments.archive, arguments.output, arguments.dataset, dataset, params.ingest)
    ingest_record(params, arguments.dataset, Path(arguments.archive), Path(arguments.output)).add()


if __name__ == "__main__":
    main()
