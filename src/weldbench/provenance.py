"""The line below every table that says what it was made from."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def made_from(manifest: Path, lock: Path, settings: Mapping[str, Any]) -> str:
    """Name the data, the settings and the packages behind a table by the first 12 digits of their sha256.

    The commit is not among them: a table that named it could not be the same bytes after the next commit. It stands in
    lineage.json, which also holds the sha256 of every table.

    Args:
        manifest: manifest.csv, which holds a hash of every frame.
        lock: requirements.lock.
        settings: JSON: how the models were trained, and how they are compared.
    """
    said = json.dumps(settings, sort_keys=True).encode()
    return (
        f"Lineage: data {_digits(manifest.read_bytes())}, settings {_digits(said)}, lock {_digits(lock.read_bytes())}; "
        "the commit, and the sha256 of this table, stand in lineage.json."
    )


def _digits(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
