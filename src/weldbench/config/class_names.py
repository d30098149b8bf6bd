"""Names of classes: what they cannot be, as they become columns and lines of tables."""

import re
import unicodedata
from collections.abc import Sequence

# The columns beside those of the classes in predictions.csv and split.csv, and a line of the tables.
RESERVED = ("split_id", "split", "row", "run", "label", "weight", "macro average")


def problem_with_classes(names: Sequence[str]) -> str | None:
    """Say what is wrong with the names of the classes, and what to do; None if nothing."""
    seen: dict[str, str] = {}
    for name in names:
        if not name.strip() or any(unicodedata.category(letter) == "Cc" for letter in name):
            return f"a class is named {name!r}; give it a name of visible characters"
        if name.strip().lower() in RESERVED:
            return (
                f"a class is named {name!r}, which is a column or a line of the tables; rename it, as in {name}_defect"
            )
        plain = _plain(name)
        if plain in seen:
            other = seen[plain]
            what = f"{name!r} stands there twice" if other == name else f"{other!r} and {name!r} are nearly one name"
            return f"of the classes, {what}; rename one, or put their frames together"
        seen[plain] = name
    return None


def _plain(name: str) -> str:
    """Reduce a name to what a person reads: no case, no form of Unicode, one kind of space."""
    return re.sub(r"[\s_-]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip()
