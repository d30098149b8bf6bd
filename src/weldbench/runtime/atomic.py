"""Files appear under their final name only when they are complete."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weldbench.runtime.disk import refusals_named

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds, delete it if it raises.

    The suffix of `path` is kept, for writers that choose the format by it. Parent folders are made. What a kill leaves
    has the same temporary name, so that the next run writes over it and disks do not fill with halves.

    Raises:
        InputError: The disk is full or read-only, a quota or a limit is reached, or writing is not permitted.
    """
    path = Path(path)
    partial = partial_path(path)
    with refusals_named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            partial.replace(path)
        finally:
            with suppress(PermissionError):  # it says less than the error that led here
                partial.unlink(missing_ok=True)


def partial_path(path: Path) -> Path:
    """Name the file that holds what is to become `path`."""
    return path.with_name(f".{path.stem}.partial{path.suffix}")


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text atomically."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path | str, value: Any) -> None:
    """Write JSON atomically, indented, keys in the given order, NaN refused (ValueError)."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_csv(path: Path | str, table: "pd.DataFrame", float_format: str | None = None) -> None:
    """Write a table as CSV atomically, without its index.

    Args:
        path: The file.
        table: Any columns.
        float_format: Such as `%.6f`; None writes each number with the digits that it needs.
    """
    with replacing(path) as partial:
        table.to_csv(partial, index=False, float_format=float_format, lineterminator="\n")
