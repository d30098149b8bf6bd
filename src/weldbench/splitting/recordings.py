"""Which runs are probably one recording, by their names: parts and copies of it, or equal times of recording."""

import re
from collections import Counter
from collections.abc import Iterable

from weldbench.data.run_name import recording_time

_GAP = r"[\s_.-]*"
_NO_LETTER_BEFORE = r"(?<![^\W\d_])"
_COPY_WORDS = "(?:cop(?:y|ie|ia)|kopie|duplicate|dup)"
# `X - Copy`, `X - Copy (2)`, `X_copy3`, `X (copy)`, `X (another copy)`, `Copy of X`.
_COPY = re.compile(
    rf"{_GAP}(?:\((?:\w+ )?{_COPY_WORDS}(?: \d+)?\)|{_NO_LETTER_BEFORE}{_COPY_WORDS}(?:{_GAP}\(?\d+\)?)?)$"
    rf"|^{_COPY_WORDS} (?:\(\d+\) )?(?:of|von|de|di) ",
    re.IGNORECASE,
)
# `X-part2`, `X part b`, `X (part 2 of 3)`, `X-seg01`.
_PART = re.compile(
    rf"{_GAP}\(?{_NO_LETTER_BEFORE}(?:part|pt|piece|segment|seg|chunk|clip|half|teil|parte|partie)"
    rf"(?:{_GAP}\d+(?:{_GAP}of{_GAP}\d+)?|[\s_.-]+[a-z])\)?$",
    re.IGNORECASE,
)
# `X_2`, `X 2`, `X (2)`.
_NUMBER = re.compile(r"(?:[\s_-]+\d{1,2}|\s*\(\d{1,2}\))$")
_DATE = re.compile(r"(?<!\d)(?:\d{8}|\d{6}|(?:\d\d)?\d\d([-_.])\d\d\1(?:\d\d)?\d\d)$")

_FEW_PARTS = 4


def recordings(runs: Iterable[str]) -> dict[str, str]:
    """Tell which recording each run probably belongs to, by the names of all runs of the data.

    Runs are taken for one recording where their names hold one time of recording, to the second. In names without such
    a time, an ending is taken off:

    - that of a copy, always: `X - Copy`, `X (copy)`, `Copy of X`;
    - that of a part: `X-part2`. But `part` may be a workpiece, as in `good part 1`, `good part 2`, ...: X has to hold
      a number, to be a run itself, to be named like another run or another X, or to have a few parts only;
    - a mere number: `X_2`, `X (2)`. Most such numbers only count runs (`run_1`, `run_2`, or `plate3_1`, `plate3_2`), so
      the number has to be the exception: names like X, with other digits or single letters, are at least as many runs
      as there are such X with a number behind them. X has to hold a number, or another run to be named like it. X must
      not end with a date, as `2016-07-08_2` is the second run of a day.

    A name that all runs share before such an ending tells nothing, so there its numbers count runs.

    Args:
        runs: Names of runs; repeated ones count once.

    Returns:
        Run -> name of its recording; a run alone in its recording may have another name there.

    Example:
        >>> recordings(["run7", "run7_2", "run8", "run9-part1"])
        {'run7': 'run7', 'run7_2': 'run7', 'run8': 'run8', 'run9-part1': 'run9'}
        >>> recordings(["run_1", "run_2", "run_3"])
        {'run_1': 'run_1', 'run_2': 'run_2', 'run_3': 'run_3'}
    """
    found: dict[str, str] = {}
    timeless: dict[str, str] = {}
    for run in sorted(set(runs)):
        if recorded := recording_time(run):
            found[run] = recorded[1].isoformat()
        else:
            timeless[run] = _without_copy(run)
    names = set(timeless.values())
    wholes = ((_PART, _with_parts(names)), (_NUMBER, _with_numbers(names)))
    return found | {run: _whole(name, wholes) for run, name in timeless.items()}


def _without_copy(run: str) -> str:
    """Take every ending of a copy off, unless nothing is left."""
    shorter = _COPY.sub("", run)
    return run if shorter in ("", run) else _without_copy(shorter)


def _whole(name: str, wholes: Iterable[tuple[re.Pattern[str], set[str]]]) -> str:
    """Take every ending off that stands behind the name of a whole."""
    for ending, known in wholes:
        shorter = ending.sub("", name)
        if shorter != name and shorter in known:
            return _whole(shorter, wholes)
    return name


def _with_parts(names: set[str]) -> set[str]:
    """Return the names before an ending of a part that are names of recordings."""
    parts = _before(_PART, names)
    alike = Counter(_shape(name) for name in {*names, *parts})
    return {
        whole
        for whole, count in parts.items()
        if re.search(r"\d", whole) or whole in names or alike[_shape(whole)] > 1 or count <= _FEW_PARTS
    }


def _with_numbers(names: set[str]) -> set[str]:
    """Return the names before a number that are names of recordings."""
    numbered = _before(_NUMBER, names)
    alike = Counter(map(_shape, names))
    numbered_alike = Counter(map(_shape, numbered))
    return {
        whole
        for whole in numbered
        if alike[_shape(whole)] >= numbered_alike[_shape(whole)]
        and (re.search(r"\d", whole) or alike[_shape(whole)] > (whole in names))
        and not _DATE.search(whole)
    }


def _before(ending: re.Pattern[str], names: set[str]) -> Counter[str]:
    """Count the names by what stands before an ending, unless it is nothing, or the same in all names."""
    wholes = Counter(ending.sub("", name) for name in names if ending.search(name))
    return Counter({before: count for before, count in wholes.items() if before and count < len(names)})


def _shape(name: str) -> str:
    """Reduce a name to what it has in common with names of other numbers and single letters."""
    return re.sub(r"\d+", "#", re.sub(r"(?<![^\W\d_])[^\W\d_](?![^\W\d_])", "@", name.casefold()))
