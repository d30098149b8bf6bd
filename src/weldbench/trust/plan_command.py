"""The command `weldbench plan-evidence`: how many defective welds must be recorded for a promise."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from weldbench.errors import InputError
from weldbench.runtime.text import counted

_EPILOG = """\
Example: weldbench plan-evidence --escape 0.05 --confidence 0.95 --expected 0.01 --dataset weldsim. A promise that holds
for whichever of N models or rules you choose after the test needs the confidence 1 - (1 - C) / N: 0.995 for one of ten
at 0.95. docs/trust.md says under which conditions a promise holds."""


def add_plan_evidence(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to those of `weldbench`."""
    parser = commands.add_parser(
        "plan-evidence", help="how many defective welds must be recorded to promise that few escape?", epilog=_EPILOG
    )
    parser.add_argument(
        "--escape", type=float, default=0.05, metavar="SHARE", help="share that may escape; default: 0.05"
    )
    parser.add_argument("--confidence", type=float, default=0.95, metavar="SHARE", help="of the promise; default: 0.95")
    parser.add_argument(
        "--expected", type=float, metavar="SHARE", help="share of defective welds that you expect to escape"
    )
    parser.add_argument(
        "--dataset", metavar="NAME", help="count the welds of this dataset, and say how many are missing"
    )
    parser.set_defaults(run=_plan_evidence)


def _plan_evidence(arguments: argparse.Namespace) -> None:
    params = None
    if arguments.dataset:
        from weldbench.config import load_params

        params = load_params().for_dataset(arguments.dataset)
    for sentence in plan_evidence(arguments.escape, arguments.confidence, arguments.expected):
        print(sentence)
    if params:
        data = Path("data") / arguments.dataset
        for line in missing_welds(data, params.folds[0], arguments.escape, arguments.confidence, arguments.expected):
            print(line)


def plan_evidence(escape: float, confidence: float, expected: float | None) -> Iterator[str]:
    """Yield sentences on how many defective welds a promise takes.

    Raises:
        InputError: A number is out of its range, or it takes too many welds.
    """
    from weldbench.trust.evidence import fewest_runs, plan

    _check(escape, confidence, expected)
    yield (
        f"To promise with {_percent(confidence)} confidence that at most {_percent(escape)} of defective welds escape, "
        f"record {counted(fewest_runs(escape, confidence), 'defective weld')}. None of them may escape."
    )
    if expected is not None:
        found = plan(escape, confidence, expected)
        yield (
            f"If {_percent(expected)} of defective welds escape in truth, record {found.runs:,} instead. "
            f"{_may_escape(found.escapes)} The promise can then be made with a probability of {_percent(found.power)}."
        )
    yield (
        "A weld is one run, however many frames it has. Only welds count from which no model learned and by which "
        "nothing was chosen."
    )


def missing_welds(data: Path, fold: int, escape: float, confidence: float, expected: float | None) -> Iterator[str]:
    """Yield the lines of a table: per defect the welds recorded, those in test, and how many are missing there.

    Raises:
        InputError: The dataset is not ingested or split, or has no class of good welds.
    """
    from weldbench.trust.evidence import fewest_runs, plan
    from weldbench.trust.recorded import recorded_welds

    needed = fewest_runs(escape, confidence) if expected is None else plan(escape, confidence, expected).runs
    welds = recorded_welds(data, fold)
    welds["missing"] = (needed - welds["in_test"]).clip(lower=0)
    yield f"\nDefective welds in {data}, and how many of the {needed:,} are missing in test:\n"
    yield welds.rename(columns={"in_test": "in test"}).to_string(index=False)
    yield (
        "\nThe last line is for a promise about defective welds in general, with the defects in the proportions of "
        "test. A promise about one kind of defect takes as many welds of that kind."
    )


def _check(escape: float, confidence: float, expected: float | None) -> None:
    shares = {"--escape": escape, "--confidence": confidence}
    for option, value in shares.items():
        if not 0 < value < 1:
            raise InputError(f"{option} is {value:g}; it has to be between 0 and 1, such as 0.05 for 5 %")
    if expected is not None and not 0 <= expected < 1:
        raise InputError(f"--expected is {expected:g}; it has to be at least 0 and below 1, such as 0.01 for 1 %")


def _may_escape(escapes: int) -> str:
    return "None of them may escape." if not escapes else f"Up to {escapes:,} of them may escape."


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
