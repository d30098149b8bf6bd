"""Compare all models: tables and figures from predictions. Nothing is trained, and torch is not needed."""

import own_source  # noqa: F401

import argparse
import sys
from pathlib import Path

from weldbench.pipeline.command import command
from weldbench.pipeline.lock import take_output_lock


@command
def main() -> None:
    take_output_lock((arguments := parse_arguments()).output)
    from weldbench.config import load_params
    from weldbench.pipeline.consistency import contradictions, deviations, refuse
    from weldbench.pipeline.provenance import Project
    from weldbench.reporting.compare import gather, write_figures, write_tables
    from weldbench.runtime.atomic import write_json

    params = load_params(arguments.params).for_dataset(arguments.dataset)
    places = arguments.data, arguments.trained, arguments.evaluation, arguments.output
    records = list((project := Project(params, arguments.dataset, *places)).records(params.compare.models))
    refuse(contradictions(records, large_files=False), "nothing was compared, as files do not belong together")
    for sentence in (told := deviations(records, arguments.lock)):
        print(f"compare {arguments.dataset}: {sentence}", file=sys.stderr)
    findings = gather(
        arguments.dataset,
        params.compare,
        vote_frames=params.export.vote_frames,
        seeds=params.seeds,
        folds=params.folds,
        data=arguments.data,
        trained=arguments.trained,
        evaluation=arguments.evaluation,
        published=arguments.published,
        lock=arguments.lock,
        deviations=told,
    )
    write_tables(findings, arguments.output / "tables")
    write_figures(findings, arguments.output / "figures")
    write_json(arguments.output / "comparison.json", project.comparison().told())


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, default="params.yaml")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder that ingest wrote")
    parser.add_argument("--trained", type=Path, required=True, help="folder of the trained models")
    parser.add_argument("--evaluation", type=Path, required=True, help="folder of their predictions")
    parser.add_argument("--published", type=Path, default="reference/published.yaml", help="published numbers")
    parser.add_argument("--lock", type=Path, default="requirements.lock", help="the locked packages")
    parser.add_argument("--output", type=Path, required=True, help="folder for tables/ and figures/")
    return parser.parse_args()


if __name__ == "__main__":
    main()
