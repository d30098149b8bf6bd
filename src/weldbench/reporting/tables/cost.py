"""Tables beside the scores: what others published, and what the trainings cost."""

import numpy as np
import pandas as pd

from weldbench.evaluation.scoring import ScoredComparison
from weldbench.evaluation.training_records import Trainings
from weldbench.reporting.tables.notes import about_selection, learned_from
from weldbench.reporting.tables.table import Table

_RANDOM = "random weights"
_STARTS = {"scratch": _RANDOM, "simulated": "a backbone trained on simulated frames", "imagenet": "ImageNet's weights"}


def cost(scored: ScoredComparison, trainings: Trainings) -> Table:
    """What a training of each model costs; the times are those of the machine at hand and change from run to run."""
    data = _data(scored, trainings)
    shown, devices = _shown(data), sorted(set(trainings.runs["device"]))
    if len(devices) == 1:
        shown = shown.drop(columns="device")
    return Table("cost", "What the models cost", data, shown, notes=_notes(data, trainings, devices))


def _data(scored: ScoredComparison, trainings: Trainings) -> pd.DataFrame:
    records = []
    frames = {model: what for what, models in learned_from(trainings).items() for model in models}
    totals = trainings.learned_from[trainings.learned_from["class"] == "total"].groupby("model")["frames"].mean()
    for model in scored.comparison.models:
        runs = trainings.runs[trainings.runs["model"] == model]
        first_fold = runs[runs["fold"] == runs["fold"].iloc[0]]  # what is exported comes from there
        records.append(
            {
                "model": model,
                "parameters": int(runs["parameters"].iloc[0]),
                "starts_from": _STARTS[trainings.settings[model].get("init", "scratch")],
                "learned_from": frames[model] + _and_simulated(runs["simulated_frames"]),
                "selected_by": runs["selected_by"].iloc[0],
                "valid_macro_f1": first_fold["valid_macro_f1"].mean(),
                "valid_doubted": bool((first_fold["valid_doubts"] != "").any()),
                "frames_learned_from": round(totals[model]),
                "training_seconds": runs["seconds"].mean(),
                "training_seconds_std": runs["seconds"].std() if len(runs) > 1 else np.nan,
                "training_ms_per_frame": 1000 / runs["frames_per_second"].mean(),
                "inference_ms_per_frame": runs["inference_ms_batched"].median(),
                "inference_ms_alone": runs["inference_ms_alone"].median(),
                "peak_memory_mb": runs["peak_memory_mb"].max(),
                "best_epochs": " ".join(map(str, runs["best_epoch"])),
                "macro_f1": scored.macro_f1[model].estimate,
                "device": " and ".join(sorted(set(runs["device"]))),
                "note": "" if len(runs) > 1 else "one training: no standard deviation",
            }
        )
    return pd.DataFrame(records)


def _shown(data: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": data["model"],
            "macro F1": data["macro_f1"].map("{:.3f}".format),
            "parameters": data["parameters"].map("{:,}".format),
            "starts from": data["starts_from"],
            "learned from": data["learned_from"],
            "frames per epoch": data["frames_learned_from"].map("{:,}".format),
            "seconds to train once": [
                f"{mean:,.1f}" + ("" if np.isnan(deviation) else f" ± {deviation:,.1f}")
                for mean, deviation in zip(data["training_seconds"], data["training_seconds_std"], strict=True)
            ],
            "training, ms per frame": data["training_ms_per_frame"].map("{:.3f}".format),
            "inference, ms per frame": data["inference_ms_per_frame"].map("{:.3f}".format),
            "inference, ms for one frame alone": data["inference_ms_alone"].map("{:.3f}".format),
            "peak memory, MB": data["peak_memory_mb"].map("{:,.0f}".format),
            "best epochs": data["best_epochs"],
            "device": data["device"],
        }
    )


def _notes(data: pd.DataFrame, trainings: Trainings, devices: list[str]) -> list[str]:
    notes = [
        "Means over trainings, medians for inference; the memory is the largest.",
        "Seconds to train once are of the whole stage, which also reads the frames and scores valid after every epoch; "
        "training, ms per frame, is that of the median epoch alone.",
        "In training a frame passes forward and backward. Inference is timed in batches, as a test set is scored, and "
        "with one frame alone, as a camera sends it.",
    ]
    if frozen := [model for model in data["model"] if trainings.settings[model].get("freeze") == "backbone"]:
        notes.append(
            "Seconds to train once include those of the features of a frozen backbone, which are computed once for all "
            f"trainings; its training, ms per frame, is that of the last layer on them ({', '.join(frozen)})."
        )
    notes += about_selection(trainings)
    if learned := [start for start in data["starts_from"].unique() if start != _RANDOM]:
        notes.append(f"Seconds to train leave out what it took to make {' and '.join(learned)}, which trainings share.")
    if len(devices) == 1:
        notes.append(f"All trained on {devices[0]}.")
    else:
        notes.append(f"Trained on different devices: {', '.join(devices)}; times are not comparable.")
    return notes


def _and_simulated(counts: pd.Series) -> str:
    """Name the simulated frames that the trainings of a model learned from beside the real ones."""
    numbers = " or ".join(f"{count:,}" for count in sorted(counts.unique()))
    return f" and {numbers} simulated frames" if counts.max() else ""
