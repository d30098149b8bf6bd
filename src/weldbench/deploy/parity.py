"""Whether an exported graph says the same as the network that was trained, and what 8 bits cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weldbench.errors import InputError
from weldbench.evaluation.confusion import confusion_matrix, f1, macro

Probabilities = NDArray[np.floating[Any]]

# In float32.
SAME_CLASS_SHARE = 0.999
LARGEST_DIFFERENCE = 1e-3
# In 8 bits, on valid.
LOST_MACRO_F1 = 0.01
MORE_ESCAPES_SHARE, MORE_ESCAPES_FRAMES = 0.005, 2
_SHOWN = 5


@dataclass(frozen=True)
class Agreement:
    """How two sets of probabilities agree, frame by frame.

    Attributes:
        frames: Number of frames, N.
        same_class_share: Share of frames of which both call the same class the most probable.
        largest_difference: Of any probability.
        worst: Positions of the frames that differ most, the worst first.
    """

    frames: int
    same_class_share: float
    largest_difference: float
    worst: NDArray[np.int64]

    @property
    def is_enough(self) -> bool:
        """Whether a graph in float32 may be used."""
        return self.same_class_share >= SAME_CLASS_SHARE and self.largest_difference <= LARGEST_DIFFERENCE

    def told(self, paths: Sequence[str]) -> dict[str, Any]:
        """Return it as JSON; `paths` names all frames."""
        facts = {key: getattr(self, key) for key in ("frames", "same_class_share", "largest_difference")}
        return facts | {"worst": [paths[position] for position in self.worst]}


def agreement(theirs: Probabilities, ours: Probabilities) -> Agreement:
    """Compare probabilities of the same frames, each of shape (N, K)."""
    same = theirs.argmax(axis=1) == ours.argmax(axis=1)
    difference = np.abs(theirs - ours).max(axis=1)
    worst = np.lexsort((-difference, same))[:_SHOWN]
    return Agreement(len(same), float(same.mean()), float(difference.max()), worst.astype(np.int64))


def agreement_with_torch(
    says: Probabilities, in_fp32: Mapping[str, Probabilities], model: str, paths: Sequence[str]
) -> dict[str, Any]:
    """Hold the graph in float32, in each runtime, against the network that was trained.

    Args:
        says: Of the network about the frames of a split, shape (N, K).
        in_fp32: Runtime -> the same of the graph.
        model: Its name, for messages.
        paths: Of these frames, as the manifest names them.

    Returns:
        Runtime -> the agreement as JSON.

    Raises:
        InputError: In one runtime it says something else; the message names the frames.
    """
    told = {}
    for runtime, said in in_fp32.items():
        found = agreement(says, said)
        refuse_disagreement(f"{model} in {runtime}", found, paths)
        told[runtime] = found.told(paths)
    return told


def refuse_disagreement(name: str, found: Agreement, paths: Sequence[str]) -> None:
    """Refuse a graph in float32 that says something else than the network.

    Args:
        name: Of the graph and its runtime.
        found: On all frames of a split.
        paths: Of these frames, as the manifest names them.

    Raises:
        InputError: It does; the message names the frames.
    """
    if not found.is_enough:
        where = ", ".join(paths[position] for position in found.worst)
        raise InputError(
            f"{name}: it calls {found.same_class_share:.2%} of {found.frames} test frames as the trained network does, "
            f"of {SAME_CLASS_SHARE:.1%} that are needed, and a probability differs by {found.largest_difference:.2g}, "
            f"where {LARGEST_DIFFERENCE:g} is allowed; worst: {where}. Nothing was exported. If ingest ran with "
            "another version of weldbench, ingest again; else keep this model out of export.models and report it"
        )


@dataclass(frozen=True)
class Cost:
    """What a graph in 8 bits loses on one split against that in float32, at the thresholds of the latter.

    Attributes:
        macro_f1: Of float32 and of 8 bits.
        escapes: Share of false rejects -> frames of defects that pass as good, of float32 and of 8 bits.
        defects: Frames of defects.
    """

    macro_f1: tuple[float, float]
    escapes: Mapping[float, tuple[int, int]]
    defects: int

    @property
    def problems(self) -> list[str]:
        """Why the graph in 8 bits is not good enough; empty if it is."""
        before, after = self.macro_f1
        found = []
        if before - after > LOST_MACRO_F1:
            found.append(f"macro F1 falls from {before:.4f} to {after:.4f}, by more than {LOST_MACRO_F1}")
        allowed = max(MORE_ESCAPES_FRAMES, MORE_ESCAPES_SHARE * self.defects)
        for rate, (passed, now) in self.escapes.items():
            if now - passed > allowed:
                found.append(
                    f"at {rate:g} of false rejects {now} of {self.defects} defective frames pass as good instead of "
                    f"{passed}, more than {allowed:g} more"
                )
        return found

    def told(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "macro_f1": dict(zip(("fp32", "int8"), self.macro_f1, strict=True)),
            "defects": self.defects,
            "escapes": [
                {"false_rejects": rate, "fp32": passed, "int8": now} for rate, (passed, now) in self.escapes.items()
            ],
        }


def cost_of_int8(
    labels: NDArray[np.int64], fp32: Probabilities, int8: Probabilities, thresholds: Mapping[float, float]
) -> Cost:
    """Compare the probabilities of two graphs, each of shape (N, K), for frames whose true classes are known.

    Args:
        labels: True class of each frame, int64, shape (N,).
        fp32: What the graph in float32 says.
        int8: What the graph in 8 bits says.
        thresholds: Share of false rejects -> threshold of 1 - P(good).
    """

    def macro_f1(probabilities: Probabilities) -> float:
        return float(macro(f1(confusion_matrix(labels, probabilities.argmax(axis=1), probabilities.shape[1]))))

    def escapes(probabilities: Probabilities, threshold: float) -> int:
        passed = 1.0 - probabilities[:, 0].astype(np.float64) <= threshold
        return int((passed & (labels != 0)).sum())

    return Cost(
        (macro_f1(fp32), macro_f1(int8)),
        {rate: (escapes(fp32, limit), escapes(int8, limit)) for rate, limit in thresholds.items()},
        int((labels != 0).sum()),
    )
