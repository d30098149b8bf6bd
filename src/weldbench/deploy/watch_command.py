"""The command `weldbench watch`."""

import argparse
from pathlib import Path

from weldbench.deploy.options import add_decision_options
from weldbench.errors import InputError

_EPILOG = """\
The record is a SQLite file, to be read at any time: its table `decisions` has every frame once, `welds` every run,
`alarms` every alarm. A new start with the same record goes on where the last one ended, however it ended. Ctrl-C stops:
what is complete is judged first, and the exit code is 0; it is 2 for bad input."""


def add_watch(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to those of `weldbench`."""
    parser = commands.add_parser("watch", help="judge frames as they arrive in a folder", epilog=_EPILOG)
    add_decision_options(parser)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="that frames arrive in; each subfolder is a run")
    parser.add_argument(
        "--record", type=Path, required=True, metavar="FILE", help="SQLite file for the decisions, on a local disk"
    )
    parser.add_argument(
        "--poll",
        type=float,
        metavar="SECONDS",
        help="look this often, for network shares; default: the system's events",
    )
    parser.add_argument("--only-new", action="store_true", help="leave out what lies there at the first start")
    parser.add_argument(
        "--alarm", metavar="RULE", help='"3 of 5": when 3 of the last 5 frames of a run are defects or unknown'
    )
    parser.add_argument(
        "--on-alarm",
        metavar="COMMAND",
        help="run by the shell; the alarm's facts are in its environment, WELDBENCH_...",
    )
    parser.add_argument(
        "--broken-after",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="record a file that cannot be read when it has not changed for so long; default: 10",
    )
    parser.set_defaults(run=_watch)


def _watch(arguments: argparse.Namespace) -> None:
    try:
        import watchdog  # noqa: F401
    except ModuleNotFoundError:
        raise InputError("weldbench watch needs one package more; run `pip install 'weldbench[watch]'`") from None
    from weldbench.deploy.watch import WatchSettings, watch
    from weldbench.deploy.watch_alarm import AlarmRule

    settings = WatchSettings(
        folder=arguments.folder,
        record=arguments.record,
        poll_seconds=arguments.poll,
        only_new=arguments.only_new,
        broken_after_seconds=arguments.broken_after,
        alarm=AlarmRule.of(arguments.alarm) if arguments.alarm is not None else None,
        on_alarm=arguments.on_alarm,
        false_rejects=arguments.false_rejects,
        keep_promise=arguments.promise,
        vote_frames=arguments.vote,
        runtime=arguments.runtime,
    )
    watch(arguments.export, settings)
