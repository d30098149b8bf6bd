"""card.md: all of a dossier, section by section, from what the data, the training and the tests of an export say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from weldbench.config.evidence import Compare
from weldbench.deploy.bundle import Bundle
from weldbench.deploy.dossier.annex import annex_iv
from weldbench.deploy.dossier.decisions import calibration, decision, drift, labels, promises, robustness, unknown
from weldbench.deploy.dossier.frames import origin, seen, splits
from weldbench.deploy.dossier.graphs import agreement, eight_bits
from weldbench.deploy.dossier.imperfections import imperfections
from weldbench.deploy.dossier.licenses import licenses
from weldbench.deploy.dossier.methods import methods
from weldbench.deploy.dossier.recorded import Recorded
from weldbench.deploy.dossier.results import Measured, measures, results
from weldbench.deploy.dossier.text import Section, bullets, listed, plain, score, share
from weldbench.deploy.dossier.training import cost, development, reproduction
from weldbench.evaluation.predictions import Predictions
from weldbench.reporting.tables.table import percent


@dataclass(frozen=True)
class Facts:
    """All that a dossier is made from.

    Attributes:
        bundle: The export.
        recorded: What ingest and split wrote about the frames.
        training: training.json of the exported training.
        test: What the graph in float32 says of test.
        settings: How intervals are computed.
        parity: parity.json.
        latency: latency.json.
        calibration: calibration.json.
        preference: Says which other model valid prefers; empty where there is none.
        made_from: As in `pipeline.records`.
    """

    bundle: Bundle
    recorded: Recorded
    training: Mapping[str, Any]
    test: Predictions
    settings: Compare
    parity: Mapping[str, Any]
    latency: Mapping[str, Any]
    calibration: Mapping[str, Any]
    preference: str
    made_from: Mapping[str, Any]


def card(facts: Facts) -> str:
    """Return the dossier in Markdown."""
    bundle, measured = facts.bundle, Measured(facts.test, facts.settings)
    windows = tuple(dict.fromkeys((1, bundle.vote_frames)))
    compared = f"results/{bundle.dataset}/report.html compares models, with means over seeds."
    sections = [
        _use(facts),
        imperfections(bundle.classes, bundle.good_class),
        results(bundle, measured, compared),
        decision(bundle, measured, windows),
        promises(bundle),
        measures(bundle, measured),
        seen(facts.recorded),
        unknown(bundle),
        robustness(bundle),
        drift(bundle),
        origin(facts.recorded),
        splits(facts.recorded, facts.training),
        labels(bundle),
        licenses(facts.recorded.settings, facts.recorded.public, facts.training),
        development(bundle, facts.training),
        agreement(facts.parity),
        eight_bits(facts.parity),
        calibration(facts.calibration, bundle.uncalibrated),
        cost(facts.training, facts.latency),
        methods(),
        reproduction(bundle, facts.training, facts.made_from),
    ]
    return _head(facts, measured) + "\n\n" + "\n\n".join(one.markdown for one in [*sections, annex_iv(sections)]) + "\n"


def _use(facts: Facts) -> Section:
    bundle = facts.bundle
    runtimes = listed(list(dict.fromkeys(name.rsplit(" ", 1)[0] for name in facts.latency["milliseconds_per_frame"])))
    return Section(
        "Intended use",
        "1, 2 (e)",
        [
            f"It judges frames of a camera that watches a weld being made: one gray frame of 8 bits and any size at a "
            f"time. It gives the probability of {listed([plain(name) for name in bundle.classes])}, and a decision: "
            "good, defect or unknown.",
            "**For:** sorting welds like those of test, and showing a person which to look at. A person can "
            "see the frame, the probabilities and, where the network has one, a heat map.",
            "**Not for:** another camera, light, alloy, process or joint than those below, before welds of "
            "them were recorded and tested; defects that are no class here; anything that no frame shows, such "
            "as pores inside; the only safeguard where a missed defect endangers people.",
            "**It replaces no test** that a standard or a customer demands of the finished weld.",
            "**Form:** this folder, run by `weldbench predict`, `watch` or `serve`, without a network, in "
            f"{runtimes}. `--help` and docs/deploy.md are the instructions.",
        ],
    )


def _head(facts: Facts, measured: Measured) -> str:
    """Return title, what this is, and the answers to the first questions."""
    bundle = facts.bundle
    simulated = (
        " **The frames are simulated: nothing here is about real welds.**" if facts.recorded.is_simulated else ""
    )
    return "\n\n".join(
        [
            f"# {plain(bundle.model)}, trained on {plain(bundle.dataset)}",
            "The dossier of one exported model. Every number is computed from the data, the training or a test of this "
            f"export; what cannot be said from these is said to be so.{simulated}",
            *([facts.preference] if facts.preference else []),
            bullets(_answers(facts, measured)),
        ]
    )


def _answers(facts: Facts, measured: Measured) -> list[str]:
    bundle, settings = facts.bundle, measured.settings
    macro = measured.macro_f1()
    found = [
        f"How good is it on test? **macro F1 {score(macro)}** From {measured.extent}; {100 * settings.confidence:g} % "
        "interval over runs.",
    ]
    if bundle.thresholds:
        rate, at = min(bundle.thresholds.items(), key=lambda one: abs(one[0] - 0.01))
        found.append(
            f"How many defective frames escape? **{share(measured.escapes(at))}** Where {percent(rate)} of the good "
            f"frames of valid may be rejected; of test, {share(measured.false_rejects(at))} are."
        )
    useful = [promise for promise in bundle.promises if promise.is_useful]
    if useful:
        best = min(useful, key=lambda promise: promise.falsely_rejected)
        found.append(
            f"What is promised? **at most {percent(best.escape)} of defective welds escape** With "
            f"{percent(best.confidence)} confidence, for welds like those of test; {best.falsely_rejected} of "
            f"{best.good} good welds are rejected."
        )
    else:
        found.append("What is promised? **nothing** The section on promises says why.")
    recalls = [
        (measured.share_of(measured.test.correct, measured.test.labels == label, ""), name)
        for label, name in enumerate(bundle.classes)
        if (measured.test.labels == label).any()
    ]
    worst, name = min(recalls, key=lambda one: one[0].estimate)
    found.append(
        f"What does it miss most? **{plain(name)}** It recognizes {share(worst)} of its frames."
        if np.isfinite(worst.estimate)
        else ""
    )
    return [one for one in found if one]
