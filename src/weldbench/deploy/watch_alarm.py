"""When the last frames of a run are an alarm."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from weldbench.errors import InputError


@dataclass(frozen=True)
class AlarmRule:
    """So many defects among so many frames of one run are an alarm."""

    defects: int
    frames: int

    @classmethod
    def of(cls, text: str) -> "AlarmRule":
        """Read a rule such as `3 of 5`.

        Raises:
            InputError: It is not of this form, or asks for more defects than frames.
        """
        match = re.fullmatch(r"\s*(\d{1,6})\s+of\s+(\d{1,6})\s*", text, re.ASCII)
        rule = cls(int(match[1]), int(match[2])) if match else None
        if rule is None or not 1 <= rule.defects <= rule.frames:
            raise InputError(
                f'--alarm "{text}": this is no rule for alarms; write "3 of 5" for an alarm when 3 of the last 5 '
                "frames of a run are defects"
            )
        return rule

    def begins(self, before: Sequence[bool], is_defect: bool) -> bool:
        """Tell whether the newest frame starts an alarm; while the condition goes on holding, none starts again.

        Args:
            before: Which of the frames before it in its run are defects, the oldest first.
            is_defect: Whether the newest frame is.

        Example:
            >>> rule = AlarmRule(2, 3)
            >>> film = [True, False, True, True, False, False, True, True]
            >>> [rule.begins(film[:end], film[end]) for end in range(8)]
            [False, False, True, False, False, False, False, True]
        """
        return self.count(before) < self.defects <= self.count([*before, is_defect])

    def count(self, decisions: Sequence[bool]) -> int:
        """Count the defects in the window that ends with the last of the decisions."""
        return sum(decisions[-self.frames :])

    def __str__(self) -> str:
        return f"{self.defects} of {self.frames}"
