"""From the bytes of one picture to the verdict on it, the same for a watched folder and a served request."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from weldbench.deploy.bundle import Bundle
from weldbench.deploy.decision import Rule
from weldbench.deploy.predict import DEFECT, GOOD
from weldbench.deploy.runtimes import RuntimeName, Session, open_session
from weldbench.deploy.sources import camera_frame
from weldbench.ingest.decode import decode


class Verdict(NamedTuple):
    """What is decided about one frame.

    Attributes:
        class_name: The class of the highest probability.
        probabilities: Of each class by its name, in label order; they sum to 1.
        defect_score: 1 - P(good), which is compared with the threshold, if there is one; None without a good class.
        is_defect: The decision.
    """

    class_name: str
    probabilities: dict[str, float]
    defect_score: float | None
    is_defect: bool

    @property
    def decision(self) -> str:
        """Return `defect` or `good`."""
        return decision_word(self.is_defect)


def decision_word(is_defect: bool) -> str:
    """Return the word for a decision: `defect` or `good`."""
    return DEFECT if is_defect else GOOD


class Judge:
    """An export with its decision rule, ready to judge frames; for one thread at a time."""

    def __init__(self, bundle: Bundle, rule: Rule, session: Session):
        self.bundle, self.rule, self._session = bundle, rule, session

    @classmethod
    def of(cls, bundle: Bundle, rule: Rule, runtime: RuntimeName = "auto") -> "Judge":
        """Load the graph of an export.

        Raises:
            InputError: The runtime is not installed, or cannot load the graph.
        """
        return cls(bundle, rule, open_session(bundle, runtime))

    def rule_sentence(self) -> str:
        """Say when a frame is a defect."""
        if self.rule.threshold is not None:
            share = f"at most {self.rule.false_rejects:.2%} of the good frames of valid"
            return f"a frame is a defect where 1 - P(good) is above {self.rule.threshold:.4g} ({share})"
        if self.bundle.good_class is not None:
            return f"a frame is a defect where {self.bundle.good_class} is not its most probable class"
        return "without a good class every frame is a defect"

    def warm_up(self) -> None:
        """Run once: a runtime prepares itself at its first run."""
        blank = np.zeros((self.bundle.frame_size_px, self.bundle.frame_size_px), np.uint8)
        self.judge(blank)
        self.heat(blank)

    def judge(self, levels: NDArray[np.uint8]) -> Verdict:
        """Judge a frame, uint8 of shape (height, width), as `levels_of` returns it."""
        probabilities = self._session.run(levels[None]).probabilities
        shares = dict(zip(self.bundle.classes, probabilities[0].tolist(), strict=True))
        return Verdict(
            class_name=self.bundle.classes[int(probabilities[0].argmax())],
            probabilities=shares,
            defect_score=None if self.bundle.good_class is None else 1.0 - float(probabilities[0, 0]),
            is_defect=bool(self.rule.decide(probabilities)[0]),
        )

    def heat(self, levels: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """Compute what drove the class of a frame: float32, shape (h, w), 0 to 1; None where the network has no map."""
        return self._session.heat(levels)

    def levels_of(self, picture: bytes) -> NDArray[np.uint8]:
        """Decode a picture as ingest does, and scale it first, as ingest does, where the graph cannot take it.

        Returns:
            uint8, shape (height, width).

        Raises:
            BadFrameError: It is damaged, no picture, too large, or a film.
        """
        return camera_frame(decode(picture).gray, self.bundle.frame_size_px)
