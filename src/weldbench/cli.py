"""The command `weldbench`: what concerns the two engines together."""

import argparse
from pathlib import Path

from weldbench.pipeline.command import command


@command
def main() -> None:
    """Run one subcommand of `weldbench`."""
    parser = argparse.ArgumentParser(prog="weldbench", description=__doc__)
    commands = parser.add_subparsers(required=True)
    sync = commands.add_parser(
        "sync", help="after one engine ran, or after `dvc pull`: the other accepts what is there"
    )
    sync.set_defaults(run=_sync)
    check = commands.add_parser("check", help="is params.yaml valid? says which key is wrong, where DVC cannot")
    check.set_defaults(run=_check)
    verify = commands.add_parser("verify", help="does what lies in results/ belong to this commit, params and data?")
    verify.add_argument("--dataset", help="default: the one that params.yaml names")
    verify.set_defaults(run=_verify)
    _add_watch(commands.add_parser("watch", help="judge frames as they arrive in a folder, and record the decisions"))
    _add_serve(commands.add_parser("serve", help="judge frames over HTTP, with a page for people"))
    arguments = parser.parse_args()
    arguments.run(arguments)


def _check(arguments: argparse.Namespace) -> None:
    from weldbench.config import load_params

    load_params()
    print("params.yaml is valid")


def _sync(arguments: argparse.Namespace) -> None:
    from weldbench.pipeline.sync import synchronize

    for sentence in synchronize():
        print(sentence)


def _verify(arguments: argparse.Namespace) -> None:
    from weldbench.config import load_params
    from weldbench.errors import InputError
    from weldbench.pipeline.consistency import AGAIN, contradictions, deviations, missing
    from weldbench.pipeline.lineage import differences
    from weldbench.pipeline.provenance import Project

    params = load_params()
    dataset = arguments.dataset or params.dataset
    found = differences(dataset, Path("results") / dataset / "lineage.json")
    records = Project.here(params, dataset).all_records()
    found += missing(records)
    found += [f"{path}: {told}" for path, said in contradictions(records, large_files=True).items() for told in said]
    found += deviations(records, Path("requirements.lock"))
    if found:
        raise InputError("\n  - ".join([f"results/{dataset} does not belong to what is here", *found]) + f"\n{AGAIN}")
    print(f"results/{dataset} belongs to this code, params.yaml, data and lock, as do the networks and predictions")


def _add_watch(watch: argparse.ArgumentParser) -> None:
    watch.add_argument("export", type=Path, help="folder of an exported model")
    watch.add_argument("folder", type=Path, help="that the frames arrive in; each subfolder is a run")
    watch.add_argument("--record", type=Path, required=True, help="SQLite file for the decisions, on a local disk")
    watch.add_argument(
        "--poll",
        type=float,
        metavar="SECONDS",
        help="look this often, as on a network share; else by the system's events",
    )
    watch.add_argument("--only-new", action="store_true", help="leave out what lies there at the first start")
    watch.add_argument("--alarm", metavar="RULE", help='such as "3 of 5": 3 of the last 5 frames of a run are defects')
    watch.add_argument(
        "--on-alarm", metavar="COMMAND", help="for the shell; finds the alarm's facts in its environment, WELDBENCH_..."
    )
    watch.add_argument(
        "--broken-after",
        type=float,
        default=10.0,
        metavar="SECONDS",
        help="a file that cannot be read and has not changed for so long is recorded as broken (%(default)s)",
    )
    _add_rule(watch)
    watch.set_defaults(run=_watch)


def _add_serve(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("export", type=Path, help="folder of an exported model")
    serve.add_argument("--host", default="127.0.0.1", help="address; any but this machine's own demands a token")
    serve.add_argument("--port", type=int, default=8000, help="0 for a free one (%(default)s)")
    serve.add_argument(
        "--token-file", type=Path, metavar="FILE", help="the token that clients must send; else WELDBENCH_TOKEN, if set"
    )
    _add_rule(serve)
    serve.set_defaults(run=_serve)


def _add_rule(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--false-rejects",
        type=float,
        metavar="SHARE",
        help="of good frames that may be rejected; default: 0.01 or near",
    )
    parser.add_argument("--vote", type=int, metavar="FRAMES", help="window of the vote; default: that of the export")
    parser.add_argument("--runtime", choices=["auto", "onnxruntime", "openvino"], default="auto")


def _watch(arguments: argparse.Namespace) -> None:
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
        vote_frames=arguments.vote,
        runtime=arguments.runtime,
    )
    watch(arguments.export, settings)


def _serve(arguments: argparse.Namespace) -> None:
    from weldbench.deploy.serve.server import serve

    serve(
        arguments.export,
        host=arguments.host,
        port=arguments.port,
        token_file=arguments.token_file,
        false_rejects=arguments.false_rejects,
        vote_frames=arguments.vote,
        runtime=arguments.runtime,
    )
