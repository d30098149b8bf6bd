"""Numbers and names in sentences."""

from collections.abc import Sequence

_NAMES_SHOWN = 3
_NAME_LENGTH = 120


def counted(number: int, noun: str) -> str:
    """Return `1 frame`, `2 frames`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def some(names: Sequence[str], shown: int = _NAMES_SHOWN) -> str:
    """Name at most a few: `a, b, c and 4 more`; each one shortened."""
    listed = ", ".join(shortened(name) for name in names[:shown])
    return listed if len(names) <= shown else f"{listed} and {len(names) - shown} more"


def shortened(text: str, length: int = _NAME_LENGTH) -> str:
    """Cut a text in its middle where it is longer than a message can bear."""
    if len(text) <= length:
        return text
    half = (length - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"
