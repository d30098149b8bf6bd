"""Reading members out of a zip that anyone may have made."""

import hashlib
import lzma
import re
import zipfile
import zlib
from pathlib import Path
from typing import Self

from weldbench.errors import BadFrameError, InputError
from weldbench.ingest.file_kinds import instead_of_zip, is_read
from weldbench.ingest.member_names import UnknownEncodingError, decode_names
from weldbench.ingest.system_files import system_entry
from weldbench.ingest.unused import Unused
from weldbench.runtime.text import shortened, some

# The largest member that is read, and so the most that a compressed member may unfold to.
MAX_MEMBER_BYTES = 256 * 2**20
# What zipfile raises for damaged bytes of a member, by kind of compression.
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RuntimeError)

_DRIVE = re.compile(r"^[A-Za-z]:")
_NOT_UTF_8 = (
    "its names are in an encoding other than UTF-8. Name it as `name_encoding` of the dataset in params.yaml, such as "
    "cp932 (Japanese), gb18030 (Chinese), cp1252 (Western European), or pack the folder again with UTF-8 names"
)


class Archive:
    """A zip whose directory has been checked; members are read in memory, and nothing is ever extracted.

    Args:
        path: The zip.
        name: How messages call it; None means `path`.
        encoding: Of names that are not marked as UTF-8; None takes UTF-8 if they are valid, and guesses otherwise.

    Attributes:
        unused: Members that are neither pictures nor JSON, those of the system, and empty folders.
        notes: Sentences for the report.
        size_bytes: Of the zip.

    Raises:
        InputError: There is no such file, it is no complete zip, a name leaves the archive, occurs twice or cannot be
            decoded, or a member is encrypted.
    """

    def __init__(self, path: Path | str, name: str | None = None, encoding: str | None = None):
        self.name = name or str(path)
        self.unused = Unused()
        self.notes: list[str] = []
        try:
            self._zip = zipfile.ZipFile(path)
            self.size_bytes = Path(path).stat().st_size
        except FileNotFoundError:
            raise InputError(f"{self.name}: there is no such file") from None
        except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, NotImplementedError) as error:
            raise InputError(f"{self.name}: {_no_zip(Path(path), error)}") from None
        try:
            self._members = self._checked_members(self._decoded_names(encoding))
        except InputError:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @property
    def names(self) -> list[str]:
        """Names of the files in it, in Unicode's composed form, sorted."""
        return sorted(self._members)

    def read(self, name: str) -> bytes:
        """Read one member and check its CRC.

        Raises:
            BadFrameError: It is missing, too large, or damaged.
        """
        member = self._members.get(name)
        if member is None:
            raise BadFrameError("it is not in the archive")
        if member.file_size > MAX_MEMBER_BYTES:
            raise BadFrameError(f"it unfolds to {member.file_size} bytes; {MAX_MEMBER_BYTES} is the most that is read")
        try:
            return self._zip.read(member)
        except _DAMAGE as error:
            raise BadFrameError(f"it cannot be read from the archive ({error})") from None

    @property
    def members_sha256(self) -> str:
        """Hash of the names, sizes and CRCs of all members; a member that is read is checked against its CRC."""
        digest = hashlib.sha256()
        for info in self._zip.infolist():
            digest.update(f"{info.orig_filename!r} {info.file_size} {info.CRC}\n".encode())
        return digest.hexdigest()

    def _decoded_names(self, encoding: str | None) -> list[str]:
        try:
            names, guessed = decode_names(self._zip.infolist(), encoding)
        except UnknownEncodingError:
            raise InputError(f"{self.name}: {_NOT_UTF_8}") from None
        if guessed:
            examples = sorted({part for name in names for part in name.split("/") if not part.isascii()})
            self.notes.append(
                f"The names in the zip are not in UTF-8 and were read as {guessed}: {some(examples)}. If they look "
                "wrong, name their encoding as name_encoding of the dataset in params.yaml."
            )
        return names

    def _checked_members(self, names: list[str]) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        folders, system = set(), set()
        for info, name in zip(self._zip.infolist(), names, strict=True):
            shown = shortened(name)
            if leaves_the_folder(name):
                raise InputError(f"{self.name}: the name {shown!r} in it leaves the archive; such a zip is refused")
            if entry := system_entry(name.rstrip("/")):
                system.add(entry)
                continue
            if name.endswith("/"):
                folders.add(name)
                continue
            if info.flag_bits & 0x1:
                raise InputError(f"{self.name}: {shown!r} in it is encrypted; give an archive without a password")
            if name in members:
                raise InputError(f"{self.name}: {shown!r} is in it twice; pack it again")
            members[name] = info
        if sum(info.compress_size for info in members.values()) > self.size_bytes:
            raise InputError(f"{self.name}: its members overlap, as in a zip bomb; such a zip is refused")
        # A folder's name is that of a prefix of all that lies in it.
        used = {name[: place + 1] for name in {*members, *folders} for place in _slashes(name[:-1])}
        self.unused = Unused(
            unread=[name for name in members if not is_read(name)],
            system=sorted(system),
            empty_folders=sorted(folder.rstrip("/") for folder in folders - used),
        )
        return members


def _no_zip(path: Path, error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "this file may not be read; change its permissions"
    try:
        known = instead_of_zip(path)
    except OSError:
        known = None
    return known or f"this is no complete zip ({error}); if it was copied or downloaded, do that again"


def _slashes(name: str) -> list[int]:
    return [place for place, letter in enumerate(name) if letter == "/"]


def leaves_the_folder(name: str) -> bool:
    """Tell whether a name is absolute or climbs with `..`, on any system."""
    name = name.replace("\\", "/")
    return name.startswith("/") or _DRIVE.match(name) is not None or ".." in name.split("/") or "\0" in name
