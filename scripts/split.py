"""Divide a dataset into train, valid and test, and audit what the splits share."""

import own_source  # noqa: F401

import argparse
import sys
from pathlib import Path

from weldbench.config import load_params
from weldbench.data.dataset import open_dataset
from weldbench.pipeline.command import command
from weldbench.pipeline.lock import take_output_lock
from weldbench.pipeline.provenance import split_record
from weldbench.runtime.atomic import write_csv, write_json
from weldbench.splitting.split import split_dataset


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", default="params.yaml")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--fold", type=int, default=0, help="of strategy grouped: which fold is the test split")
    parser.add_argument("--data", type=Path, required=True, help="folder that the stage ingest wrote")
    parser.add_argument("--output", type=Path, required=True, help="folder for split.csv and audit.json")
    arguments = parser.parse_args()
    take_output_lock(arguments.output)
    params = load_params(arguments.params).for_dataset(arguments.dataset)
    data = open_dataset(arguments.data)
    table, audit = split_dataset(data.manifest, data.frames, data.classes, params.split, arguments.fold)
    for note in audit["notes"]:
        print(f"split {arguments.dataset}: {note}", file=sys.stderr)
    write_csv(arguments.output / "split.csv", table)
    record = split_record(params, arguments.dataset, arguments.fold, arguments.data, arguments.output)
    write_json(arguments.output / "audit.json", {"dataset": arguments.dataset, **audit, **record.told()})


if __name__ == "__main__":
    main()
