"""Which epoch's weights a training keeps: the best on valid where valid can tell, else the last."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from weldbench.config.models import Model
from weldbench.data.split import SplitFrames
from weldbench.splitting.sufficiency import can_choose


@dataclass(frozen=True)
class Selection:
    """Whose weights are kept.

    Attributes:
        by: `valid` keeps the best epoch by macro F1 on valid; `last` keeps the last one, and stops no training early.
        doubts: Why scores on valid cannot choose, each a clause; empty if they can.
    """

    by: Literal["valid", "last"]
    doubts: list[str]

    def facts(self, settings: Model) -> dict[str, Any]:
        """Return the selection as training.json holds it, with the sentence that says why."""
        return {"by": self.by, "doubts": self.doubts, "reason": self.sentence(settings)}

    def sentence(self, settings: Model) -> str:
        """Say which weights are kept, and why."""
        doubts = f"valid cannot choose: {' and '.join(self.doubts)}" if self.doubts else ""
        if self.by == "valid":
            told = "The weights of the best epoch by macro F1 on valid are kept."
            return f"{told} select: valid asks for it, although {doubts}." if doubts else told
        why = "select: last asks for it" if settings.select == "last" else doubts
        told = f"The weights of the last epoch are kept, as {why}."
        return f"{told} patience {settings.patience} is not used." if settings.patience else told


def selection_of(
    settings: Model, train: SplitFrames, valid: SplitFrames, runs: np.ndarray, class_count: int
) -> Selection:
    """Decide whose weights a training keeps.

    Args:
        settings: Of the model: `select`.
        train: The split train.
        valid: The split valid.
        runs: Run of each row of the manifest, names.
        class_count: Of the dataset.
    """
    doubts = can_choose(train.labels, valid.labels, runs[valid.rows], class_count)
    if settings.select == "auto":
        return Selection("last" if doubts else "valid", doubts)
    return Selection(settings.select, doubts)
