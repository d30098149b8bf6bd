"""What the doctor says about one thing."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "failure"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: Of the thing, such as `free disk`.
        found: What was found, in one line.
        state: `failure` stops a run, or spoils it; `warning` may do so, or concerns only some uses.
        remedy: A command or an edit that mends it; empty where all is well.
    """

    name: str
    found: str
    state: State = "ok"
    remedy: str = ""

    def line(self) -> str:
        """Return the finding as one line of text."""
        mend = f"; to mend it: {self.remedy}" if self.remedy else ""
        return " ".join(f"{self.state:<8} {self.name}: {self.found}{mend}".split("\n"))


def gib(size_bytes: float) -> str:
    """Return a size such as `1.5 GiB`, or `12 MiB` below a tenth of a GiB."""
    return f"{size_bytes / 2**30:.1f} GiB" if size_bytes >= 0.1 * 2**30 else f"{size_bytes / 2**20:.0f} MiB"
