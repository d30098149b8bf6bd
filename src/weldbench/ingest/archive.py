"""Reading members out of a zip that anyone may have made."""

import contextlib
import lzma
import re
import unicodedata
import zipfile
import zlib
from pathlib import Path
from typing import Self

from weldbench.errors import BadFrameError, InputError

# The largest member that is read, and so the most that a compressed member may unfold to.
MAX_MEMBER_BYTES = 256 * 2**20
# What zipfile raises for damaged bytes of a member, by kind of compression.
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RuntimeError)

_DRIVE = re.compile(r"^[A-Za-z]:")
_BY_THE_SYSTEM = re.compile(r"(^|/)(__MACOSX|\.DS_Store|Thumbs\.db|\._[^/]*)(/|$)")


class Archive:
    """A zip whose directory has been checked; members are read in memory, and nothing is ever extracted.

    Args:
        path: The zip.
        name: How messages call it; None means `path`.

    Raises:
        InputError: There is no such file, it is no complete zip, a name leaves the archive or occurs twice,
            or a member is encrypted.
    """

    def __init__(self, path: Path | str, name: str | None = None):
        self.name = name or str(path)
        try:
            self._zip = zipfile.ZipFile(path)
            size_bytes = Path(path).stat().st_size
        except FileNotFoundError:
            raise InputError(f"{self.name}: there is no such file") from None
        except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, ValueError, NotImplementedError) as error:
            raise InputError(
                f"{self.name}: this is no complete zip ({error}); if it was copied or downloaded, do that again"
            ) from None
        try:
            self._members = self._checked_members(size_bytes)
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

    def _checked_members(self, size_bytes: int) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            name = _readable_name(info)
            if leaves_the_folder(name):
                raise InputError(f"{self.name}: the name {name!r} in it leaves the archive; such a zip is refused")
            if info.is_dir() or _BY_THE_SYSTEM.search(name):
                continue
            if info.flag_bits & 0x1:
                raise InputError(f"{self.name}: {name!r} in it is encrypted; give an archive without a password")
            if name in members:
                raise InputError(f"{self.name}: {name!r} stands in it twice; pack it anew")
            members[name] = info
        if sum(info.compress_size for info in members.values()) > size_bytes:
            raise InputError(f"{self.name}: its members overlap, as in a zip bomb; such a zip is refused")
        return members


def leaves_the_folder(name: str) -> bool:
    """Tell whether a name is absolute or climbs with `..`, on any system."""
    name = name.replace("\\", "/")
    return name.startswith("/") or _DRIVE.match(name) is not None or ".." in name.split("/") or "\0" in name


def composed(name: str) -> str:
    """Return a name in Unicode's composed form, as some systems store letters and their accents apart."""
    return unicodedata.normalize("NFC", name)


def _readable_name(info: zipfile.ZipInfo) -> str:
    # Without the UTF-8 flag zipfile decodes names as cp437, yet several packers write UTF-8 there all the same.
    name = info.filename
    if not info.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return composed(name.replace("\\", "/"))
