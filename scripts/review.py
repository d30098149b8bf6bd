"""List the labels that are probably wrong, worst first: review.csv, with a table and a gallery."""

import own_source  # noqa: F401

import argparse
import time
from pathlib import Path

from weldbench.pipeline.command import command
from weldbench.pipeline.lock import take_output_lock


@command
def main() -> None:
    arguments = parse_arguments()
    take_output_lock(arguments.output / "review")
    from weldbench.config import load_params
    from weldbench.pipeline.review_record import review_record
    from weldbench.reporting.tables.label_review import write_review
    from weldbench.runtime.atomic import write_json
    from weldbench.runtime.hardware import in_force, prepare
    from weldbench.trust.label_review import review_labels

    started = time.perf_counter()
    params = load_params(arguments.params).for_dataset(arguments.dataset)
    hardware = params.hardware.model_copy(update={"devices": 1})
    fabric = prepare(hardware)
    review = review_labels(fabric, params, arguments.model, arguments.data)
    places = arguments.data, arguments.output, arguments.listed
    record = review_record(params, arguments.model, in_force(hardware, fabric), *places)
    write_review(review, params.compare, arguments.listed, arguments.output)
    facts = {
        "model": arguments.model,
        "frames": len(review.frames),
        "unjudged": review.unjudged,
        "stretches_in_doubt": len(review.stretches.worst_first),
        "probably_wrong": int(review.stretches.probably_wrong.sum()),
        "wrong_share": round(review.stretches.wrong_share, 6),
        "seconds": round(time.perf_counter() - started, 3),
    }
    write_json(record.path, {**facts, **record.told()})


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, default="params.yaml")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--model", required=True, help="one of features.models, whose features are used")
    parser.add_argument("--data", type=Path, required=True, help="folder that ingest wrote, with splits and features")
    parser.add_argument("--listed", type=Path, required=True, help="file for the frames in doubt, review.csv")
    parser.add_argument("--output", type=Path, required=True, help="folder for the table, the gallery and the record")
    return parser.parse_args()


if __name__ == "__main__":
    main()
