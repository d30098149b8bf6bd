"""The order in which the frames of one recording were filmed, as their names tell it."""

import re


def filming_order(name: str) -> str:
    """Return a sort key for the name or path of a frame, in which numbers count as numbers: image-9 before image-10.

    Numbers of up to 20 digits count so, with leading zeros or without. All other characters sort by their code points.
    """
    return re.sub(r"\d+", lambda digits: digits[0].zfill(20), name)
