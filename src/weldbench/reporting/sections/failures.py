"""The section on where the models fail: classes, runs, frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from weldbench.reporting.registry import PAGE, StageFigure, Words, figure, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from weldbench.reporting.compare import Findings
    from weldbench.reporting.tables.table import Table


@table(
    "per_class",
    section="failures",
    folded=True,
    caption="Table 2: precision, recall, F1 and average precision of every model and class on all test frames of "
    "{dataset}, the mean over seeds, with macro and weighted averages.",
)
def _per_class(findings: Findings) -> Table:
    from weldbench.reporting.tables.by_class import per_class

    return per_class(findings.scored)


@figure(
    "confusion",
    section="failures",
    per_model=True,
    caption="Confusion matrix of {model}: shares of each true class, and frames.",
    alt="Two square grids for {model}, true classes by predicted classes: shares on the left, frames on the right.",
    details="Means over the seeds.",
)
def _confusion(findings: Findings, model: str) -> Figure:
    from weldbench.reporting.figures.scores import confusion

    return confusion(findings.scored, model)


@figure(
    "precision_recall",
    section="failures",
    caption="Precision against recall of each class, the frames of all seeds together.",
    alt="A panel for each class with a precision-recall curve per model; Table 2 has the seeds' average precisions.",
)
def _precision_recall(findings: Findings) -> Figure:
    from weldbench.reporting.figures.scores import precision_recall

    return precision_recall(findings.scored)


@figure(
    "reliability",
    section="failures",
    caption="Reliability: how often a model is right when it says how sure it is, the frames of all seeds together.",
    alt="Lines of the share of right frames over confidence, one per model, beside the diagonal of a calibrated model.",
    details="Below the diagonal a model is surer than it should be. The area of a point is its share of the test "
    "frames.",
)
def _reliability(findings: Findings) -> Figure:
    from weldbench.reporting.figures.scores import reliability

    return reliability(findings.scored)


@table(
    "runs",
    section="failures",
    folded=True,
    caption="The share of right frames in every test run of {dataset}, for every model, before and after a majority "
    "vote.",
)
def _runs(findings: Findings) -> Table:
    from weldbench.reporting.tables.by_run import runs

    return runs(findings.scored, max(findings.settings.vote_frames))


@figure(
    "runs",
    section="failures",
    per_model=True,
    caption="What {model} says along the test runs.",
    alt="A colored strip for each test run of {model}: the true class above the predicted class of every frame.",
    details="Time runs to the right. The thin strip above is the true class, the strip below the predicted one, and "
    "the share of right frames stands behind it. One seed is shown.",
)
def _strips(findings: Findings, model: str) -> Figure:
    from weldbench.reporting.figures.runs import strips

    comparison = findings.scored.comparison
    return strips(comparison.test[model][0], model, comparison.seeds[0])


@figure(
    "errors",
    section="failures",
    per_model=True,
    caption="The errors that {model} was surest of.",
    alt="Camera frames that {model} got wrong with high confidence, each with its true and its predicted class.",
    details="At most two of each run. One seed is shown.",
)
def _errors(findings: Findings, model: str) -> Figure:
    from weldbench.reporting.figures.runs import confident_errors

    comparison, dataset = findings.scored.comparison, findings.dataset
    return confident_errors(comparison.test[model][0], model, comparison.seeds[0], dataset.frames, dataset.manifest)


# It needs the networks, so the stage explain draws it.
EXPLANATION = StageFigure(
    "explain",
    section="failures",
    words=Words(
        "What drove {model}'s decisions on right and wrong frames of each class.",
        alt="Camera frames of each class overlaid with the regions that drove the decision of {model}.",
        details="The surest right and the surest wrong test frame of each class. Grad-CAM, or for a network without "
        "convolutions the gradient of the input.",
    ),
)
PAGE.append(EXPLANATION)
