"""The section on the data: frames and classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weldbench.reporting.registry import figure, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from weldbench.reporting.compare import Findings
    from weldbench.reporting.tables.table import Table


@table(
    "distribution",
    section="data",
    caption="Table 1: frames per class in train, valid and test of {dataset}, as given and as used, those that "
    "models learned from, and the runs in which they stand. The notes tell what ingest and the audit found.",
)
def _distribution(findings: Findings) -> Table:
    from weldbench.reporting.tables.by_class import distribution

    dataset = findings.dataset
    return distribution(dataset.classes, dataset.manifest, findings.split_tables, findings.trainings, findings.notes)


@figure(
    "classes",
    section="data",
    caption="Figure 1. One frame per class.",
    alt="A grid of camera frames, one for each class, titled with the name of the class.",
    details="The middle frame of each class's longest run.",
)
def _classes(findings: Findings) -> Figure:
    from weldbench.reporting.figures.data import classes

    return classes(findings.dataset.frames, findings.dataset.manifest, findings.dataset.classes)


@figure(
    "class_distribution",
    section="data",
    caption="Figure 2. Class distribution of test.",
    alt="Horizontal bars: the number of test frames of each class; Table 1 has the numbers.",
    details="The share of each class stands behind its bar.",
)
def _class_distribution(findings: Findings) -> Figure:
    from weldbench.reporting.figures.data import class_distribution

    return class_distribution(findings.scored.support, findings.dataset.classes)
