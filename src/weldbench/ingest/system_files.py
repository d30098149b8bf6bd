"""Files that an operating system, a file server or an editor leaves among the data: the one list of them."""

import re
from fnmatch import fnmatchcase

# In lower case, as some systems change the case of names when they copy.
_NAMES = (
    "__macosx",
    "__pycache__",
    "$recycle.bin",
    "recycler",
    "recycled",
    "system volume information",
    "found.[0-9][0-9][0-9]",
    "lost+found",
    "network trash folder",
    "temporary items",
    "@eadir",
    "@tmp",
    "@recycle",
    "@recently-snapshot",
    "#recycle",
    "#snapshot",
    "thumbs.db",
    "thumbs.db:encryptable",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "desktop.ini",
    "icon\r",
    "~$*",
)
# Hidden: `.DS_Store`, `.ipynb_checkpoints`, `.Trash-1000`. A name that begins with two dots is a person's.
_HIDDEN = re.compile(r"\.(?!\.)")


def system_entry(name: str) -> str | None:
    """Return the path of the topmost hidden or system folder or file that the path `name` goes through, if any."""
    parts = name.split("/")
    for depth, part in enumerate(parts, 1):
        if _HIDDEN.match(part) or any(fnmatchcase(part.lower(), pattern) for pattern in _NAMES):
            return "/".join(parts[:depth])
    return None


def kind_of_system_entry(path: str) -> str:
    """Name an entry for a count: `.DS_Store`, `@eaDir`; Apple's `._image.png` and the like are one kind, `._*`."""
    name = path.rpartition("/")[2]
    return "._*" if name.startswith("._") else name
