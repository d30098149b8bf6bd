"""Rows of predictions as CSV or JSON lines, in a file that is complete whenever it is there, or on the terminal."""

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from weldbench.runtime.atomic import replacing

FORMATS = ("csv", "jsonl")
_DIGITS = 8  # of probabilities, as in predictions.csv
Write = Callable[[Mapping[str, Any]], None]


@contextmanager
def row_writer(path: Path | None, form: str, columns: Sequence[str]) -> Iterator[Write]:
    """Yield a function that writes one row.

    Args:
        path: The file, which appears when the block ends; also when it ends by Ctrl-C. None writes to the terminal.
        form: csv or jsonl.
        columns: Keys of the rows, in order.

    Raises:
        KeyboardInterrupt: The block ended by Ctrl-C; the rows so far are written.
    """
    if path is None:
        yield _writer(sys.stdout, form, columns)
        sys.stdout.flush()
        return
    interrupted = None
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        try:
            yield _writer(file, form, columns)
        except KeyboardInterrupt as error:
            interrupted = error
    if interrupted:
        raise interrupted


def _writer(file: TextIO, form: str, columns: Sequence[str]) -> Write:
    if form == "jsonl":
        return lambda row: print(json.dumps(_rounded(row), ensure_ascii=False), file=file)
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    return lambda row: writer.writerow(_rounded(row))


def _rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: round(value, _DIGITS) if isinstance(value, float) else value for key, value in row.items()}
