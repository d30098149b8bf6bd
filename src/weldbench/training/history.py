"""What a training has done so far: a line for each epoch, and the weights that would be kept."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from weldbench.config.models import Model

State = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Epoch:
    """One line of history.csv; `step` and `frames` count from the beginning, a frame each time it was learned from."""

    epoch: int
    step: int
    frames: int
    learning_rate: float
    train_loss: float
    valid_loss: float
    valid_macro_f1: float
    seconds: float
    frames_per_second: float


@dataclass
class Progress:
    """How far a training is: all that changes from epoch to epoch, besides the network and the optimizer.

    Where valid does not choose, the last epoch takes the place of the best one.
    """

    valid_chooses: bool = True
    history: list[Epoch] = field(default_factory=list)
    best_epoch: int = 0
    best_state: State = field(default_factory=dict)
    restored_epochs: int = 0  # by an earlier process

    @property
    def best(self) -> Epoch:
        """The line of the best epoch."""
        return self.history[self.best_epoch - 1]

    def note(self, line: Epoch, state: Callable[[], State]) -> None:
        """Add an epoch; keep the weights if it is the best by macro F1, and among equals by loss."""
        if not self.history or not self.valid_chooses or _rank(line) > _rank(self.best):
            self.best_epoch, self.best_state = line.epoch, state()
        self.history.append(line)

    def is_over(self, settings: Model) -> bool:
        """Tell whether all epochs are done, or too many passed without a better one where valid chooses."""
        done = len(self.history)
        return done >= settings.epochs or 0 < settings.patience <= done - self.best_epoch


def _rank(line: Epoch) -> tuple[float, float]:
    return line.valid_macro_f1, -line.valid_loss
