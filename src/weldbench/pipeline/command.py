"""What the entry point of every script has in common."""

import functools
import os
import sys
from collections.abc import Callable

from weldbench.errors import InputError
from weldbench.pipeline.lock import release_engine_lock, take_engine_lock


def command(main: Callable[[], None]) -> Callable[[], None]:
    """Run `main` as a command: an InputError ends it with one message on stderr and exit code 2.

    So does what the operating system refuses about a file: a folder in its place, a missing right, a full disk.

    As a stage of DVC, which names it in the environment, it works under the lock of the folder; Snakemake holds that
    lock itself.
    """

    @functools.wraps(main)
    def run() -> None:
        try:
            if "DVC_STAGE" in os.environ:
                take_engine_lock("dvc")
            main()
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)
        except OSError as error:
            if error.filename is None:
                raise
            print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
            sys.exit(2)
        finally:
            release_engine_lock()

    return run
