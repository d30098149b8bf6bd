"""The search over depth, training length and learning rate: points, each one training, and the table of them all."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from weldbench.atomic import replacing, write_json
from weldbench.checkpoint import remove_checkpoint
from weldbench.config import Params
from weldbench.config.models import Model, TorchvisionModel
from weldbench.errors import InputError
from weldbench.hardware import Fabric
from weldbench.lessons import Assignment
from weldbench.table import Table
from weldbench.training import learn

COLUMNS = ("model", "epochs", "learning_rate", "valid_macro_f1", "valid_loss", "best_epoch", "seconds")


def point_settings(params: Params, dataset: str, model: str, epochs: int, learning_rate: float) -> Model:
    """Return a model's settings at one point of the sweep.

    Raises:
        InputError: params.yaml has no such model.
    """
    if model not in params.models:
        raise InputError(f"--model {model}: params.yaml has the models {', '.join(params.models)}")
    sweep, settings = params.sweep.for_dataset(dataset), params.models[model].for_dataset(dataset)
    changes: dict[str, Any] = {
        "epochs": epochs,
        "learning_rate": learning_rate,
        "optimizer": sweep.optimizer,
        "batch_size": sweep.batch_size,
    }
    if sweep.input_size_px:
        changes["input_size_px"] = sweep.input_size_px
    if isinstance(settings, TorchvisionModel):
        changes |= {"init": sweep.init, "pretrained_share": 0.0}
        if sweep.init == "scratch":
            changes["freeze"] = "none"
    return settings.model_copy(update=changes)


def train_point(fabric: Fabric, task: Assignment, output: Path) -> None:
    """Train one point and write what valid says about it as JSON; the weights are not kept, and test is not read."""
    checkpoint_path = output.with_name(f".{output.stem}.safetensors")
    learnt = learn(fabric, task, checkpoint_path, lambda line: None)
    if not fabric.is_global_zero:
        return
    best = learnt.progress.best
    write_json(
        output,
        {
            "model": task.settings.architecture,
            "epochs": task.settings.epochs,
            "learning_rate": task.settings.learning_rate,
            "valid_macro_f1": round(best.valid_macro_f1, 6),
            "valid_loss": round(best.valid_loss, 6),
            "best_epoch": best.epoch,
            "seconds": round(learnt.seconds, 3),
        },
    )
    remove_checkpoint(checkpoint_path)


def sweep_table(points: Sequence[Path]) -> pd.DataFrame:
    """Read points into one table, the best first: by macro F1 on valid, then by loss there.

    Raises:
        InputError: A file is missing or is no point, or there is none.
    """
    if not points:
        raise InputError("--points: no point was named; train some with scripts/sweep.py point")
    return (
        pd.DataFrame([_read(path) for path in points], columns=list(COLUMNS))
        .sort_values(["valid_macro_f1", "valid_loss"], ascending=[False, True], kind="stable")
        .reset_index(drop=True)
    )


def write_sweep(points: pd.DataFrame, output: Path) -> None:
    """Write sweep.csv, sweep.md, sweep.tex and sweep.png into the folder `output`."""
    shown = pd.DataFrame(
        {
            "model": points["model"],
            "epochs": points["epochs"].astype(str),
            "learning rate": points["learning_rate"].map("{:g}".format),
            "macro F1": points["valid_macro_f1"].map("{:.3f}".format),
            "loss": points["valid_loss"].map("{:.3f}".format),
            "best epoch": points["best_epoch"].astype(str),
            "seconds": points["seconds"].map("{:.0f}".format),
        }
    )
    chosen = frozenset((0, column) for column in shown)
    note = "One training each. Macro F1 and loss are those of valid, at the best epoch; test was not read."
    Table("sweep", "Depth, training length and learning rate", points, shown, chosen, [note]).write(output)
    with replacing(output / "sweep.png") as partial:
        _figure(points).savefig(partial, dpi=150, metadata={"Software": None})


def _figure(points: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    lengths = sorted(points["epochs"].unique())
    for color, (model, of_model) in enumerate(points.groupby("model")):
        for epochs, line in of_model.sort_values("learning_rate").groupby("epochs"):
            style = ["-", "--", ":", "-."][lengths.index(epochs) % 4]
            label = f"{model}, {epochs} epochs"
            axes.plot(line["learning_rate"], line["valid_macro_f1"], style, color=f"C{color}", marker="o", label=label)
    axes.set(xscale="log", xlabel="learning rate", ylabel="macro F1 on valid")
    rates = sorted(points["learning_rate"].unique())
    axes.set_xticks(rates, [f"{rate:g}" for rate in rates], minor=False)
    axes.minorticks_off()
    figure.legend(fontsize="small", loc="outside right upper", handlelength=3.5)
    return figure


def _read(path: Path) -> dict[str, Any]:
    try:
        point = json.loads(path.read_text(encoding="utf-8"))
        return {name: point[name] for name in COLUMNS}
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; train that point first") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: this is no point of a sweep: {error}; delete it and train it again") from None
