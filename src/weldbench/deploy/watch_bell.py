"""How the alarms of a record are given: printed, and told to a command, at least once each."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from weldbench.deploy.watch_database import Database, now, open_database
from weldbench.deploy.watch_look import shown
from weldbench.errors import InputError
from weldbench.runtime.text import counted

_SECONDS_FOR_COMMAND = 60.0
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 1.0, 60.0


@dataclass(frozen=True)
class Alarm:
    """An alarm of the record, with the frame that started it."""

    number: int
    rule: str
    defects: int
    unknown: int
    raised_at: str
    frame: int
    path: str
    run: str
    class_name: str

    @property
    def sentence(self) -> str:
        """Say it for the terminal."""
        frames, where = self.rule.split()[-1], f" in {shown(self.run)}" if self.run else ""
        frame = f"{shown(self.path)} ({self.class_name})"
        kinds = ", ".join([counted(self.defects, "defect"), *([f"{self.unknown} unknown"] if self.unknown else [])])
        rejected = f"{self.defects + self.unknown} of the last {frames} frames{where} are not good ({kinds})"
        return f"{rejected}, the last one {frame}"

    def environment(self, folder: Path, record: Path) -> dict[str, str]:
        """Return the facts as environment variables for the command of --on-alarm."""
        return {
            "WELDBENCH_ALARM": str(self.number),
            "WELDBENCH_ALARM_RULE": self.rule,
            "WELDBENCH_ALARM_DEFECTS": str(self.defects),
            "WELDBENCH_ALARM_UNKNOWN": str(self.unknown),
            "WELDBENCH_ALARM_TIME": self.raised_at,
            "WELDBENCH_ALARM_RUN": self.run,
            "WELDBENCH_ALARM_FRAME": self.path,
            "WELDBENCH_ALARM_FRAME_NUMBER": str(self.frame),
            "WELDBENCH_ALARM_CLASS": self.class_name,
            "WELDBENCH_FOLDER": str(folder.absolute()),
            "WELDBENCH_RECORD": str(record.absolute()),
        }


class Bell(threading.Thread):
    """Gives the alarms that stand in the record as not yet given, beside the judging, until `finish`.

    An alarm is given when it is printed and the command, if there is one, has ended with 0. Otherwise it is tried
    again, also after a restart. So a command may be called twice for one alarm, but no alarm is lost.

    Attributes:
        error: Why no more alarms can be given; None while they can.
    """

    def __init__(self, record: Path, folder: Path, command: str | None):
        super().__init__(name="alarms", daemon=True)
        self._record_path, self._folder, self._command = record, folder, command
        self._wake, self._finish, self._abandon = threading.Event(), threading.Event(), threading.Event()
        self._printed: set[int] = set()
        self.error: InputError | None = None

    def ring(self) -> None:
        """Look into the record for alarms now."""
        self._wake.set()

    def finish(self) -> None:
        """Give what is there, each alarm once more, and end."""
        self._finish.set()
        self._wake.set()

    def abandon(self) -> None:
        """End a command that is running, and leave the rest to the next start."""
        self._abandon.set()
        self.finish()

    def run(self) -> None:
        """Give alarms as they come, until `finish`; what is wrong with the record ends it and stands in `error`."""
        try:
            self._give_all()
        except InputError as error:
            self.error = error

    def _give_all(self) -> None:
        wait_seconds: float | None = None
        with open_database(self._record_path) as database:
            while True:
                self._wake.wait(wait_seconds)
                self._wake.clear()
                last_round = self._finish.is_set()
                failed = [alarm for alarm in _waiting(database) if not self._give(database, alarm)]
                if last_round:
                    if failed:
                        _say(f"alarms that could not be given: {len(failed)}; the next start tries them again")
                    return
                # A command that fails now will often fail in a second: wait longer after each round.
                longer = min(2 * wait_seconds, _LONGEST_WAIT_SECONDS) if wait_seconds else _FIRST_WAIT_SECONDS
                wait_seconds = longer if failed else None

    def _give(self, database: Database, alarm: Alarm) -> bool:
        if self._abandon.is_set():
            return False
        if alarm.number not in self._printed:
            _say(f"ALARM {alarm.number}: {alarm.sentence}")
            self._printed.add(alarm.number)
        failure = self._call(self._command, alarm) if self._command else None
        with database.writing():
            given = (None if failure else now(), failure, alarm.number)
            database.execute("UPDATE alarms SET given_at = ?, failure = ? WHERE alarm = ?", given)
        if failure:
            _say(f"alarm {alarm.number}: the command of --on-alarm {failure}; it is tried again")
        return failure is None

    def _call(self, command: str, alarm: Alarm) -> str | None:
        """Run the command through the shell; return what went wrong, if anything.

        The alarm's facts are in its environment, never part of its text: no name of a file is run by the shell.
        """
        facts = alarm.environment(self._folder, self._record_path)
        try:
            process = subprocess.Popen(
                command, shell=True, env={**os.environ, **facts}, stdin=subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            return f"cannot be started ({error.strerror})"
        waits = int(_SECONDS_FOR_COMMAND / 0.1)
        while waits and not self._abandon.is_set():
            waits -= 1
            try:
                code = process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            return f"ended with {code}" if code else None
        _end_group(process)
        return "was stopped" if self._abandon.is_set() else f"was stopped after {_SECONDS_FOR_COMMAND:.0f} seconds"


def _waiting(database: Database) -> list[Alarm]:
    rows = database.execute(
        "SELECT alarm, rule, defects, unknown, raised_at, frame, path, run, class FROM alarms "
        "JOIN decisions USING (frame) WHERE given_at IS NULL ORDER BY alarm"
    )
    return [Alarm(*row) for row in rows.fetchall()]


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """End a command with all that it started."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
