"""Draw where one trained model looks: Grad-CAM on a right and a wrong test frame of each class."""

import own_source  # noqa: F401

import argparse
from pathlib import Path

from weldbench.pipeline.command import command
from weldbench.pipeline.lock import take_output_lock


@command
def main() -> None:
    arguments = parse_arguments()
    take_output_lock(arguments.output)
    import torch

    from weldbench.config import load_params
    from weldbench.data.dataset import open_dataset, resident
    from weldbench.evaluation.predictions import read_predictions, select_split
    from weldbench.models.files import load_trained
    from weldbench.models.saliency import explain, frames_to_explain, last_feature_map
    from weldbench.reporting.figures.explanations import explanation_figure
    from weldbench.reporting.figures.style import save
    from weldbench.runtime.hardware import prepare

    # A handful of frames: one process on the CPU, whatever trained the network.
    prepare(load_params(arguments.params).hardware.model_copy(update={"device": "cpu", "devices": 1}))
    network, info = load_trained(arguments.trained)
    frames = select_split(read_predictions(arguments.predictions), "test")
    chosen = frames_to_explain(frames)
    positions = [position for pair in chosen for position in pair if position is not None]
    size_px = info.settings.input_size_px
    inputs = resident(open_dataset(arguments.data).frames, frames.rows[positions], size_px)
    explained = explain(network, info.normalization, inputs, positions, frames.predicted[positions])
    convolutional = last_feature_map(network, torch.zeros(1, 1, size_px, size_px)) is not None
    method = "Grad-CAM" if convolutional else "gradient of the input, for it has no convolutions"
    title = f"{info.settings.name}, seed {info.seed}: {method}, for the predicted class"
    save(explanation_figure(frames, chosen, {found.position: found for found in explained}, title), arguments.output)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, default="params.yaml")
    parser.add_argument("--data", type=Path, required=True, help="folder that ingest wrote")
    parser.add_argument("--trained", type=Path, required=True, help="model.safetensors")
    parser.add_argument("--predictions", type=Path, required=True, help="predictions.csv of that model")
    parser.add_argument("--output", type=Path, required=True, help="the picture")
    return parser.parse_args()


if __name__ == "__main__":
    main()
