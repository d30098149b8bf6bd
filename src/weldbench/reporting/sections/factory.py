"""The section on what a factory would see: escapes, and a vote over the film."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weldbench.reporting.registry import table

if TYPE_CHECKING:
    from weldbench.reporting.compare import Findings
    from weldbench.reporting.tables.table import Table


@table(
    "operating_points",
    section="factory",
    caption="Good against defect: the defects of {dataset} that escape at each accepted rate of false rejects. "
    "Thresholds are chosen on valid and applied to test.",
)
def _operating_points(findings: Findings) -> Table:
    from weldbench.reporting.tables.by_model import operating_points

    uncalibrated = findings.trainings.uncalibrated
    return operating_points(findings.scored, findings.settings.false_reject_rates, uncalibrated)


@table(
    "temporal_vote",
    section="vote",
    folded=True,
    caption="Macro F1 after a majority vote over the last frames of a run, for several lengths of the window, and how "
    "late the vote answers.",
)
def _temporal_vote(findings: Findings) -> Table:
    from weldbench.reporting.tables.by_run import temporal_vote

    return temporal_vote(findings.scored, findings.settings.vote_frames)
