"""What an export promises about escapes, as model.json holds it, and how that is said.

`trust/guarantees.py` makes the promise, `deploy/certainty.py` takes it into an export.
"""

from dataclasses import asdict, dataclass
from typing import Any

from weldbench.runtime.text import counted

CONDITIONS = (
    "It holds for welds like those of test: the same camera and its place, frame rate, light, steel, process and "
    "joint, and the same defects in the same proportions; for all frames of a weld in filming order, each of them "
    "readable; and as long as this export decides with this threshold and vote. After a change, record defective welds "
    "anew."
)


@dataclass(frozen=True)
class Promise:
    """With a confidence, at most a share of defective welds escapes at a threshold, decided by the graph in float32.

    A weld is rejected if the vote rejects it at any frame.

    Attributes:
        vote_frames: Window of the vote, in frames.
        escape: Share of defective welds that is promised, 0 to 1.
        wanted_escape: Share that was to be promised; below `escape` where defective welds are too few.
        confidence: Of all promises that were made with this one, together.
        choices: How many these are: models times windows.
        threshold: Of 1 - P(good); None where only rejecting every weld keeps the promise.
        defective: Defective welds of test, which set the threshold.
        escaped: How many of them escape.
        escapes_allowed: How many of so many may.
        good: Good welds of test.
        falsely_rejected: How many of them are rejected, those with unknown frames included.
        falsely_rejected_low: Low end of the exact interval of their share; None without a good weld.
        falsely_rejected_high: High end.
        runs_needed: Defective welds that it takes for `wanted_escape`, none of which escapes.
        runtimes: In which of them the welds were judged: a weld escapes here if it does in one of them.
    """

    vote_frames: int
    escape: float
    wanted_escape: float
    confidence: float
    choices: int
    threshold: float | None
    defective: int
    escaped: int
    escapes_allowed: int
    good: int
    falsely_rejected: int
    falsely_rejected_low: float | None
    falsely_rejected_high: float | None
    runs_needed: int
    runtimes: tuple[str, ...]

    @classmethod
    def of(cls, described: dict[str, Any]) -> "Promise":
        """Read one of model.json.

        Raises:
            TypeError: A field is missing or unknown.
            ValueError: A number is out of range.
        """
        promise = cls(**described | {"runtimes": tuple(described["runtimes"])})
        shares = (promise.escape, promise.wanted_escape, promise.confidence, promise.threshold or 0.0)
        if not all(0 <= share <= 1 for share in shares) or promise.vote_frames < 1:
            raise ValueError(f"a promise of {shares} over {promise.vote_frames} frames")
        return promise

    def described(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @property
    def is_useful(self) -> bool:
        """Whether it can be kept otherwise than by rejecting every good weld too."""
        return self.threshold is not None and not 0 < self.good == self.falsely_rejected

    @property
    def told(self) -> str:
        """Say all of it, with its conditions, for the terminal."""
        return f"promise: {self.sentences}\n{CONDITIONS}"

    @property
    def sentences(self) -> str:
        """Say it, what it costs and what it rests on."""
        return " ".join(filter(None, (self._promised(), self._cost(), self._wanted())))

    def _promised(self) -> str:
        vote = f"the vote over {self.vote_frames} frames" if self.vote_frames > 1 else "any frame"
        return (
            f"With {_percent(self.confidence)} confidence at most {_percent(self.escape)} of defective welds escape: "
            f"a weld is rejected as soon as {vote} says so. Test had {counted(self.defective, 'defective weld')}; "
            f"{self.escaped} of them escaped, and at most {self.escapes_allowed} may."
        )

    def _cost(self) -> str:
        if not self.good or self.falsely_rejected_low is None or self.falsely_rejected_high is None:
            return "Test had no good weld, so nobody knows how many of them it rejects."
        span = f"{_percent(self.falsely_rejected_low)} to {_percent(self.falsely_rejected_high)}"
        return (
            f"It rejected {self.falsely_rejected} of {counted(self.good, 'good weld')} ({span} of all good welds, "
            f"{_percent(self.confidence)} interval)."
        )

    def _wanted(self) -> str:
        if self.escape <= self.wanted_escape:
            return ""
        return (
            f"Wanted was at most {_percent(self.wanted_escape)}: that takes "
            f"{counted(self.runs_needed, 'defective weld')} in test, none of which escapes."
        )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
