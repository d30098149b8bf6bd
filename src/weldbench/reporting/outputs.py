"""The files that compare writes, by name: the contract with the workflow. Imports nothing."""

from collections.abc import Iterable

TABLES = (
    "distribution",
    "per_class",
    "comparison",
    "comparison_balanced",
    "summary",
    "pairs",
    "operating_points",
    "temporal_vote",
    "runs",
    "published",
    "cost",
)
TABLE_FORMATS = ("csv", "md", "tex")

FIGURES = (
    "classes",
    "class_distribution",
    "learning_curves",
    "macro_f1",
    "reliability",
    "precision_recall",
    "cost",
)
MODEL_FIGURES = ("confusion", "runs", "errors")
FIGURE_FORMAT = "png"

# Times differ from run to run; everything else is the same, byte for byte, for the same inputs.
TIMED = ("cost",)


def figure_names(models: Iterable[str]) -> tuple[str, ...]:
    """Return the names of all figures, without suffix: those of the comparison, then those of each model."""
    return (*FIGURES, *(f"{kind}_{model}" for model in models for kind in MODEL_FIGURES))
