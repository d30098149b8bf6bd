"""From one picture to the verdict on it, the same for files, a watched folder and a served request."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from weldbench.deploy.bundle import Bundle
from weldbench.deploy.decision import Decision, Rule
from weldbench.deploy.drift import Drift, DriftState
from weldbench.deploy.drift_reference import Reference
from weldbench.deploy.novelty import Novelty
from weldbench.deploy.runtimes import RuntimeName, Session, open_session
from weldbench.deploy.sources import camera_frame
from weldbench.errors import InputError
from weldbench.ingest.decode import decode
from weldbench.trust.scaling import at_temperature


class Verdict(NamedTuple):
    """What is decided about one frame.

    Attributes:
        class_name: The class of the highest probability.
        probabilities: Of each class by its name, in label order, as the network says them; they sum to 1.
        calibrated: The same at the temperature of the export, which never changes the class; None where it has none.
        defect_score: 1 - P(good), which is compared with the threshold, if there is one; None without a good class.
        novelty: How little the frame is like those that the model learned from, compared with the threshold of the
            export; None where it has none.
        decision: Good, defect or unknown.
        traits: What it says of camera and process, for `deploy.drift`; None where the export has no drift check.
    """

    class_name: str
    probabilities: dict[str, float]
    calibrated: dict[str, float] | None
    defect_score: float | None
    novelty: float | None
    decision: Decision
    traits: tuple[float, ...] | None = None


def uses_int8(bundle: Bundle, rule: Rule) -> bool:
    """Tell which graph decides: that in 8 bits where there is one, but a promise is about that in float32."""
    return bundle.int8_path is not None and rule.promise is None


class Judge:
    """An export with its decision rule, ready to judge frames; for one thread at a time.

    Attributes:
        bundle: The export.
        rule: How it decides.
        session: The model.
        drift_reference: What welds are like in training; None where the export does not know.
        novelty: Knows what the model learned from; None where the export does not.
    """

    def __init__(self, bundle: Bundle, rule: Rule, session: Session):
        self.bundle, self.rule, self.session = bundle, rule, session
        self.novelty = Novelty.of(bundle, session.is_int8)
        self.drift_reference = Reference.of(bundle, session.is_int8)

    @classmethod
    def of(cls, bundle: Bundle, rule: Rule, runtime: RuntimeName = "auto", threads: int = 1) -> "Judge":
        """Load the graph of an export.

        Raises:
            InputError: The runtime is not installed, cannot load the graph, or is none of those of the promise.
        """
        session = open_session(bundle, runtime, threads, uses_int8(bundle, rule))
        if rule.promise and session.runtime not in rule.promise.runtimes:
            known = " or ".join(rule.promise.runtimes)
            raise InputError(
                f"{bundle.folder}: the promise of this export is about {known}, and this is {session.runtime}; "
                f"add --runtime {rule.promise.runtimes[0]}, or leave out --promise"
            )
        return cls(bundle, rule, session)

    def drift(self, state: DriftState | None = None) -> Drift | None:
        """Begin the drift check over the welds of a camera, or go on from a state; None where the export has none."""
        return Drift(self.drift_reference, self.bundle.classes, state) if self.drift_reference else None

    def rule_sentence(self) -> str:
        """Say when a frame is a defect, and when it is unknown."""
        if not self.novelty:
            return self._about_defects()
        return f"{self._about_defects()}; it is unknown where its novelty is above {self.novelty.threshold:.4g}"

    def warm_up(self) -> None:
        """Run once: a runtime prepares itself at its first run."""
        blank = np.zeros((self.bundle.frame_size_px, self.bundle.frame_size_px), np.uint8)
        self.judge(blank)
        self.heat(blank)

    def judge(self, levels: NDArray[np.uint8]) -> Verdict:
        """Judge a frame, uint8 of shape (height, width), as `levels_of` returns it."""
        outputs = self.session.run(levels[None])
        probabilities, classes = outputs.probabilities, self.bundle.classes
        calibrated, novelty = None, None
        if self.bundle.temperature is not None:
            shares = at_temperature(probabilities, self.bundle.temperature)[0].tolist()
            calibrated = dict(zip(classes, shares, strict=True))
        if self.novelty:
            novelty = float(self.novelty.scores(outputs.features)[0])
        traits = tuple(self.drift_reference.traits(outputs)[0].tolist()) if self.drift_reference else None
        return Verdict(
            class_name=classes[int(probabilities[0].argmax())],
            probabilities=dict(zip(classes, probabilities[0].tolist(), strict=True)),
            calibrated=calibrated,
            defect_score=None if self.bundle.good_class is None else 1.0 - float(probabilities[0, 0]),
            novelty=novelty,
            decision=Decision.of(
                is_defect=bool(self.rule.decide(probabilities)[0]),
                is_unknown=novelty is not None and self.novelty is not None and novelty > self.novelty.threshold,
            ),
            traits=traits,
        )

    def heat(self, levels: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """Compute what drove the class of a frame: float32, shape (h, w), 0 to 1; None where the network has no map."""
        return self.session.heat(levels)

    def levels_of(self, picture: bytes) -> NDArray[np.uint8]:
        """Decode a picture as ingest does, and scale it first, as ingest does, where the graph cannot take it.

        Returns:
            uint8, shape (height, width).

        Raises:
            BadFrameError: It is damaged, no picture, too large, or a film.
        """
        return camera_frame(decode(picture).gray, self.bundle.frame_size_px)

    def _about_defects(self) -> str:
        if self.rule.promise:
            return f"a frame is a defect where 1 - P(good) is above {self.rule.threshold:.6f} (as a promise asks)"
        if self.rule.threshold is not None:
            share = f"at most {self.rule.false_rejects:.2%} of the good frames of valid"
            if self.bundle.uncalibrated:
                share += f"; uncalibrated, as {self.bundle.uncalibrated}"
            return f"a frame is a defect where 1 - P(good) is above {self.rule.threshold:.4g} ({share})"
        if self.bundle.good_class is not None:
            return f"a frame is a defect where {self.bundle.good_class} is not its most probable class"
        return "without a good class every frame is a defect"
