"""Pictures before they are written, and what must come of them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from picture_files import HEIGHT, WIDTH, levels
from PIL import Image

PLAIN, SCALED, LUMINANCE = "levels as they are", "scaled to 8 bit", "luminance"
IGNORED = ", transparency ignored"
LOSSY = 6  # levels of 255; what the codecs of this list lose at their usual quality


@dataclass(frozen=True)
class Kind:
    """One file, and either the levels from 0 to 255 that it must give, not rounded, or the words of its refusal."""

    file_format: str
    kind: str
    made_by: str
    data: bytes
    expected: np.ndarray | None = None
    tolerance: float = 0
    result: str = ""

    @property
    def name(self) -> str:
        return f"{self.file_format}, {self.kind}, {self.made_by}"


class Reference(NamedTuple):
    """A picture before it is written: its levels, and what must come of it."""

    kind: str
    levels: np.ndarray
    expected: np.ndarray
    result: str


def gray(bits: int) -> Reference:
    stored = levels(bits)
    return Reference(f"{bits}-bit gray", stored, _of_255(stored, bits), PLAIN if bits == 8 else SCALED)


def color(bits: int) -> Reference:
    stored = levels(bits, 3)
    return Reference(f"{bits}-bit color", stored, _luminance(stored, bits), LUMINANCE + (bits != 8) * f", {SCALED}")


def _of_255(stored: np.ndarray, bits: int) -> np.ndarray:
    return stored.astype(float) * 255 / (2**bits - 1)


def _luminance(stored: np.ndarray, bits: int) -> np.ndarray:
    return _of_255(stored.astype(float) @ [0.299, 0.587, 0.114], bits)


def _palette() -> tuple[np.ndarray, np.ndarray, Reference]:
    """Return colors, indices, and the picture that both stand for."""
    colors = levels(8, 3).reshape(-1, 3)[:200]
    indices = (np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 200).astype(np.uint8)
    image = Image.fromarray(indices)
    image.putpalette(colors.tobytes())
    return colors, indices, Reference("palette", image, _luminance(colors[indices], 8), LUMINANCE)


GRAY, COLOR = {bits: gray(bits) for bits in (8, 16)}, {bits: color(bits) for bits in (8, 16)}
BOTH = [*GRAY.values(), *COLOR.values()]
COLORS, INDICES, PALETTE = _palette()
_BITS = levels(1) * np.uint8(255)
BLACK_AND_WHITE = Reference("1-bit gray", Image.fromarray(_BITS).convert("1"), _BITS.astype(float), PLAIN)


def read(file_format: str, picture: Reference, made_by: str, data: bytes, tolerance: float = 0, **other: str) -> Kind:
    """Return a kind that must be read; `suffix` adds to its name, `also` to what becomes of it."""
    kind, result = picture.kind + other.get("suffix", ""), picture.result + other.get("also", "")
    return Kind(file_format, kind, made_by, data, picture.expected, tolerance, result)


def refused(file_format: str, kind: str, made_by: str, data: bytes, words: str) -> Kind:
    return Kind(file_format, kind, made_by, data, result=words)
