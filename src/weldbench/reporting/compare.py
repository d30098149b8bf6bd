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
from weldbench.reporting.figures.style import save
from weldbench.reporting.outputs import FIGURE_FORMAT, FIGURES, MODEL_FIGURES, TABLE_FORMATS, TABLES, figure_names
from weldbench.reporting.tables.notes import about_selection
from weldbench.reporting.tables.table import Table

_INFLATED = "The split is random, not by run: near copies of train frames are in test, which inflates every score."


@dataclass(frozen=True)
class Findings:
    """All that the tables and figures of one dataset are made from.

    Attributes:
        name: Of the dataset.
        settings: The section `compare` of params.yaml.
        vote_frames: Window in frames of the vote of an export, `export.vote_frames`.
        dataset: Frames, manifest and classes.
        split_tables: Per fold its split.csv.
        notes: Sentences of ingest and of the audits.
        warnings: What a reader of the scores has to know about the split and the trainings.
        strategy: How the data was split, the setting of this name.
        scored: On all test frames.
        balanced: On the balanced subset of test.
        lineage: What the tables were made from, in a line.
        deviations: Sentences on packages or code other than those expected, for every table.
    """

    name: str
    settings: Compare
    vote_frames: int
    dataset: Dataset
    split_tables: Mapping[int, pd.DataFrame]
    notes: Sequence[str]
    warnings: Sequence[str]
    strategy: str
    scored: ScoredComparison
    balanced: ScoredComparison
    trainings: Trainings
    published: Published
    lineage: str
    deviations: Sequence[str] = ()


def gather(
    name: str,
    settings: Compare,
    *,
    vote_frames: int,
    seeds: Sequence[int],
    folds: Sequence[int],
    data: Path,
    trained: Path,
    evaluation: Path,
    published: Path,
    lock: Path,
    deviations: Sequence[str] = (),
) -> Findings:
    """Read what the earlier stages wrote, and score every model.

    Raises:
        InputError: A file is missing or damaged, or files do not belong together.
    """
    split_paths = {fold: data / "split" / f"fold{fold}" / "split.csv" for fold in folds}
    dataset, quoted = open_dataset(data, *split_paths.values()), read_published(published)
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
        "compare": settings.model_dump(mode="json", exclude={"train_shares"}),
        "vote_frames": vote_frames,
    }
    return Findings(
        name=name,
        settings=settings,
        vote_frames=vote_frames,
        dataset=dataset,
        split_tables={fold: read_split(path) for fold, path in split_paths.items()},
        notes=list(dict.fromkeys(note for facts in (inventory, *audits) for note in facts["notes"])),
        warnings=[
            *([_INFLATED] if any(audit["strategy"] == "random" for audit in audits) else []),
            *about_selection(trainings),
            *trainings.notes,
        ],
        strategy=audits[0]["strategy"],
        scored=score_comparison(f"all {len(comparison.frames.labels):,} test frames", comparison, settings),
        balanced=score_balanced_subset(comparison, settings, quoted, name),
        trainings=trainings,
        published=quoted,
        lineage=made_from(data / "manifest.csv", lock, told),
        deviations=deviations,
    )


def write_tables(findings: Findings, folder: Path) -> None:
    """Write every registered table."""
    for name, entry in TABLES.items():
        table: Table = entry.build(findings)
        replace(table, name=name, notes=[*table.notes, *findings.deviations, findings.lineage]).write(folder)
    _remove_others(folder, {f"{name}.{suffix}" for name in TABLES for suffix in TABLE_FORMATS})


def write_figures(findings: Findings, folder: Path) -> None:
    """Write every registered figure; those of models once for each model."""
    models = findings.scored.comparison.models
    for entry in FIGURES.values():
        save(entry.draw(findings), folder / entry.path().name)
    for model in models:
        for entry in MODEL_FIGURES.values():
            save(entry.draw(findings, model), folder / entry.path(model).name)
    _remove_others(folder, {f"{name}.{FIGURE_FORMAT}" for name in figure_names(models)})


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
