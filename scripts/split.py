"""Divide a dataset into train, valid and test, and audit what the parts share."""

import argparse
import sys
from pathlib import Path

from weldbench.atomic import write_csv, write_json
from weldbench.command import command
from weldbench.config import load_params
from weldbench.config.data import dataset_named
from weldbench.frames import open_dataset
from weldbench.split import split


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", default="params.yaml")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--fold", type=int, default=0, help="of strategy grouped: which fold is the test part")
    parser.add_argument("--data", type=Path, required=True, help="folder that the stage ingest wrote")
    parser.add_argument("--output", type=Path, required=True, help="folder for split.csv and audit.json")
    arguments = parser.parse_args()
    params = load_params(arguments.params)
    dataset_named(params.datasets, arguments.dataset)
    settings = params.split.for_dataset(arguments.dataset)
    data = open_dataset(arguments.data)
    table, audit = split(data.manifest, data.frames, data.classes, settings, arguments.fold)
    for note in audit["notes"]:
        print(f"split {arguments.dataset}: {note}", file=sys.stderr)
    write_csv(arguments.output / "split.csv", table, float_format="%.6f")
    write_json(arguments.output / "audit.json", {"dataset": arguments.dataset, **audit})


if __name__ == "__main__":
    main()
