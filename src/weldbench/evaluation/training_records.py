"""How the models of a comparison were trained: history.csv and training.json of every fold and seed."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from weldbench.errors import InputError

# What has to be the same in every training of a model, or their mean over seeds means nothing. Not the device: on a
# cluster nodes differ, and only the times depend on them.
_SHARED = ("model", "dataset", "settings", "augment", "parameters", "precision", "threads", "versions")


_COST = ("seconds", "parameters", "best_epoch", "peak_memory_mb", "device", "simulated_frames", "valid_macro_f1")


@dataclass(frozen=True)
class Trainings:
    """All trainings of a comparison.

    Attributes:
        history: The lines of every history.csv, with the columns `model`, `fold`, `seed` before them.
        runs: One row per training: `model`, `fold`, `seed`, `seconds`, `parameters`, `best_epoch`,
            `frames_per_second` (the median over epochs), `peak_memory_mb`, `device`,
            `valid_macro_f1`, `inference_ms_alone`, `inference_ms_batched` (per frame), `simulated_frames` (that it
            learned from beside the real ones), `selected_by` (`valid`, `last`, `cross-validation` or `default`),
            `valid_doubts` (why valid cannot choose; empty if it can).
        settings: Per model the settings that all its trainings had, with those of the augmentation under `augment`.
        notes: Sentences of the trainings, each once.
        learned_from: What each model learned from, one row per model, fold and class (`total` last): `frames`, as often
            as they are used, and the `runs` they stand in.
    """

    history: pd.DataFrame
    runs: pd.DataFrame
    settings: Mapping[str, dict[str, Any]]
    learned_from: pd.DataFrame
    notes: Sequence[str] = ()

    @property
    def uncalibrated(self) -> frozenset[str]:
        """Models with a training whose valid is no base for a choice: not of weights, and not of thresholds."""
        return frozenset(self.runs.loc[self.runs["valid_doubts"] != "", "model"])

    @property
    def architectures(self) -> dict[str, str]:
        """Model -> which network it is."""
        return {model: settings.get("architecture", model) for model, settings in self.settings.items()}


def read_trainings(trained: Path | str, models: Sequence[str], folds: Sequence[int], seeds: Sequence[int]) -> Trainings:
    """Read `trained`/M/foldF/seedS/history.csv and training.json of every model, fold and seed.

    Raises:
        InputError: A file is missing or damaged, or two trainings of one model had different settings.
    """
    histories, runs, settings, learned = [], [], {}, []
    notes: dict[str, None] = {}
    for model in models:
        first: tuple[Path, dict[str, Any]] | None = None
        for fold in folds:
            of_fold: tuple[Path, dict[str, Any]] | None = None
            for seed in seeds:
                folder = Path(trained) / model / f"fold{fold}" / f"seed{seed}"
                place: dict[str, str | int] = {"model": model, "fold": fold, "seed": seed}
                history, facts = _read(folder)
                first = first or (folder, facts)
                settings[model] = {**facts.get("settings", {}), "augment": facts.get("augment", {})}
                notes |= dict.fromkeys(facts.get("notes", []))
                of_fold = of_fold or (folder, facts)
                refuse_others(first, (folder, facts))
                refuse_others(of_fold, (folder, facts), ["learned_from"])
                if of_fold[0] == folder:
                    learned += [{"model": model, "fold": fold, **counts} for counts in _learned_from(folder, facts)]
                histories.append(history.assign(**place)[[*place, *history.columns]])
                runs.append(place | _cost(folder, facts) | {"frames_per_second": history["frames_per_second"].median()})
    return Trainings(
        pd.concat(histories, ignore_index=True), pd.DataFrame(runs), settings, pd.DataFrame(learned), tuple(notes)
    )


def _read(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    try:
        history = pd.read_csv(folder / "history.csv")
        facts = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if (folder / "run.json").is_file():
            raise InputError(
                f"{folder}: an older version of weldbench trained this model and wrote run.json, now training.json; "
                "delete the folder and train again"
            ) from None
        raise InputError(f"{error.filename}: there is no such file; train that model and seed first") from None
    except ValueError as error:
        raise InputError(f"{folder}: history.csv or training.json is damaged: {error}; train again") from None
    missing = {"epoch", "train_loss", "valid_loss", "valid_macro_f1", "frames_per_second"} - set(history.columns)
    if missing or history.empty:
        raise InputError(f"{folder / 'history.csv'}: it lacks {', '.join(sorted(missing)) or 'epochs'}; train again")
    return history, facts


def _cost(folder: Path, facts: dict[str, Any]) -> dict[str, Any]:
    try:
        cost = {key: facts[key] for key in _COST}
        cost |= {"selected_by": facts["selection"]["by"], "valid_doubts": " and ".join(facts["selection"]["doubts"])}
        return cost | {f"inference_ms_{how}": facts["inference_ms"][how] for how in ("alone", "batched")}
    except KeyError as error:
        raise InputError(f"{folder / 'training.json'}: it lacks {error}; train again") from None


def _learned_from(folder: Path, facts: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        counts = facts["learned_from"].items()
        return [{"class": name, "frames": found["frames"], "runs": found["runs"]} for name, found in counts]
    except (KeyError, TypeError, AttributeError):
        raise InputError(
            f"{folder / 'training.json'}: it does not say what the model learned from (learned_from), as files of "
            "an earlier version; train again"
        ) from None


def refuse_others(
    one: tuple[Path, dict[str, Any]], other: tuple[Path, dict[str, Any]], shared: Sequence[str] = _SHARED
) -> None:
    """Refuse two trainings of one model, each a folder and its training.json, that differ in what they have to share.

    Raises:
        InputError: They differ.
    """
    for key in shared:
        if one[1].get(key) != other[1].get(key):
            raise InputError(
                f"{one[0] / 'training.json'} and {other[0] / 'training.json'}: trained with different {key} "
                f"({one[1].get(key)} and {other[1].get(key)}); train both again with the same params.yaml and packages"
            )


def about_preference(valid: Mapping[str, float], exported: Collection[str], doubted: Collection[str] = ()) -> str:
    """Say in a sentence that valid prefers another model than an exported one; empty where it does not.

    Only valid is asked: a model that was chosen by its score on test would have no score left that can be trusted.

    Args:
        valid: Model -> macro F1 on valid, the mean over the seeds of the first fold; NaN where there is none.
        exported: Models that are exported.
        doubted: Models whose valid is too small to choose by.

    Example:
        >>> about_preference({"a": 0.5, "b": 0.75}, ["a"])
        'Valid prefers b (macro F1 0.750) to the exported a (0.500); to export b, name it in export.models.'
        >>> about_preference({"a": 0.75, "b": 0.75}, ["a"])
        ''
    """
    scores = {model: score for model, score in valid.items() if not math.isnan(score)}
    best = max(scores.values(), default=math.nan)
    preferred = [model for model, score in scores.items() if score == best]
    others = {model: scores.get(model) for model in exported}
    if not preferred or not others or not others.keys().isdisjoint(preferred):
        return ""
    told = [f"{model} ({'not compared' if score is None else f'{score:.3f}'})" for model, score in others.items()]
    unsure = ", though it is too small to choose by," if preferred[0] in doubted else ""
    return (
        f"Valid{unsure} prefers {preferred[0]} (macro F1 {best:.3f}) to the exported {' and '.join(told)}; "
        f"to export {preferred[0]}, name it in export.models."
    )
