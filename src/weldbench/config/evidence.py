"""The sections about evidence: compare and report."""

from pydantic import Field, PositiveInt

from weldbench.config.base import Section


class Compare(Section):
    """What the comparison holds and how its uncertainty is computed."""

    models: list[str] = ["full_con6", "conv6", "resnet18"]
    bootstrap_draws: PositiveInt = 10_000
    confidence: float = Field(0.95, gt=0, lt=1)


class Report(Section):
    """How the report looks."""

    title: str = "Which weld-defect classifier can be trusted?"
