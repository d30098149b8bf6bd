"""The section on what the models cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weldbench.reporting.registry import figure, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from weldbench.reporting.compare import Findings
    from weldbench.reporting.tables.table import Table


@table(
    "cost",
    section="cost",
    caption="What one training of each model took: parameters, seconds, memory, and the time to judge a frame. The "
    "times are those of one machine and change from run to run.",
)
def _cost_table(findings: Findings) -> Table:
    from weldbench.reporting.tables.cost import cost

    return cost(findings.scored, findings.trainings)


@figure(
    "cost",
    section="cost",
    caption="Macro F1 against what it costs: seconds to train, parameters, and time to judge a frame.",
    alt="Three panels of points, one per model: macro F1 over seconds of training, parameters, ms of inference.",
    details="Lines are the intervals of macro F1. The times are those of one machine.",
)
def _cost_figure(findings: Findings) -> Figure:
    from weldbench.reporting.figures.training import cost

    return cost(findings.scored, findings.trainings)
