"""How long a training is: its steps and its batches, by the settings and by how many frames there are to learn from."""

from dataclasses import dataclass
from typing import Any

from weldbench.config.models import Model
from weldbench.runtime.text import counted

_LARGEST_SHARE = 0.25  # of the frames, in one batch: larger ones are much alike, and cost time but teach little
_SMALLEST_BATCH = 8  # but so many frames: below that, the statistics that norms take over a batch are mostly chance


@dataclass(frozen=True)
class Length:
    """The length of one training.

    An epoch is what lies between two scores on valid: one pass over all frames or, where that would make a training
    shorter than `min_steps`, as many steps as are needed.

    Attributes:
        frames: Lines of the split train.
        batch_size: Frames per step, over all processes.
        steps_per_epoch: Batches of an epoch.
        epochs: Of a training that is not stopped early.
    """

    frames: int
    batch_size: int
    steps_per_epoch: int
    epochs: int

    @property
    def steps(self) -> int:
        """Steps of a training that is not stopped early."""
        return self.epochs * self.steps_per_epoch

    @property
    def passes_per_epoch(self) -> float:
        """How often an epoch goes over all frames."""
        return self.steps_per_epoch * self.batch_size / self.frames

    def facts(self, settings: Model) -> dict[str, Any]:
        """Return the length as training.json holds it, with the sentence that says why."""
        return {
            "train_frames": self.frames,
            "batch_size": self.batch_size,
            "steps_per_epoch": self.steps_per_epoch,
            "epochs": self.epochs,
            "steps": self.steps,
            "passes_per_epoch": round(self.passes_per_epoch, 3),
            "reason": self.sentence(settings),
        }

    def sentence(self, settings: Model) -> str:
        """Say how long the training is and what decided that."""
        told = (
            f"{counted(self.frames, 'frame')} to learn from, {counted(self.epochs, 'epoch')} of "
            f"{counted(self.steps_per_epoch, 'step')}, batches of {counted(self.batch_size, 'frame')}."
        )
        if self.steps_per_epoch > _steps_per_pass(self.frames, self.batch_size):
            told += (
                f" An epoch goes over the frames {self.passes_per_epoch:.1f} times, so that the training has the "
                f"{settings.min_steps:,} steps of min_steps."
            )
        if self.batch_size < settings.batch_size:
            told += f" The batches of batch_size {settings.batch_size} would be too large for so few frames."
        return told


def training_length(settings: Model, frames: int) -> Length:
    """Return how long a training on so many frames is.

    A batch of `batch_size` becomes smaller where it would hold more than a quarter of the frames, but not smaller than
    8; never is it larger than all of them. The length in epochs becomes one in steps where `min_steps` asks for more.

    Args:
        settings: Of the model: `epochs`, `min_steps`, `batch_size`.
        frames: Lines of the split train, above 0.

    Example:
        >>> from weldbench.config.models import FullCon6
        >>> settings = FullCon6(
        ...     architecture="full_con6", input_size_px=8, epochs=30, min_steps=300, batch_size=16, learning_rate=0.01
        ... )
        >>> training_length(settings, frames=57)
        Length(frames=57, batch_size=14, steps_per_epoch=10, epochs=30)
        >>> training_length(settings, frames=24_204)
        Length(frames=24204, batch_size=16, steps_per_epoch=1513, epochs=30)
    """
    fitting = max(int(_LARGEST_SHARE * frames), _SMALLEST_BATCH)
    batch_size = min(settings.batch_size, fitting, frames)
    enough = -(-settings.min_steps // settings.epochs)
    return Length(frames, batch_size, max(_steps_per_pass(frames, batch_size), enough), settings.epochs)


def _steps_per_pass(frames: int, batch_size: int) -> int:
    """Return the steps in which every frame is learned from at least once."""
    return -(-frames // batch_size)
