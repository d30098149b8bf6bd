"""The Netpbm family (PBM, PGM, PPM, PAM) at any depth; Pillow would keep 8 bits of a color."""

import re

import numpy as np

from weldbench.errors import BadFrameError
from weldbench.ingest.formats.samples import Contents, Samples, check_size, not_read, one

START = re.compile(rb"P[1-7][\s#]")
FLOAT_START = re.compile(rb"P[fF]\s")

# Between two words of a header stand blanks and comments; only one blank ends it.
_GAP = rb"(?:\s|#[^\n]*\n)+"
_HEADER = re.compile(rb"P[1-6]" + _GAP + rb"(\d{1,9})" + _GAP + rb"(\d{1,9})")
_WHITE = re.compile(_GAP + rb"(\d{1,9})")
_PAM_HEADER = re.compile(rb"P7\s(.*?)\nENDHDR\s*?\n", re.DOTALL)


def read(data: bytes) -> Contents:
    """Read the picture of a Netpbm file.

    Raises:
        BadFrameError: It is too large or damaged, or holds more than one picture.
    """
    return one(_read_pam(data) if data.startswith(b"P7") else _read_pnm(data))


def _read_pnm(data: bytes) -> Samples:
    kind = int(data[1:2])
    header = _HEADER.match(data)
    if not header:
        raise _damaged("its header is incomplete")
    width, height = map(int, header.groups())
    check_size(width, height)
    end, white = header.end(), 1
    if kind not in {1, 4}:
        found = _WHITE.match(data, end)
        if not found:
            raise _damaged("its header is incomplete")
        end, white = found.end(), int(found[1])
    channels = 3 if kind in {3, 6} else 1
    shape = height, width, channels
    if kind <= 3:
        levels = _plain(data[end:], shape, one_digit=kind == 1)
    elif kind == 4:
        rows = _binary(data[end + 1 :], (height, -(-width // 8)), 255)
        levels = np.unpackbits(rows, axis=1)[:, :width, None]
    else:
        levels = _binary(data[end + 1 :], shape, white)
    _check_levels(levels, white)
    return Samples(1 - levels if kind in {1, 4} else levels, white, "rgb" if channels == 3 else "gray")


def _read_pam(data: bytes) -> Samples:
    header = _PAM_HEADER.match(data[:4096])
    if not header:
        raise _damaged("its header is incomplete")
    lines = (line.split(None, 1) for line in header[1].splitlines() if not line.startswith(b"#"))
    values = {line[0]: line[1] for line in lines if len(line) == 2}
    width, height, channels, white = (int(values[key]) for key in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))
    check_size(width, height)
    if not 1 <= channels <= 4:
        raise not_read(f"PAM of {channels} channels")
    levels = _binary(data[header.end() :], (height, width, channels), white)
    _check_levels(levels, white)
    return Samples(levels, white, "rgb" if channels > 2 else "gray")


def _plain(text: bytes, shape: tuple[int, ...], one_digit: bool) -> np.ndarray:
    words = re.sub(rb"#[^\n]*", b"", text).split()
    if one_digit:  # the digits of black and white may stand close together
        words = [b"%c" % digit for digit in b"".join(words)]
    if len(words) != np.prod(shape):
        raise _damaged(f"it has {len(words)} levels, not {np.prod(shape)}")
    return np.array([int(word) for word in words], dtype=np.int64).clip(-1, 2**16).reshape(shape)


def _binary(pixels: bytes, shape: tuple[int, ...], white: int) -> np.ndarray:
    dtype = np.dtype(np.uint8 if white < 256 else ">u2")
    needed = int(np.prod(shape)) * dtype.itemsize
    if len(pixels) < needed:
        raise _damaged("it is cut off")
    if START.match(pixels, needed):
        raise BadFrameError("it holds several pictures in one file; write each into a file of its own")
    return np.frombuffer(pixels, dtype, int(np.prod(shape))).reshape(shape)


def _check_levels(levels: np.ndarray, white: int) -> None:
    if not 1 <= white <= 65535 or levels.min() < 0 or levels.max() > white:
        raise _damaged(f"its levels are not within 0 to {white}")


def _damaged(why: str) -> BadFrameError:
    return BadFrameError(f"it is a damaged picture (Netpbm: {why})")
