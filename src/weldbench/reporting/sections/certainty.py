"""The section on who is better, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weldbench.reporting.registry import figure, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from weldbench.reporting.compare import Findings
    from weldbench.reporting.tables.table import Table


@table(
    "pairs",
    section="certainty",
    caption="Every two models compared on the same test frames of {dataset}: the difference in macro F1 with its "
    "interval, a t test over runs and McNemar's test over frames, both with Holm's correction, and a verdict.",
)
def _pairs(findings: Findings) -> Table:
    from weldbench.reporting.tables.by_model import pairs

    return pairs(findings.scored)


@table(
    "pretraining",
    section="certainty",
    caption="What pretraining is worth on {dataset}: F1 of two models of one architecture that start from different "
    "weights, their difference in every class and in the macro average, its interval over runs, and p.",
)
def _pretraining(findings: Findings) -> Table:
    from weldbench.reporting.tables.pretraining import pretraining

    return pretraining(findings.scored, findings.trainings)


@figure(
    "pretraining",
    section="certainty",
    caption="What pretraining is worth: F1 of one model minus that of another, which starts from other weights, by "
    "class.",
    alt="For each class and the macro average a mark at the difference in F1 with a line for its interval, beside a "
    "vertical line at no difference; the table of this name has the numbers.",
    details="The interval resamples the test runs, and the seeds where there are several.",
)
def _pretraining_figure(findings: Findings) -> Figure:
    from weldbench.reporting.figures.pretraining import pretraining

    return pretraining(findings.scored, findings.trainings)


@figure(
    "learning_curves",
    section="certainty",
    caption="Learning curves: loss and macro F1 over epochs, the mean over trainings and their range.",
    alt="Two panels of lines over epochs, one color per model: loss on train and valid, and macro F1 on valid.",
    details="Dashed lines are the loss on train. The best epoch on valid is kept, unless a note below "
    "Table 3 says otherwise.",
)
def _learning_curves(findings: Findings) -> Figure:
    from weldbench.reporting.figures.training import learning_curves

    return learning_curves(findings.trainings)
