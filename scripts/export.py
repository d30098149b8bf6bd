"""Export the best training of one model as a folder of ONNX graphs that take raw frames, checked against torch."""

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
    from weldbench.deploy.export import ExportJob, export_model
    from weldbench.pipeline.provenance import export_record

    params = load_params(arguments.params).for_dataset(arguments.dataset)
    models, fold = arguments.trained.parents[1], arguments.trained.name
    job = ExportJob(
        dataset=params.datasets[arguments.dataset],
        data=arguments.data,
        split=arguments.split,
        trained=arguments.trained,
        compared={model: models / model / fold for model in params.compare.models},
        seeds=params.seeds,
        evidence=params.compare,
        vote_frames=params.export.vote_frames,
        unknown_share=params.export.unknown_share,
        template=arguments.template,
    )
    record = export_record(params, arguments.data, arguments.split, arguments.trained, arguments.output)
    export_model(job, arguments.output, record.made_from())


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, default="params.yaml")
    parser.add_argument("--dataset", required=True, help="entry of `datasets` in params.yaml")
    parser.add_argument("--data", type=Path, required=True, help="folder of archive and frames")
    parser.add_argument("--split", type=Path, required=True, help="split.csv")
    parser.add_argument("--trained", type=Path, required=True, help="models/D/M/foldF, of one model")
    parser.add_argument("--template", type=Path, default="notebooks/report_template", help="folder of nbconvert")
    parser.add_argument("--output", type=Path, required=True, help="folder for the exported model")
    return parser.parse_args()


if __name__ == "__main__":
    main()
