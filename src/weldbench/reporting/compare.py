"""From predictions to all tables and figures of a comparison."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from weldbench.config.evidence import Compare
from weldbench.data.dataset import Dataset, open_dataset, read_split, split_id
from weldbench.errors import InputError
from weldbench.evaluation.comparison import read_comparison
from weldbench.evaluation.published import Published, read_published
from weldbench.evaluation.scoring import ScoredComparison, score_balanced_subset, score_comparison
from weldbench.evaluation.training_records import Trainings, read_trainings
from weldbench.pipeline.lineage import made_from
from weldbench.reporting.figures import data as figures_data
from weldbench.reporting.figures import runs as figures_runs
from weldbench.reporting.figures import scores as figures_scores
from weldbench.reporting.figures import training as figures_training
from weldbench.reporting.figures.style import save
from weldbench.reporting.outputs import FIGURE_FORMAT, TABLE_FORMATS, figure_names
from weldbench.reporting.tables.by_class import distribution, per_class
from weldbench.reporting.tables.by_model import operating_points, pairs, summary
from weldbench.reporting.tables.by_run import runs, temporal_vote
from weldbench.reporting.tables.cost import cost
from weldbench.reporting.tables.f1 import about_published, f1_table
from weldbench.reporting.tables.published import published_table

_SEE_TABLE_3 = "What is known of the published values stands below Table 3."
_FLATTERED = "The split is random, not by run: near copies of train frames stand in test, which flatters every model."


@dataclass(frozen=True)
class Findings:
    """All that the tables and figures of one dataset are made from.

    Attributes:
        name: Of the dataset.
        settings: The section `compare` of params.yaml.
        dataset: Frames, manifest and classes.
        split_tables: Per fold its split.csv.
        notes: Sentences of ingest and of the audits.
        warnings: What a reader of the scores has to know about the split.
        scored: On all test frames.
        balanced: On the balanced subset of test.
        lineage: What the tables were made from, in a line.
    """

    name: str
    settings: Compare
    dataset: Dataset
    split_tables: Mapping[int, pd.DataFrame]
    notes: Sequence[str]
    warnings: Sequence[str]
    scored: ScoredComparison
    balanced: ScoredComparison
    trainings: Trainings
    published: Published
    lineage: str


def gather(
    name: str,
    settings: Compare,
    *,
    seeds: Sequence[int],
    folds: Sequence[int],
    data: Path,
    trained: Path,
    evaluation: Path,
    published: Path,
    lock: Path,
) -> Findings:
    """Read what the earlier stages wrote, and score every model.

    Raises:
        InputError: A file is missing or damaged, or files do not belong together.
    """
    split_paths = {fold: data / "split" / f"fold{fold}" / "split.csv" for fold in folds}
    dataset, quoted = open_dataset(data), read_published(published)
    has_good = dataset.good_class is not None
    comparison = read_comparison(evaluation, split_paths, settings.models, seeds, has_good)
    if tuple(dataset.classes) != comparison.classes:
        raise InputError(f"{evaluation}: the predictions are about other classes than {data}; train and evaluate again")
    trainings = read_trainings(trained, settings.models, folds, seeds)
    inventory = _read(data / "inventory.json", "notes")
    audits = [_read(path.with_name("audit.json"), "notes", "strategy") for path in split_paths.values()]
    told = {
        "frame_size_px": dataset.frames.shape[1:],
        "splits": {fold: split_id(path) for fold, path in split_paths.items()},
        "models": trainings.settings,
        "seeds": seeds,
        "folds": folds,
        "compare": settings.model_dump(mode="json"),
    }
    return Findings(
        name=name,
        settings=settings,
        dataset=dataset,
        split_tables={fold: read_split(path) for fold, path in split_paths.items()},
        notes=list(dict.fromkeys(note for facts in (inventory, *audits) for note in facts["notes"])),
        warnings=[_FLATTERED] if any(audit["strategy"] == "random" for audit in audits) else [],
        scored=score_comparison(f"all {len(comparison.frames.labels):,} test frames", comparison, settings),
        balanced=score_balanced_subset(comparison, settings, quoted, name),
        trainings=trainings,
        published=quoted,
        lineage=made_from(data / "manifest.csv", lock, told),
    )


def write_tables(findings: Findings, folder: Path) -> None:
    """Write every table of `weldbench.reporting.outputs.TABLES`."""
    scored, settings, published = findings.scored, findings.settings, findings.published
    quoted = published.with_f1(findings.dataset.classes)
    about_quoted = about_published(quoted, published, findings.name)
    tables = [
        distribution(findings.dataset.classes, findings.dataset.manifest, findings.split_tables, findings.notes),
        per_class(scored),
        f1_table("comparison", "Table 3. F1 per class", scored, quoted, [*findings.warnings, *about_quoted]),
        f1_table(
            "comparison_balanced",
            "Table 3, balanced",
            findings.balanced,
            quoted,
            [*findings.warnings, _SEE_TABLE_3],
        ),
        summary([scored, findings.balanced]),
        pairs(scored),
        operating_points(scored, settings.false_reject_rates),
        temporal_vote(scored, settings.vote_frames),
        runs(scored, max(settings.vote_frames)),
        published_table(published, findings.name, scored),
        cost(scored, findings.trainings),
    ]
    for table in tables:
        replace(table, notes=[*table.notes, findings.lineage]).write(folder)
    _remove_others(folder, {f"{table.name}.{suffix}" for table in tables for suffix in TABLE_FORMATS})


def write_figures(findings: Findings, folder: Path) -> None:
    """Write every figure of `weldbench.reporting.outputs.figure_names`."""
    scored, dataset = findings.scored, findings.dataset

    def write(name: str, figure) -> None:
        save(figure, folder / f"{name}.{FIGURE_FORMAT}")

    write("classes", figures_data.classes(dataset.frames, dataset.manifest, dataset.classes))
    write("class_distribution", figures_data.class_distribution(scored.support, dataset.classes))
    write("learning_curves", figures_training.learning_curves(findings.trainings))
    write("macro_f1", figures_scores.macro_f1([scored, findings.balanced], findings.published))
    write("reliability", figures_scores.reliability(scored))
    write("precision_recall", figures_scores.precision_recall(scored))
    write("cost", figures_training.cost(scored, findings.trainings))
    seed = scored.comparison.seeds[0]
    for model in scored.comparison.models:
        frames = scored.comparison.test[model][0]
        write(f"confusion_{model}", figures_scores.confusion(scored, model))
        write(f"runs_{model}", figures_runs.strips(frames, model, seed))
        errors = figures_runs.confident_errors(frames, model, seed, dataset.frames, dataset.manifest)
        write(f"errors_{model}", errors)
    _remove_others(folder, {f"{name}.{FIGURE_FORMAT}" for name in figure_names(scored.comparison.models)})


def _read(path: Path, *keys: str) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return {key: facts[key] for key in keys}
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; run the stages ingest and split first") from None
    except (ValueError, KeyError) as error:
        raise InputError(f"{path}: this file is damaged: {error}; run the stage that writes it again") from None


def _remove_others(folder: Path, names: set[str]) -> None:
    """Remove what an earlier run left in a folder, such as the figures of a model that is compared no more."""
    for path in folder.iterdir():
        if path.is_file() and path.name not in names:
            path.unlink()
