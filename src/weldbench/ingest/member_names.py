"""Names of a zip's members: many packers store bytes of their own country's encoding and do not say which."""

import struct
import unicodedata
import zipfile
import zlib
from typing import NamedTuple

from charset_normalizer import from_bytes

_UTF_8_FLAG = 0x800
_UNICODE_PATH = 0x7075  # the extra field of Info-ZIP, WinZip and 7-Zip: the name in UTF-8
# The encodings of Windows and of DOS, by which a packer without Unicode names files.
_ENCODINGS = [
    "cp932", "gb18030", "big5", "cp949", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "cp850", "cp852",
    "cp866", "cp437",
]  # fmt: skip
_HALFWIDTH = range(0xFF61, 0xFFA0)


class DecodedNames(NamedTuple):
    """The names of a zip's members.

    Attributes:
        names: In the order of the zip's directory.
        guessed: The encoding that was guessed; empty if none had to be.
    """

    names: list[str]
    guessed: str


class UnknownEncodingError(Exception):
    """The names are in no encoding that can be told."""


def decode_names(members: list[zipfile.ZipInfo], encoding: str | None) -> DecodedNames:
    """Decode all names of a zip, those without a mark together: one packer wrote them.

    Args:
        members: The zip's directory.
        encoding: Of the names that are not marked as UTF-8; None takes UTF-8 if they are valid, and guesses otherwise.

    Raises:
        UnknownEncodingError: They are not in `encoding`, or none fits.
    """
    known = [_marked_name(info) for info in members]
    raw = [info.orig_filename.encode("cp437") for info, name in zip(members, known, strict=True) if name is None]
    guessed = ""
    if encoding is None:
        encoding = "utf-8"
        if not _decodes(raw, encoding):
            encoding = guessed = _guess(raw)
    if not _decodes(raw, encoding):
        raise UnknownEncodingError
    decoded = iter(name.decode(encoding) for name in raw)
    names = [next(decoded) if name is None else name for name in known]
    # A backslash is a separator only for packers that know no slash; elsewhere it is part of a name.
    if not any("/" in name for name in names):
        names = [name.replace("\\", "/") for name in names]
    return DecodedNames([composed(name) for name in names], guessed)


def composed(name: str) -> str:
    """Return a name in Unicode's composed form, as some systems store letters and their accents apart."""
    return unicodedata.normalize("NFC", name)


def _marked_name(info: zipfile.ZipInfo) -> str | None:
    if info.flag_bits & _UTF_8_FLAG:
        return info.orig_filename
    raw, extra = info.orig_filename.encode("cp437"), info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        # The field holds the sum of the plain name, so that a tool which renames a member makes it void.
        if kind == _UNICODE_PATH and field[:1] == b"\1" and field[1:5] == struct.pack("<I", zlib.crc32(raw)):
            return field[5:].decode("utf-8", "replace")
    return None


def _decodes(raw: list[bytes], encoding: str) -> bool:
    try:
        for name in raw:
            name.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _guess(raw: list[bytes]) -> str:
    """Return the encoding that charset_normalizer ranks first, of those in which the names are of one script."""
    # Each word once: the detector weighs all of it, and a folder's name stands before every file of it.
    words = sorted({part for name in raw for part in name.split(b"/") if not part.isascii()})
    for match in from_bytes(b"\n".join(words), cp_isolation=_ENCODINGS):
        if _decodes(raw, match.encoding) and _of_one_script(str(match)):
            return match.encoding
    raise UnknownEncodingError


def _of_one_script(text: str) -> bool:
    """Tell whether the letters beyond ASCII are of one script and nothing else stands among them, as in real names.

    A wrong encoding mixes scripts, and strews symbols and Japan's old half-width letters.
    """
    scripts = set()
    for letter in text:
        if letter.isascii():
            continue
        if not unicodedata.category(letter).startswith(("L", "M", "N")) or ord(letter) in _HALFWIDTH:
            return False
        script = unicodedata.name(letter, "?").split()[0]
        scripts.add("CJK" if script in {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "FULLWIDTH"} else script)
    return len(scripts) == 1
