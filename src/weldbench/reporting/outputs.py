"""The files that compare writes, by name: the contract with the workflow. Imports nothing heavy."""

from collections.abc import Iterable

from weldbench.reporting import sections  # noqa: F401  registers all tables and figures
from weldbench.reporting.registry import FIGURE_FORMAT, FIGURES, MODEL_FIGURES, TABLE_FORMATS, TABLES

__all__ = ["FIGURES", "FIGURE_FORMAT", "MODEL_FIGURES", "TABLES", "TABLE_FORMATS", "TIMED", "figure_names"]

# Times differ from run to run; everything else is the same, byte for byte, for the same inputs.
TIMED = ("cost",)


def figure_names(models: Iterable[str]) -> tuple[str, ...]:
    """Return the names of all figures, without suffix: those of the comparison, then those of each model."""
    return (*FIGURES, *(f"{kind}_{model}" for model in models for kind in MODEL_FIGURES))
