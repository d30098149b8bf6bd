"""The tables and figures of the report, registered: a module for each section, and in it the order of the page.

A new table or figure is one entry in one of them. An entry imports what it needs inside its function, as Snakemake
reads the names whenever it plans.
"""

from weldbench.reporting.sections import certainty, comparison, cost, data, factory, failures, trust

__all__ = ["certainty", "comparison", "cost", "data", "factory", "failures", "trust"]
