"""Train a backbone on an endless stream of simulated frames."""

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
    from weldbench.errors import InputError
    from weldbench.runtime.hardware import prepare
    from weldbench.training.pretrain import pretrain_backbone
    from weldbench.training.pretrain_settings import backbone_settings

    params = load_params(arguments.params)
    if arguments.model not in params.finetune.models:
        raise InputError(f"--model {arguments.model}: params.yaml's finetune.models does not name it")
    # The stream feeds one process; its renderers take the other cores.
    hardware = params.hardware.model_copy(update={"devices": 1})
    settings = backbone_settings(params.models[arguments.model], params.pretrain)
    pretrain_backbone(prepare(hardware), settings, params.pretrain, hardware, arguments.output)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, default="params.yaml")
    parser.add_argument("--model", required=True)
    parser.add_argument("--output", type=Path, required=True, help="file of the backbone")
    return parser.parse_args()


if __name__ == "__main__":
    main()
