"""The one error that a user can cause, and how a command reports it."""

import functools
import sys
from collections.abc import Callable


class InputError(Exception):
    """Something that the user gave is wrong; the message names the file, what is wrong and what to do next."""


def reports_input_errors(command: Callable[[], None]) -> Callable[[], None]:
    """Make a command print an InputError as one message on stderr and exit with code 2, without a traceback."""

    @functools.wraps(command)
    def guarded() -> None:
        try:
            command()
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)

    return guarded
