"""Numbers of a running training for DVCLive or TensorBoard, when params.yaml asks for one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from weldbench.errors import InputError
from weldbench.training.loop import Epoch


@contextmanager
def tracker(name: str, folder: Path) -> Iterator[Callable[[Epoch], None]]:
    """Yield a function that passes an epoch's numbers on to `none`, `dvclive` or `tensorboard`.

    Raises:
        InputError: The library is not installed.
    """
    try:
        if name == "dvclive":
            from dvclive import Live  # type: ignore[attr-defined]  # its __init__ lists no names
        elif name == "tensorboard":
            from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError as error:
        raise InputError(
            f"params.yaml: train.tracker is {name}, but {error.name} is not installed; "
            f"install it (pip install {name}) or set train.tracker to none"
        ) from None
    match name:
        case "none":
            yield lambda line: None
        case "dvclive":
            with Live(str(folder / "dvclive"), save_dvc_exp=False, dvcyaml=None) as live:

                def log(line: Epoch) -> None:
                    for metric, value in _metrics(line):
                        live.log_metric(metric, value)
                    live.next_step()

                yield log
        case "tensorboard":
            with SummaryWriter(folder / "tensorboard") as writer:

                def add(line: Epoch) -> None:
                    for metric, value in _metrics(line):
                        writer.add_scalar(metric, value, line.epoch)

                yield add


def _metrics(line: Epoch) -> list[tuple[str, float]]:
    return [(name, value) for name, value in asdict(line).items() if name != "epoch"]
