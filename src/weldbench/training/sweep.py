"""The search over depth, training length and learning rate: points, each one training, and the table of them all."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from weldbench.config import Params
from weldbench.config.models import Model, Pretrainable
from weldbench.errors import InputError
from weldbench.runtime.atomic import write_json
from weldbench.runtime.hardware import Fabric
from weldbench.training.checkpoint import remove_checkpoint
from weldbench.training.setup import TrainingJob
from weldbench.training.train import train_network

COLUMNS = ("model", "epochs", "learning_rate", "valid_macro_f1", "valid_loss", "best_epoch", "valid_doubts", "seconds")


def point_settings(params: Params, model: str, epochs: int, learning_rate: float) -> Model:
    """Return a model's settings at one point of the sweep, from the parameters as they hold for a dataset.

    Raises:
        InputError: params.yaml has no such model, or what the sweep changes does not suit it.
    """
    if model not in params.models:
        raise InputError(f"--model {model}: params.yaml has the models {', '.join(params.models)}")
    sweep, settings = params.sweep, params.models[model]
    changes: dict[str, Any] = {
        "epochs": epochs,
        "min_steps": 0,  # or it would make trainings of different epochs equally long
        "learning_rate": learning_rate,
        "optimizer": sweep.optimizer,
        "batch_size": sweep.batch_size,
    }
    if sweep.input_size_px:
        changes["input_size_px"] = sweep.input_size_px
    if isinstance(settings, Pretrainable):
        changes |= {"init": sweep.init, "pretrained_share": 0.0}
        if sweep.init == "scratch":
            changes["freeze"] = "none"
    try:
        point = type(settings).model_validate(settings.model_dump() | changes)
    except ValidationError as error:
        wrong = "; ".join(detail["msg"].removeprefix("Value error, ") for detail in error.errors())
        raise InputError(f"params.yaml: models.{model} with what sweep sets for all models: {wrong}") from None
    if point.freeze == "backbone":
        raise InputError(
            f"params.yaml: sweep.models names {model}, which has freeze: backbone: epochs and learning rate change "
            f"nothing in the fit of a last layer; take it out of sweep.models, or freeze other layers of models.{model}"
        )
    return point


def train_point(fabric: Fabric, job: TrainingJob, output: Path) -> None:
    """Train one point and write what valid says about it as JSON; the weights are not kept, and test is not read."""
    checkpoint_path = output.with_name(f".{output.stem}.safetensors")
    result = train_network(fabric, job, checkpoint_path, lambda line: None)
    if not fabric.is_global_zero:
        return
    best = result.progress.best
    write_json(
        output,
        {
            "model": job.settings.name,
            "epochs": job.settings.epochs,
            "learning_rate": job.settings.learning_rate,
            "valid_macro_f1": round(best.valid_macro_f1, 6),
            "valid_loss": round(best.valid_loss, 6),
            "best_epoch": best.epoch,
            "valid_doubts": " and ".join(result.decided["selection"]["doubts"]),
            "seconds": round(result.seconds, 3),
        },
    )
    remove_checkpoint(checkpoint_path)
