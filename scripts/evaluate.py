"""Predict valid and test with one trained model: predictions.csv, and the scalar metrics of test."""

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
    from weldbench.data.dataset import open_dataset
    from weldbench.evaluation.metrics import metrics_on_test
    from weldbench.models.files import load_trained
    from weldbench.models.inference import predictions_on
    from weldbench.pipeline.provenance import evaluate_record
    from weldbench.runtime.atomic import write_csv, write_json
    from weldbench.runtime.hardware import in_force, prepare

    # A network is evaluated by one process, whatever trained it.
    hardware = load_params(arguments.params).hardware.model_copy(update={"devices": 1})
    fabric = prepare(hardware)
    network, info = load_trained(arguments.trained)
    dataset = open_dataset(arguments.data, arguments.split)
    predictions = predictions_on(fabric, network.to(fabric.device), info, dataset, arguments.split, arguments.features)
    write_csv(arguments.output / "predictions.csv", predictions, float_format="%.8f")
    write_json(arguments.output / "metrics.json", metrics_on_test(predictions, dataset.good_class is not None))
    places = arguments.data, arguments.split, arguments.trained, arguments.output
    write_json(arguments.output / "evaluation.json", evaluate_record(in_force(hardware, fabric), *places).told())


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, default="params.yaml")
    parser.add_argument("--data", type=Path, required=True, help="folder that ingest wrote")
    parser.add_argument("--split", type=Path, required=True, help="split.csv")
    parser.add_argument("--trained", type=Path, required=True, help="model.safetensors")
    parser.add_argument("--features", type=Path, help="folder of features, for networks with a frozen backbone")
    parser.add_argument("--output", type=Path, required=True, help="folder for the results")
    return parser.parse_args()


if __name__ == "__main__":
    main()
