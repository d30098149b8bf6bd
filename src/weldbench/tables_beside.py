"""Tables beside the scores: what others published, and what the trainings cost."""

import numpy as np
import pandas as pd

from weldbench.published import Published, Result
from weldbench.scoring import Scoring
from weldbench.table import Table
from weldbench.trainings import Trainings

_MARKS = {"V": "checked", "S": "stated", "A": "assumed"}
_RANDOM = "random weights"
_STARTS = {"scratch": _RANDOM, "simulated": "a backbone trained on simulated frames", "imagenet": "ImageNet's weights"}


def published_table(published: Published, dataset: str, scoring: Scoring) -> Table:
    """Every published result, with its source and what is assumed about it."""
    results = published.with_classes(scoring.comparison.classes)
    if not results:
        shown = pd.DataFrame({"published": ["no results are known that were published on these classes"]})
        return Table("published", "Published results", pd.DataFrame(columns=["who", "model", "note"]), shown)
    data = pd.DataFrame(
        [
            {
                "who": result.who,
                "model": result.model,
                "dataset": result.dataset,
                "macro_f1": _number(result.macro_f1),
                "accuracy": _number(result.accuracy),
                "valid_accuracy": _number(result.valid_accuracy),
                "two_class_accuracy": _number(result.two_class_accuracy),
                **{f"f1_{name}": _number(result.f1.get(name)) for name in scoring.comparison.classes},
                **{f"recall_{name}": _number(result.recall.get(name)) for name in scoring.comparison.classes},
                "test_frames": _number(result.test.frames if result.test else None),
                "source": published.sources[result.source],
                "mark": result.mark,
                "note": result.remark or "nothing more is published",
            }
            for result in results
        ]
    )
    shown = pd.DataFrame(
        [
            {
                "who": result.who,
                "model": result.model,
                "training": result.training,
                "published": _quoted(result),
                "test frames": f"{result.test.frames:,} ({_MARKS[result.test.mark]})"
                if result.test
                else "not published",
                "remark": result.remark or "–",
                "source": f"{published.sources[result.source]} ({_MARKS[result.mark]})",
            }
            for result in results
        ]
    )
    others = sorted({result.dataset for result in results} - {dataset})
    notes = [f"{remark.text} ({_MARKS[remark.mark]})" for remark in published.not_comparable]
    if others:
        notes.insert(0, f"These were scored on {', '.join(others)}; numbers on {dataset} cannot be compared with them.")
    return Table("published", "Published results, and what is not comparable", data, shown, notes=notes)


def cost(scoring: Scoring, trainings: Trainings) -> Table:
    """What a training of each model costs; the times are those of the machine at hand and change from run to run."""
    records = []
    for model in scoring.comparison.models:
        runs = trainings.runs[trainings.runs["model"] == model]
        records.append(
            {
                "model": model,
                "parameters": int(runs["parameters"].iloc[0]),
                "starts_from": _STARTS[trainings.settings[model].get("init", "scratch")],
                "training_seconds": runs["seconds"].mean(),
                "training_seconds_deviation": runs["seconds"].std() if len(runs) > 1 else np.nan,
                "training_ms_per_frame": 1000 / runs["frames_per_second"].mean(),
                "inference_ms_per_frame": runs["inference_ms_batched"].median(),
                "inference_ms_alone": runs["inference_ms_alone"].median(),
                "peak_memory_mb": runs["peak_memory_mb"].max(),
                "best_epochs": " ".join(map(str, runs["best_epoch"])),
                "macro_f1": scoring.macro_f1[model].estimate,
                "device": " and ".join(sorted(set(runs["device"]))),
                "note": "" if len(runs) > 1 else "one training: no deviation",
            }
        )
    data = pd.DataFrame(records)
    shown = pd.DataFrame(
        {
            "model": data["model"],
            "macro F1": data["macro_f1"].map("{:.3f}".format),
            "parameters": data["parameters"].map("{:,}".format),
            "starts from": data["starts_from"],
            "seconds to train once": [
                f"{mean:,.1f}" + ("" if np.isnan(deviation) else f" ± {deviation:,.1f}")
                for mean, deviation in zip(data["training_seconds"], data["training_seconds_deviation"], strict=True)
            ],
            "training, ms per frame": data["training_ms_per_frame"].map("{:.3f}".format),
            "inference, ms per frame": data["inference_ms_per_frame"].map("{:.3f}".format),
            "inference, ms for one frame alone": data["inference_ms_alone"].map("{:.3f}".format),
            "peak memory, MB": data["peak_memory_mb"].map("{:,.0f}".format),
            "best epochs": data["best_epochs"],
            "device": data["device"],
        }
    )
    notes = [
        "Means over trainings, medians for inference; the memory is the largest.",
        "Seconds to train once are of the whole stage, which also reads the frames and scores valid after every epoch; "
        "training, ms per frame, is that of the median epoch alone.",
        "In training a frame passes forward and backward. Inference is timed in batches, as a test set is scored, and "
        "with one frame alone, as a camera sends it.",
    ]
    if learnt := [start for start in data["starts_from"].unique() if start != _RANDOM]:
        notes.append(f"Seconds to train leave out what it took to make {' and '.join(learnt)}, which trainings share.")
    if len(devices := sorted(set(trainings.runs["device"]))) > 1:
        notes.append(f"Trained on different devices: {', '.join(devices)}; times are not comparable.")
    return Table("cost", "What the models cost", data, shown, notes=notes)


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _quoted(result: Result) -> str:
    single = {
        "macro F1": result.macro_f1,
        "accuracy": result.accuracy,
        "accuracy on valid": result.valid_accuracy,
        "accuracy of 2 classes": result.two_class_accuracy,
    }
    quoted = [f"{name} {value:g}" for name, value in single.items() if value is not None]
    for metric, per_class in (("F1", result.f1), ("recall", result.recall)):
        if per_class:
            quoted.append(f"{metric}: " + ", ".join(f"{name} {value:.2f}" for name, value in per_class.items()))
    return "; ".join(quoted)
