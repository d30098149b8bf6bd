"""When the last frames of a run are an alarm."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from weldbench.errors import InputError


@dataclass(frozen=True)
class AlarmRule:
    """So many frames that are not good, defects or unknown, among so many frames of one run are an alarm."""

    rejected: int
    frames: int

    @classmethod
    def of(cls, text: str) -> "AlarmRule":
        """Read a rule such as `3 of 5`.

        Raises:
            InputError: It is not of this form, or asks for more than there are.
        """
        match = re.fullmatch(r"\s*(\d{1,6})\s+of\s+(\d{1,6})\s*", text, re.ASCII)
        rule = cls(int(match[1]), int(match[2])) if match else None
        if rule is None or not 1 <= rule.rejected <= rule.frames:
            raise InputError(
                f'--alarm "{text}": this is no rule for alarms; write "3 of 5" for an alarm when 3 of the last 5 '
                "frames of a run are not good"
            )
        return rule

    def begins(self, before: Sequence[bool], is_rejected: bool) -> bool:
        """Tell whether the newest frame starts an alarm; while the condition goes on holding, none starts again.

        Args:
            before: Which of the frames before it in its run are not good, the oldest first.
            is_rejected: Whether the newest frame is not.

        Example:
            >>> rule = AlarmRule(2, 3)
            >>> film = [True, False, True, True, False, False, True, True]
            >>> [rule.begins(film[:end], film[end]) for end in range(8)]
            [False, False, True, False, False, False, False, True]
        """
        return self._count(before) < self.rejected <= self._count([*before, is_rejected])

    def _count(self, rejected: Sequence[bool]) -> int:
        return sum(rejected[-self.frames :])

    def __str__(self) -> str:
        return f"{self.rejected} of {self.frames}"
