"""The section that compares: F1 on both test sets, all metrics, published results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weldbench.reporting.registry import figure, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from weldbench.reporting.compare import Findings
    from weldbench.reporting.tables.table import Table


@table(
    "comparison",
    section="comparison",
    caption="Table 3: F1 of every model and class on all test frames of {dataset}, mean and standard deviation over "
    "seeds; the macro average stands last, with its interval from resampling runs. Bold marks what is better beyond "
    "chance. Published values stand beside, and the notes say what is not comparable.",
)
def _comparison(findings: Findings) -> Table:
    from weldbench.reporting.tables.f1 import about_published, f1_table

    quoted = findings.published.with_f1(findings.dataset.classes)
    notes = [*findings.warnings, *about_published(quoted, findings.published, findings.name)]
    return f1_table("comparison", "Table 3. F1 per class", findings.scored, quoted, notes)


@figure(
    "macro_f1",
    section="comparison",
    caption="Macro F1 of every model with its interval, its seeds as dots, on both test sets; published values as "
    "circles.",
    alt="For each model a diamond at its macro F1 with a line for the interval; Table 3 has the numbers.",
    details="The interval resamples the test runs, and the seeds where there are several.",
)
def _macro_f1(findings: Findings) -> Figure:
    from weldbench.reporting.figures.scores import macro_f1

    return macro_f1([findings.scored, findings.balanced], findings.published, findings.trainings.settings)


@table(
    "comparison_balanced",
    section="comparison",
    folded=True,
    caption="Table 3 once more, on a balanced subset of the test frames of {dataset}: as many frames of each class as "
    "the paper took, or at most ``compare.balanced_cap``.",
)
def _comparison_balanced(findings: Findings) -> Table:
    from weldbench.reporting.tables.f1 import f1_table

    quoted = findings.published.with_f1(findings.dataset.classes)
    notes = [*findings.warnings, "What is known of the published values stands below Table 3."]
    return f1_table("comparison_balanced", "Table 3, balanced", findings.balanced, quoted, notes)


@table(
    "summary",
    section="comparison",
    caption="Every model in single numbers, on both test sets of {dataset}: macro F1 with its interval, accuracies, "
    "agreement, calibration error, Brier score.",
)
def _summary(findings: Findings) -> Table:
    from weldbench.reporting.tables.by_model import summary

    return summary([findings.scored, findings.balanced])


@table(
    "published",
    section="comparison",
    folded=True,
    caption="What others published on data of these classes, each number with its source and what is assumed about it, "
    "beside our model of the same architecture and all in which the two still differ.",
)
def _published(findings: Findings) -> Table:
    from weldbench.reporting.tables.published import published_table

    train_frames = max(
        table.loc[table["split"] == "train", "row"].nunique() for table in findings.split_tables.values()
    )
    return published_table(
        findings.published, findings.name, findings.scored, findings.trainings, findings.strategy, train_frames
    )
