"""What the entry point of every script has in common."""

import functools
import os
import sys
from collections.abc import Callable

from weldbench.engine_lock import take_engine_lock
from weldbench.errors import InputError


def command(main: Callable[[], None]) -> Callable[[], None]:
    """Run `main` as a command: an InputError ends it with one message on stderr and exit code 2.

    As a stage of DVC, which names it in the environment, it works under the lock of the folder; Snakemake holds that
    lock itself.
    """

    @functools.wraps(main)
    def run() -> None:
        try:
            lock = take_engine_lock("dvc") if "DVC_STAGE" in os.environ else None
            main()
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)
        if lock:
            lock.release()

    return run
