"""What the entry point of every script has in common."""

import functools
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from weldbench.errors import InputError
from weldbench.pipeline.lock import release_engine_lock, take_engine_lock
from weldbench.pipeline.sources import PACKAGE
from weldbench.runtime.disk import refusal

INTERRUPTED = 130  # the exit code of what Ctrl-C ended, as shells have it


def command(main: Callable[[], None], of_any_code: bool = False) -> Callable[[], None]:
    """Run `main` as a command: an InputError ends it with one message on stderr and exit code 2.

    So does what the operating system refuses about a file: a folder in its place, a missing right, a full disk. Ctrl-C
    ends it with exit code 130, where `main` has no other end for it.

    As a stage of DVC, which names it in the environment, it works under the lock of the folder; Snakemake holds that
    lock itself. In the root of a project it is that project's own weldbench that runs, or nothing: the engines watch
    `src`, and an installed copy of another checkout would compute what they know nothing of. With `of_any_code` it runs
    all the same, as what tells of that.
    """

    @functools.wraps(main)
    def run() -> None:
        try:
            if not of_any_code:
                _refuse_other_code()
            if "DVC_STAGE" in os.environ:
                take_engine_lock("dvc")
            main()
        except InputError as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(2)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            # Whoever read the output has had enough, as `head`; what is left of it goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except OSError as error:
            # What no writer of ours names: a folder where a file is meant, a library's temporary file.
            said = refusal(error) or (error.strerror if error.filename else None)
            if not said:
                raise
            print(f"error: {error.filename or tempfile.gettempdir()}: {said}", file=sys.stderr)
            sys.exit(2)
        finally:
            release_engine_lock()

    return run


def _refuse_other_code() -> None:
    running, here = Path(__file__).parents[1], PACKAGE
    if (here / "cli.py").is_file() and not here.samefile(running):
        raise InputError(
            f"{running}: this weldbench is installed from elsewhere, and {here.absolute()} is not what would run; "
            "run `pip install --no-deps -e .` here, or put PYTHONPATH=src before the command"
        )
