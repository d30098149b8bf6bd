"""The section on what can be promised: welds that escape, and thresholds that hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weldbench.reporting.registry import figure, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from weldbench.reporting.compare import Findings
    from weldbench.reporting.tables.table import Table


@table(
    "promises",
    section="trust",
    caption="For every model and vote, the share of defective welds of {dataset} of which can be promised that no more "
    "escape, the threshold that keeps the promise, and the good welds that it rejects.",
)
def _promises(findings: Findings) -> Table:
    from weldbench.reporting.tables.promises import promises

    return promises(findings.scored.comparison, findings.vote_frames, findings.settings)


@figure(
    "welds",
    section="trust",
    caption="Defective welds that escape and good welds that are falsely rejected, against the threshold.",
    alt="A panel for each model: the share of defective welds that escape rises with the threshold, the share of good "
    "welds that are rejected falls, with and without a vote; the table of this name has the numbers.",
    details="Bands are exact intervals over the runs, drawn for the vote of an export.",
)
def _welds_figure(findings: Findings) -> Figure:
    from weldbench.reporting.figures.welds import welds

    return welds(findings.scored.comparison, findings.vote_frames, findings.settings.confidence)


@table(
    "welds",
    section="trust",
    folded=True,
    caption="Welds of {dataset} that escape and that are falsely rejected at several thresholds, for every model, with "
    "and without a vote; counts, and shares with exact intervals over the runs.",
)
def _welds(findings: Findings) -> Table:
    from weldbench.reporting.tables.welds import welds

    return welds(findings.scored.comparison, findings.vote_frames, findings.settings.confidence)


@table(
    "calibration",
    section="trust",
    folded=True,
    caption="Calibration error, Brier score and log loss of every model on {dataset}, before and after temperature "
    "scaling on valid, with intervals over runs.",
)
def _calibration(findings: Findings) -> Table:
    from weldbench.reporting.tables.calibration import calibration

    return calibration(findings.scored.comparison, findings.settings, findings.trainings.uncalibrated)
