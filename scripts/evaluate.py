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
    from weldbench.data.dataset import open_dataset, read_split, rows_of_split, split_id
    from weldbench.evaluation.metrics import metrics_on_test
    from weldbench.models.features import features_at_hand
    from weldbench.models.files import load_trained
    from weldbench.models.inference import predictions_table, probabilities_of, probabilities_of_features
    from weldbench.pipeline.provenance import evaluate_record
    from weldbench.runtime.atomic import write_csv, write_json
    from weldbench.runtime.hardware import in_force, prepare

    # A network is evaluated by one process, whatever trained it.
    hardware = load_params(arguments.params).hardware.model_copy(update={"devices": 1})
    fabric = prepare(hardware)
    network, info = load_trained(arguments.trained)
    network = network.to(fabric.device)
    dataset, split_table = open_dataset(arguments.data), read_split(arguments.split)
    features = features_at_hand(arguments.features, network, info, dataset)
    rows, probabilities = {}, {}
    for name in ("valid", "test"):
        if features:
            rows[name] = rows_of_split(split_table, name)
            probabilities[name] = probabilities_of_features(network, info.settings, features.of(rows[name]))
        else:
            split = dataset.load_split(split_table, name, info.settings.input_size_px)
            rows[name] = split.rows
            probabilities[name] = probabilities_of(fabric, network, split, info.normalization)
    predictions = predictions_table(dataset, rows, probabilities, split_id(arguments.split))
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
