"""The decision rules that a comparison puts side by side: every model, without a vote and with that of an export."""

from typing import NamedTuple

from weldbench.evaluation.comparison import Comparison
from weldbench.trust.welds import Welds, exported_training, first_fold


class Rule(NamedTuple):
    """How frames become decisions, but for the threshold.

    Attributes:
        model: Its name.
        vote_frames: Window of the vote in frames; 1 is no vote.
    """

    model: str
    vote_frames: int


def judged_welds(comparison: Comparison, vote_frames: int) -> dict[Rule, Welds]:
    """Apply every rule to the test runs of the first fold, each with the training that an export would take.

    Args:
        comparison: The models.
        vote_frames: Window of the vote beside that of one frame.
    """
    found = {}
    for model in comparison.models:
        test, valid = comparison.test[model], comparison.valid[model]
        frames = first_fold(test[exported_training(test, valid)])
        for window in dict.fromkeys((1, vote_frames)):
            found[Rule(model, window)] = Welds.of(frames, window)
    return found


def about_training(comparison: Comparison) -> str:
    """Say whose predictions these are."""
    folds = len(set(comparison.frames.folds.tolist()))
    which = "the first fold's training" if folds > 1 else "the training"
    of = f"{which} with the best macro F1 on valid, as for an export" if len(comparison.seeds) > 1 else which
    rest = " Only runs that the first fold tests count: another fold has another network." if folds > 1 else ""
    return f"Predictions of each model are those of {of}.{rest}"
