"""The numbers of a running training for DVCLive or TensorBoard, when params.yaml asks for one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from weldbench.errors import InputError
from weldbench.training.history import Epoch

if TYPE_CHECKING:
    from lightning_fabric.loggers.logger import Logger


@contextmanager
def tracker(name: str, folder: Path) -> Iterator[Callable[[Epoch], None]]:
    """Yield a function that passes an epoch's numbers on to `none`, `dvclive` or `tensorboard`.

    They go into a folder of that name in `folder`. DVCLive files `train_loss` under `train/loss`.

    Raises:
        InputError: The library is not installed.
    """
    if name == "none":
        yield lambda line: None
        return
    try:
        logger = _logger(name, folder)
    except ModuleNotFoundError as error:
        raise InputError(
            f"params.yaml: train.tracker is {name}, but {error.name or name} is not installed; "
            f"install it (pip install {name}) or set train.tracker to none"
        ) from None

    def log(line: Epoch) -> None:
        metrics = asdict(line)
        logger.log_metrics(metrics, step=metrics.pop("epoch"))

    try:
        yield log
    finally:
        logger.finalize("finished")


def _logger(name: str, folder: Path) -> "Logger":
    if name == "dvclive":
        from dvclive.fabric import DVCLiveLogger

        return DVCLiveLogger(dir=str(folder / name), save_dvc_exp=False, dvcyaml=None)
    from lightning_fabric.loggers.tensorboard import TensorBoardLogger

    return TensorBoardLogger(folder, name=name, version="")
