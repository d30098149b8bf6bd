"""Judging frames with an exported model, one after the other: their class, the decision, and the vote over a film."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weldbench.deploy.decision import Rule, Vote
from weldbench.deploy.overlay import write_overlay
from weldbench.deploy.runtimes import Session
from weldbench.deploy.sources import SourceFrame, camera_frame
from weldbench.errors import InputError

GOOD, DEFECT = "good", "defect"


@dataclass(frozen=True)
class Judgment:
    """What is said about one frame.

    Attributes:
        frame: The frame.
        class_name: The most probable class; empty for a frame that cannot be read.
        probabilities: Of each class, float32, shape (K,); None for a frame that cannot be read.
        is_defect: The decision about this frame; None for a frame that cannot be read.
        vote: That of its film so far; None for a frame that cannot be read, which does not vote.
    """

    frame: SourceFrame
    class_name: str = ""
    probabilities: NDArray[np.float32] | None = None
    is_defect: bool | None = None
    vote: bool | None = None

    def row(self, classes: Iterable[str]) -> dict[str, Any]:
        """Return it as a row of the output; what is not known is None."""
        probabilities = [None] * len(list(classes)) if self.probabilities is None else self.probabilities.tolist()
        return {
            "source": self.frame.source,
            "frame": self.frame.frame,
            "seconds": self.frame.seconds,
            "class": self.class_name or None,
            **{f"p_{name}": value for name, value in zip(classes, probabilities, strict=True)},
            "decision": _word(self.is_defect),
            "vote": _word(self.vote),
            "error": self.frame.problem or None,
        }


def judge(
    session: Session, rule: Rule, frames: Iterable[SourceFrame], explain: Path | None = None
) -> Iterator[Judgment]:
    """Judge frames one by one; of each film only the last decisions are kept.

    Args:
        session: The model.
        rule: How it decides.
        frames: In the order in which each film was made.
        explain: Folder for a picture of each defective frame and of what drove the decision; None writes none.

    Raises:
        InputError: Pictures are asked for, and the network has no map of features.
    """
    if explain and not session.has_heat:
        raise InputError(f"{session.bundle.folder}: {session.bundle.model} has no heat map; leave out --explain")
    votes: dict[str, Vote] = {}
    for frame in frames:
        if frame.gray is None:
            yield Judgment(frame)
            continue
        pixels = camera_frame(frame.gray, session.bundle.frame_size_px)
        probabilities = session.run(pixels[None]).probabilities
        is_defect = bool(rule.decide(probabilities)[0])
        vote = votes.setdefault(frame.source, rule.vote()).add(is_defect)
        if explain and is_defect and (heat := session.heat(pixels)) is not None:
            write_overlay(explain, frame, pixels, heat)
        yield Judgment(frame, session.bundle.classes[int(probabilities[0].argmax())], probabilities[0], is_defect, vote)


def _word(is_defect: bool | None) -> str | None:
    return None if is_defect is None else DEFECT if is_defect else GOOD
