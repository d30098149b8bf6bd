"""The `run_pattern` that joins the runs of one recording, tried on every path before it is advised."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from weldbench.data.run_name import recording_time

_MOST_NAMED = 8  # recordings that a pattern may name one by one: a longer one is of no use to a person
_FOLDER = r"[^/]+(?=/[^/]*$)"  # the last one of a path
_FOLDER_STARTS = r"(?<![^/])"


def joining_pattern(frames: pd.DataFrame, recordings: Mapping[str, str]) -> str | None:
    """Find a `run_pattern` that makes one run of every recording, and leaves all other runs apart.

    Args:
        frames: All frames of the data: columns path, run.
        recordings: Run -> recording that it is a part or a copy of.

    Returns:
        A regular expression as `datasets.<name>.run_pattern` takes it: it matches every path, and its group `run`, or
        else the whole match, is equal for the frames of one recording and of no other. None if no simple one does.
    """
    wanted = frames["run"].map(recordings)
    runs_of = Counter(recordings.values())
    joined = {run: whole for run, whole in recordings.items() if runs_of[whole] > 1}
    for pattern in _candidates(joined):
        if _divides(pattern, frames["path"], wanted):
            return pattern
    return None


def _divides(pattern: str, paths: pd.Series, wanted: pd.Series) -> bool:
    """Tell whether a pattern divides paths as wanted."""
    compiled = re.compile(pattern)
    group = "run" if "run" in compiled.groupindex else 0
    found = [match[group] if (match := compiled.search(path)) else "" for path in paths]
    pairs = pd.DataFrame({"found": found, "wanted": wanted.to_numpy()}).drop_duplicates()
    return all(found) and pairs["found"].is_unique and pairs["wanted"].is_unique


def _candidates(joined: Mapping[str, str]) -> Iterator[str]:
    """Yield patterns, the simplest first."""
    written = [recorded[0] for recorded in map(recording_time, joined) if recorded]
    times = list(dict.fromkeys(re.sub(r"\d+", _as_digits, _escaped(time)) for time in written))
    if times:
        time = "|".join(times)
        yield time
        yield rf"{time}|{_FOLDER_STARTS}(?![^/]*(?:{time})){_FOLDER}"
    around = [(whole, *_around(whole, run)) for run, whole in joined.items() if whole in run]
    if not around:
        return
    starts, ends = _any(start for _, start, _ in around), _any(end for _, _, end in around)
    yield rf"^{starts}(?P<run>.+?){ends}/[^/]*$"
    yield rf"{_FOLDER_STARTS}{starts}(?P<run>[^/]+?){ends}/[^/]*$"
    names = sorted({whole for whole, _, _ in around})
    if len(names) <= _MOST_NAMED:
        named = rf"(?:{'|'.join(map(_escaped, names))})(?={ends}/[^/]*$)"
        yield rf"{_FOLDER_STARTS}{starts}(?P<run>{'|'.join([*times, named])}|{_FOLDER})"


def _around(whole: str, run: str) -> tuple[str, str]:
    """Return what stands before the name of a recording, and what behind it."""
    start, _, end = run.partition(whole) if run.startswith(whole) else run.rpartition(whole)
    return start, end


def _any(texts: Iterable[str]) -> str:
    """Return a pattern of any of some texts, or nothing; numbers may be others."""
    patterns = sorted({re.sub(r"\d+", lambda _: r"\d+", _escaped(text)) for text in texts if text})
    return f"(?:{'|'.join(patterns)})?" if patterns else ""


def _as_digits(digits: re.Match[str]) -> str:
    return rf"\d{{{len(digits[0])}}}"


def _escaped(text: str) -> str:
    """Escape a text for a regular expression, but not what has no meaning in one, so that a person can read it."""
    return re.sub(r"\\([ #&~-])", r"\1", re.escape(text))
