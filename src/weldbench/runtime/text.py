"""Numbers in sentences."""


def counted(number: int, noun: str) -> str:
    """Return `1 frame`, `2 frames`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
