"""The line below every table that says what it was made from."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weldbench.errors import InputError


def made_from(manifest: Path, lock: Path, settings: Mapping[str, Any]) -> str:
    """Name the data, the settings and the packages behind a table by the first 12 digits of their sha256.

    The commit is not among them: a table that named it could not be the same bytes after the next commit. It stands in
    lineage.json, which also holds the sha256 of every table.

    Args:
        manifest: manifest.csv, which holds a hash of every frame.
        lock: requirements.lock.
        settings: JSON: how the models were trained, and how they are compared.

    Raises:
        InputError: One of the files is missing.
    """
    said = json.dumps(settings, sort_keys=True).encode()
    return (
        f"Lineage: data {_digits(_content(manifest))}, settings {_digits(said)}, lock {_digits(_content(lock))}; "
        "the commit, and the sha256 of this table, stand in lineage.json."
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; run in the root of the project, or name another") from None


def _digits(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
