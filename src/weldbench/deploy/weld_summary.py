"""What becomes of each weld: it is rejected if the vote over its frames ever rejects, as a promise counts escapes."""

from dataclasses import dataclass
from typing import Any

from weldbench.deploy.decision import Decision
from weldbench.deploy.predict import Judgment
from weldbench.runtime.text import counted, some

PASSED, REJECTED = "passed", "rejected"


@dataclass
class Weld:
    """The frames of one film so far.

    Attributes:
        source: The film: a video, a folder, or a folder in a zip.
        frames: How many it has.
        unread: How many of them cannot be read.
        decided: How many frames got each decision.
        first_rejected: The frame at which the vote first rejected; None where it never did.
        vote: What it said there, defect or unknown.
    """

    source: str
    frames: int
    unread: int
    decided: dict[Decision, int]
    first_rejected: str | None = None
    vote: Decision | None = None

    @property
    def result(self) -> str | None:
        """Return `rejected` or `passed`; None where no frame could be read."""
        if self.unread == self.frames:
            return None
        return PASSED if self.first_rejected is None else REJECTED

    def add(self, judgment: Judgment) -> None:
        """Count the next frame."""
        self.frames += 1
        if judgment.verdict is None or judgment.vote is None:
            self.unread += 1
            return
        self.decided[judgment.verdict.decision] += 1
        if judgment.vote.rejects and self.first_rejected is None:
            self.first_rejected, self.vote = judgment.frame.frame, judgment.vote

    def row(self) -> dict[str, Any]:
        """Return it as a row of the output; what is not known is None."""
        return {
            "source": self.source,
            "frames": self.frames,
            "unread": self.unread,
            **{str(decision): count for decision, count in self.decided.items()},
            "weld": self.result,
            "vote": self.vote,
            "first_rejected": self.first_rejected,
        }


class WeldSummary:
    """All welds so far, in the order of their first frames."""

    COLUMNS = tuple(Weld("", 0, 0, dict.fromkeys(Decision, 0)).row())

    def __init__(self) -> None:
        self.welds: dict[str, Weld] = {}

    def add(self, judgment: Judgment) -> None:
        """Count the next frame for its weld."""
        source = judgment.frame.source
        self.welds.setdefault(source, Weld(source, 0, 0, dict.fromkeys(Decision, 0))).add(judgment)

    def sentences(self) -> str:
        """Say which welds are rejected, which are not judged, and of which not every frame was read."""
        rejected, unread = self._names(REJECTED), self._names(None)
        told = [f"rejected: {len(rejected)} of {counted(len(self.welds), 'weld')}{_named(rejected)}"]
        if unread:
            told.append(f"not judged, as no frame of it can be read: {counted(len(unread), 'weld')}{_named(unread)}")
        partly = [weld.source for weld in self.welds.values() if weld.unread and weld.result == PASSED]
        if partly:
            told.append(f"passed, though a frame of it cannot be read: {counted(len(partly), 'weld')}{_named(partly)}")
        return "\n".join(told)

    def _names(self, result: str | None) -> list[str]:
        return [weld.source for weld in self.welds.values() if weld.result == result]


def _named(names: list[str]) -> str:
    return f" ({some(names)})" if names else ""
