"""Judging frames with an exported model, one after the other: their class, the decision, and the vote over a film."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weldbench.deploy.decision import Decision, Vote
from weldbench.deploy.drift import Drift
from weldbench.deploy.judge import Judge, Verdict
from weldbench.deploy.overlay import write_overlay
from weldbench.deploy.sources import SourceFrame, camera_frame
from weldbench.errors import InputError


@dataclass(frozen=True)
class Judgment:
    """What is said about one frame.

    Attributes:
        frame: The frame.
        verdict: On the frame alone; None for a frame that cannot be read.
        vote: That of its film so far; None for a frame that cannot be read, which does not vote.
    """

    frame: SourceFrame
    verdict: Verdict | None = None
    vote: Decision | None = None

    def row(self, classes: Iterable[str]) -> dict[str, Any]:
        """Return it as a row of the output; what is not known is None."""
        verdict = self.verdict
        nothing = dict.fromkeys(classes)
        said = (verdict.probabilities if verdict else None) or nothing
        calibrated = (verdict.calibrated if verdict else None) or nothing
        return {
            "source": self.frame.source,
            "frame": self.frame.frame,
            "seconds": self.frame.seconds,
            "class": verdict and verdict.class_name,
            **{f"p_{name}": share for name, share in said.items()},
            **{f"calibrated_{name}": share for name, share in calibrated.items()},
            "novelty": verdict and verdict.novelty,
            "decision": verdict and verdict.decision,
            "vote": self.vote,
            "error": self.frame.problem or None,
        }


def drift_told(drift: Drift | None, judgment: Judgment) -> str | None:
    """Give a frame to the drift check, and return what that finds; each film is a weld."""
    verdict = judgment.verdict
    if drift is None or verdict is None or verdict.traits is None:
        return None
    return drift.take(judgment.frame.source, verdict.traits, verdict.class_name)


def judgments(judge: Judge, frames: Iterable[SourceFrame], explain: Path | None = None) -> Iterator[Judgment]:
    """Judge frames one by one; of each film only the last decisions are kept.

    Args:
        judge: The model, and how it decides.
        frames: In the order in which each film was made.
        explain: Folder for a picture of each frame that is not good, and of what drove the class; None writes none.

    Raises:
        InputError: Pictures are asked for, and the network has no map of features.
    """
    bundle = judge.bundle
    if explain and not judge.session.has_heat:
        raise InputError(f"{bundle.folder}: {bundle.model} has no heat map; leave out --explain")
    votes: dict[str, Vote] = {}
    for frame in frames:
        if frame.gray is None:
            yield Judgment(frame)
            continue
        pixels = camera_frame(frame.gray, bundle.frame_size_px)
        verdict = judge.judge(pixels)
        vote = votes.setdefault(frame.source, judge.rule.vote()).add(verdict.decision)
        if explain and verdict.decision.rejects and (heat := judge.heat(pixels)) is not None:
            write_overlay(explain, frame, pixels, heat)
        yield Judgment(frame, verdict, vote)
