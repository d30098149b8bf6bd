"""What pretraining is worth: models of one architecture that start from different weights, compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from weldbench.evaluation.bootstrap import ModelDraws, Resamples
from weldbench.evaluation.intervals import Interval
from weldbench.evaluation.significance import holm


@dataclass(frozen=True)
class Beginnings:
    """Two models of one architecture and the weights that they start from, by their `init` in params.yaml.

    Attributes:
        model: The one that starts from learned weights, if the two differ in that.
        reference: What it is compared with.
    """

    architecture: str
    model: str
    reference: str
    model_init: str
    reference_init: str


@dataclass(frozen=True)
class Gain:
    """How much a model is better than the one with the other beginning.

    Attributes:
        of: The two models.
        number: Of the class; None for macro F1.
        model_f1: The mean over seeds, of the model.
        reference_f1: The same of its reference.
        difference: The first minus the second.
        p: Two-sided, over runs and seeds, after Holm; None where no test is possible.
    """

    of: Beginnings
    number: int | None
    model_f1: float
    reference_f1: float
    difference: Interval
    p: float | None


@dataclass(frozen=True)
class RunsNeeded:
    """How many training runs a model needs for a score, with the ends of the confidence interval.

    The smallest number that was tried means so many or fewer; infinity, more than were tried.

    Attributes:
        note: What a reader of the interval has to know, or empty; without an interval both ends are NaN.
    """

    runs: float
    low: float
    high: float
    note: str = ""


def beginnings(settings: Mapping[str, Mapping[str, Any]]) -> list[Beginnings]:
    """Pair the models of each architecture with those from random weights, or else with those of the first beginning.

    Args:
        settings: Per model those that its trainings had, from training.json; a record without `architecture` is that
            of a model which is named like it.

    Example:
        >>> settings = {"a": {"architecture": "resnet18", "init": "simulated"}}
        >>> [(pair.model, pair.reference) for pair in beginnings(settings | {"resnet18": {"init": "scratch"}})]
        [('a', 'resnet18')]
    """
    by_architecture: dict[str, dict[str, str]] = {}
    for name, own in settings.items():
        by_architecture.setdefault(own.get("architecture", name), {})[name] = own.get("init", "scratch")
    return [
        Beginnings(architecture, model, reference, init, inits[reference])
        for architecture, inits in by_architecture.items()
        for model, init in inits.items()
        for reference in _references(inits)
        if init != inits[reference]
    ]


def _references(inits: Mapping[str, str]) -> list[str]:
    start = "scratch" if "scratch" in inits.values() else next(iter(inits.values()))
    return [name for name, init in inits.items() if init == start]


def gains(pairs: Sequence[Beginnings], draws: Mapping[str, ModelDraws], resamples: Resamples) -> list[Gain]:
    """Test every pair on every class and on macro F1, which stands last.

    Holm's correction is for all pairs in macro F1, and for all pairs and classes in F1 of single classes.
    """
    numbers = range(len(resamples.runs.classes))
    found = {
        (pair, number): resamples.difference(draws[pair.model], draws[pair.reference], number)
        for pair in pairs
        for number in (*numbers, None)
    }
    adjusted: dict[tuple[Beginnings, int | None], float] = {}
    for family in ([key for key in found if key[1] is None], [key for key in found if key[1] is not None]):
        adjusted |= dict(zip(family, holm(np.array([found[key][1] for key in family])).tolist(), strict=True))

    def f1(model: str, number: int | None) -> float:
        estimate = draws[model].estimate
        return float(np.nanmean(estimate) if number is None else estimate[number])

    return [
        Gain(
            pair,
            number,
            f1(pair.model, number),
            f1(pair.reference, number),
            difference,
            None if np.isnan(p := adjusted[pair, number]) else p,
        )
        for (pair, number), (difference, _) in found.items()
    ]


def runs_to_reach(curve: Sequence[tuple[float, ModelDraws]], target: ModelDraws, resamples: Resamples) -> RunsNeeded:
    """Find how many training runs a model needs to reach the macro F1 of another.

    The difference from the target is interpolated between the numbers of runs that were tried, along their logarithm.
    The interval holds the numbers at which it is not significant, as Fieller (1954) inverts a test: it reaches from
    where the upper end of the difference's interval is 0 for the first time to where its lower end is.

    Args:
        curve: Numbers of training runs, ascending, each with the draws of the model that learned from them.
        target: Draws of the other model.
        resamples: Of the test runs that all were scored on.
    """
    runs = [count for count, _ in curve]
    differences = [resamples.difference(draws, target)[0] for _, draws in curve]
    estimate, low, high = (
        _first_reaching_zero(runs, [getattr(difference, end) for difference in differences])
        for end in ("estimate", "high", "low")
    )
    notes = "; ".join(dict.fromkeys(difference.note for difference in differences if difference.note))
    if any(difference.reason for difference in differences):
        low = high = np.nan
    return RunsNeeded(estimate, low, high, notes)


def _first_reaching_zero(runs: Sequence[float], values: Sequence[float]) -> float:
    """Return the smallest number of runs at which the line through the values is 0 or more; infinity if it never is."""
    for number, value in enumerate(values):
        if value >= 0:
            if number == 0:
                return runs[0]
            before, after = np.log(runs[number - 1 : number + 1])
            share = values[number - 1] / (values[number - 1] - value)
            return float(np.exp(before + share * (after - before)))
    return np.inf
