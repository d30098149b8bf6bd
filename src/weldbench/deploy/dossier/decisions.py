"""How the export decides, what it promises, what it calls unknown, and what remains to be measured of that."""

from collections.abc import Mapping, Sequence
from typing import Any

from weldbench.deploy.bundle import Bundle
from weldbench.deploy.dossier.evidence import not_measured
from weldbench.deploy.dossier.results import Measured, escapes
from weldbench.deploy.dossier.text import Section, plain, table
from weldbench.deploy.novelty import Novelty
from weldbench.deploy.promise import CONDITIONS
from weldbench.trust.calibration import MEASURES


def decision(bundle: Bundle, measured: Measured, windows: Sequence[int]) -> Section:
    """Return the section on thresholds and what they do on test."""
    return Section("Decision", "2 (b), 3", [_rule(bundle), *escapes(bundle, measured, windows)])


def _rule(bundle: Bundle) -> str:
    if not bundle.thresholds:
        return "No threshold could be chosen, as valid has no frames of a good class; the most probable class decides."
    doubts = (
        f" The thresholds are uncalibrated: {bundle.uncalibrated}. In use they may reject quite another share of good "
        "frames; record more runs before you rely on them."
        if bundle.uncalibrated
        else ""
    )
    return (
        f"A frame is defective where 1 - P({plain(bundle.good_class)}) is above the threshold, chosen on valid with "
        f"the exported graph; a film by a majority vote over its last {bundle.vote_frames} frames.{doubts}"
    )


def promises(bundle: Bundle) -> Section:
    """Return the section on what is promised about escapes."""
    return Section("What is promised about escapes", "3, 5", _promises(bundle))


def _promises(bundle: Bundle) -> list[str]:
    if bundle.good_class is None:
        return ["Nothing, as the data has no class of good welds."]
    if not bundle.promises:
        return ["Nothing, as test has no defective weld."]
    told = []
    for promise in bundle.promises:
        vote = f"Vote over {promise.vote_frames} frames" if promise.vote_frames > 1 else "No vote"
        if promise.threshold is None:
            why = "No threshold keeps a promise but by rejecting every weld"
            told.append(
                f"**{vote}:** none. {why}; {promise.defective} defective welds of test are too few for another."
            )
            continue
        useless = "" if promise.is_useful else " As that rejects every good weld of test, it is not offered."
        told.append(f"**{vote}, threshold {promise.threshold:.6f}:** {promise.sentences}{useless}")
    first = bundle.promises[0]
    together = (
        f" All {first.choices} promises of the report's models and votes hold together." if first.choices > 1 else ""
    )
    return [
        *told,
        f"{CONDITIONS} Only the graph in float32 is meant, in {' and '.join(first.runtimes)}.{together} `--promise` "
        "decides by them.",
    ]


def calibration(found: Mapping[str, Any], doubts: str) -> Section:
    """Return the section on calibrated probabilities, from calibration.json and why valid may be too little for it."""
    return Section("Calibrated probabilities", "3", _calibration(found, doubts))


def _calibration(found: Mapping[str, Any], doubts: str) -> list[str]:
    if found["temperature"] is None:
        return ["None, as valid has no frame."]
    rows = [
        [MEASURES[one["measure"]], *(_ends(one[name]) for name in ("before", "after", "change"))]
        for one in found["test"]
    ]
    doubted = f" Do not rely on the calibrated probabilities: {doubts}." if doubts else ""
    fitted = f"Temperature {found['temperature']:.3f}, fitted on valid (Guo et al. 2017); it never changes a class."
    return [
        fitted + doubted,
        table(
            f"On test, with {100 * found['confidence']:g} % intervals over runs; lower is better",
            ["measure", "before", "after", "change"],
            rows,
        ),
    ]


def _ends(ends: Mapping[str, float | None]) -> str:
    if ends["low"] is None or ends["high"] is None:
        return f"{ends['estimate']:.3f} (no interval)"
    return f"{ends['estimate']:.3f} ({ends['low']:.3f} to {ends['high']:.3f})"


def unknown(bundle: Bundle) -> Section:
    """Return the section on frames that are like none that the model learned from."""
    novelty = Novelty.of(bundle)
    told = f"{novelty.told[0].upper()}{novelty.told[1:]}." if novelty else "The export has no score for strange frames."
    return Section(
        "What was never learned",
        "3",
        [
            told,
            "An unknown frame votes as a defect does, so it never lets a weld pass. What is far from any weld is "
            "found; a new kind of defect that looks much like a good weld may be called good.",
            not_measured("unknown", bundle),
        ],
    )


def robustness(bundle: Bundle) -> Section:
    """Return the section on another lamp and another camera."""
    return Section(
        "Another lamp, another camera",
        "2 (g), 3",
        [
            "The drill changes test frames as another lamp, another lens or a careless hand would, and judges them "
            "with all seeds of this model.",
            not_measured("robustness", bundle),
        ],
    )


def labels(bundle: Bundle) -> Section:
    """Return the section on labels in doubt."""
    return Section(
        "Labels in doubt",
        "2 (d)",
        [
            "A wrong label teaches a wrong class, and on test it makes a good network look bad. A list of labels in "
            "doubt is made by fits that have not seen the run they judge.",
            not_measured("review", bundle),
        ],
    )


def drift(bundle: Bundle) -> Section:
    """Return the section on how a change of camera or process is noticed, and what to do then."""
    in_use = (
        "predict, watch and serve compare weld after weld with the runs of training"
        if bundle.drift_path
        else "nothing is compared, as there is no drift check: a change is noticed by nobody"
    )
    steps = [
        ["in use", in_use, "software" if bundle.drift_path else "nobody"],
        [
            "an alarm",
            "keep the welds since; look at lens, lamp and place of the camera, then at gas, current and speed",
            "a person",
        ],
        ["the cause is removed", "go on; begin a new record", "a person"],
        [
            "the change stays",
            "the promises no longer hold: record good and defective welds anew, train and export again, which sets "
            "thresholds and promises anew",
            "a person",
        ],
        [
            "now and then, without an alarm",
            "test some welds otherwise, and hold the decisions against that",
            "a person",
        ],
    ]
    return Section(
        "A camera that changes: the plan for drift",
        "9",
        [
            f"{bundle.drift[:1].upper()}{bundle.drift[1:]}.",
            table("What is done when", ["when", "what", "by"], steps),
            "It does not see changes no larger than what differs from weld to weld in training, nor which of camera "
            "and process has changed. docs/trust.md has the delays of a simulated drill, `python benchmarks/drift.py`.",
        ],
    )
