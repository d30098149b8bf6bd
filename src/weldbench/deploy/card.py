"""card.md: what an exported model is, on one page."""

from collections.abc import Mapping, Sequence
from typing import Any

from weldbench.deploy.bundle import Bundle
from weldbench.deploy.novelty import Novelty
from weldbench.deploy.promise import CONDITIONS
from weldbench.trust.calibration import MEASURES


def card(
    bundle: Bundle,
    parity: Mapping[str, Any],
    latency: Mapping[str, Any],
    calibration: Mapping[str, Any],
    preference: str = "",
) -> str:
    """Describe an export in Markdown, from what was measured.

    Args:
        bundle: The export.
        parity: The content of parity.json.
        latency: The content of latency.json.
        calibration: The content of calibration.json.
        preference: Says which other model valid prefers; empty where there is none.
    """
    lineage = bundle.lineage
    sections = [
        f"# {bundle.model}, trained on {bundle.dataset}",
        f"Fold {lineage['fold']}, seed {lineage['seed']}: the best of the seeds on valid, with a macro F1 of "
        f"{lineage['valid_macro_f1']:.3f} there. It takes gray frames of 8 bits and any size, and gives the "
        f"probability of {', '.join(bundle.classes)}.",
        *([preference] if preference else []),
        "## Decision",
        _decision(bundle),
        *_unknown(bundle),
        "## A camera that changes",
        f"{bundle.drift[:1].upper()}{bundle.drift[1:]}.",
        "## What is promised about escapes",
        _promises(bundle),
        "## Calibrated probabilities",
        _calibration(calibration, bundle.uncalibrated),
        "## The same as the trained network",
        _table(
            ["graph", "test frames", "same class", "largest difference of a probability"],
            [
                [name, found["frames"], f"{found['same_class_share']:.2%}", f"{found['largest_difference']:.1e}"]
                for name, found in parity["fp32_against_torch"].items()
            ],
        ),
        parity["heat"],
        "## In 8-bit integers",
        parity["int8"]["told"],
        _int8_table(parity["int8"]["runtimes"]),
        "## Speed",
        f"{latency['machine']}, threads: {latency['threads']}; milliseconds per frame from {latency['frame']}, to "
        "probabilities.",
        _table(
            ["graph", *next(iter(latency["milliseconds_per_frame"].values()))],
            [[name, *times.values()] for name, times in latency["milliseconds_per_frame"].items()],
        ),
    ]
    return "\n\n".join(sections) + "\n"


def _decision(bundle: Bundle) -> str:
    if not bundle.thresholds:
        return "No threshold could be chosen, as valid has no frames of a good class; the most probable class decides."
    rows = [[f"{rate:g}", f"{threshold:.6f}"] for rate, threshold in sorted(bundle.thresholds.items())]
    doubts = (
        f" The thresholds are uncalibrated: {bundle.uncalibrated}. In use they may reject quite another share of good "
        "frames; record more runs before you rely on them."
        if bundle.uncalibrated
        else ""
    )
    return (
        f"A frame is defective where 1 - P({bundle.good_class}) is above the threshold, chosen on valid with the "
        f"exported graph; a film by a majority vote over its last {bundle.vote_frames} frames.{doubts}\n\n"
        + _table(["good frames that may be rejected", "threshold"], rows)
    )


def _unknown(bundle: Bundle) -> list[str]:
    novelty = Novelty.of(bundle)
    return [f"{novelty.told[0].upper()}{novelty.told[1:]}."] if novelty else []


def _promises(bundle: Bundle) -> str:
    if bundle.good_class is None:
        return "Nothing, as the data has no class of good welds."
    if not bundle.promises:
        return "Nothing, as test has no defective weld."
    told = []
    for promise in bundle.promises:
        vote = f"Vote over {promise.vote_frames} frames" if promise.vote_frames > 1 else "No vote"
        if promise.threshold is None:
            why = "No threshold keeps a promise but by rejecting every weld"
            told.append(
                f"- **{vote}:** none. {why}; {promise.defective} defective welds of test are too few for another."
            )
            continue
        useless = "" if promise.is_useful else " As that rejects every good weld of test, it is not offered."
        told.append(f"- **{vote}, threshold {promise.threshold:.6f}:** {promise.sentences}{useless}")
    return (
        "\n".join(told)
        + f"\n\n{CONDITIONS} Only the graph in float32 is meant, in {' and '.join(bundle.promises[0].runtimes)}. "
        f"All {bundle.promises[0].choices} promises of the report's models and votes hold together. `--promise` "
        "decides by them."
    )


def _calibration(calibration: Mapping[str, Any], doubts: str) -> str:
    temperature = calibration["temperature"]
    if temperature is None:
        return "None, as valid has no frame."
    rows = [
        [MEASURES[found["measure"]], *(_interval(found[name]) for name in ("before", "after", "change"))]
        for found in calibration["test"]
    ]
    doubted = f" Do not rely on the calibrated probabilities: {doubts}." if doubts else ""
    return (
        f"Temperature {temperature:.3f}, fitted on valid (Guo et al. 2017); it never changes a class.{doubted} On "
        f"test, with {100 * calibration['confidence']:g} % intervals over runs; lower is better:\n\n"
        + _table(["measure", "before", "after", "change"], rows)
    )


def _interval(ends: Mapping[str, float | None]) -> str:
    if ends["low"] is None or ends["high"] is None:
        return f"{ends['estimate']:.3f} (no interval)"
    return f"{ends['estimate']:.3f} [{ends['low']:.3f}, {ends['high']:.3f}]"


def _int8_table(runtimes: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, splits in runtimes.items():
        for split, cost in splits.items():
            macro_f1, escapes = cost["macro_f1"], cost["escapes"]
            passed = ", ".join(f"{found['fp32']} -> {found['int8']} at {found['false_rejects']:g}" for found in escapes)
            rows.append([name, split, f"{macro_f1['fp32']:.4f} -> {macro_f1['int8']:.4f}", passed, cost["defects"]])
    return _table(["runtime", "split", "macro F1", "defects that pass, at false rejects", "defective frames"], rows)


def _table(header: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
