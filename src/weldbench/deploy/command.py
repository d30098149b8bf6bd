"""The command `weldbench predict`."""

import argparse
import sys
from pathlib import Path

from weldbench.deploy.options import add_decision_options
from weldbench.deploy.output import FORMATS, row_writer
from weldbench.errors import InputError
from weldbench.runtime.text import counted

FOUND_DEFECT, INTERRUPTED = 3, 130

_EPILOG = """\
Each frame is a row: source, frame, seconds (of a video), class, the probability of every class (p_...), decision, vote,
error. A frame that cannot be read is a row with its error. The vote goes over the last frames of a film: a video, or
the pictures of one folder in the order of their names. Exit codes: 0; 2 for bad input; 3 for --fail-on-defect where a
vote said defect."""


def add_predict(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to those of `weldbench`."""
    parser = commands.add_parser("predict", help="judge frames with an exported model", epilog=_EPILOG)
    add_decision_options(parser)
    parser.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="picture, folder, zip or video; `-` reads paths, one a line"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write the rows; default: the terminal")
    parser.add_argument("--format", choices=FORMATS, help="default: that of FILE's suffix, or csv")
    parser.add_argument("--explain", type=Path, metavar="DIR", help="write each defective frame with its heat map here")
    parser.add_argument("--threads", type=int, default=1, help="that the network may use; default: 1")
    parser.add_argument("--fail-on-defect", action="store_true", help="exit with 3 where a vote said defect")
    parser.set_defaults(run=_predict)


def _predict(arguments: argparse.Namespace) -> int:
    from weldbench.deploy.bundle import load_bundle
    from weldbench.deploy.decision import Rule
    from weldbench.deploy.predict import Judgment, judge
    from weldbench.deploy.read_ahead import read_ahead
    from weldbench.deploy.runtimes import open_session
    from weldbench.deploy.sources import LIST, SourceFrame, count_frames, frames_of
    from weldbench.runtime.progress import track

    if arguments.threads < 1:
        raise InputError(f"--threads is {arguments.threads}; it has to be at least 1")
    bundle = load_bundle(arguments.export)
    rule = Rule(bundle, arguments.false_rejects, arguments.vote)
    total = count_frames(arguments.sources)
    session = open_session(bundle, arguments.runtime, arguments.threads)
    threshold = "the most probable class decides" if rule.threshold is None else f"threshold {rule.threshold:.6f}"
    print(
        f"{bundle.model} in {session.runtime}, {'8-bit' if session.is_int8 else 'float32'}; {threshold}, "
        f"vote over {counted(rule.vote_frames, 'frame')}",
        file=sys.stderr,
    )
    columns = Judgment(SourceFrame("", "", None)).row(bundle.classes)
    form = arguments.format or ("jsonl" if arguments.output and arguments.output.suffix == ".jsonl" else "csv")
    judged = unread = defects = 0
    interrupted = False
    try:
        with row_writer(arguments.output, form, list(columns)) as write:
            frames = frames_of(arguments.sources)
            if LIST not in arguments.sources:  # whoever writes a list may wait for the answer
                frames = read_ahead(frames)
            for judgment in judge(session, rule, track(frames, "predict", total), arguments.explain):
                write(judgment.row(bundle.classes))
                judged += 1
                unread += judgment.is_defect is None
                defects += judgment.vote is True
    except KeyboardInterrupt:
        interrupted = True
    said = f"{counted(judged, 'frame')}, {unread} of them not readable; the vote said defect at {defects}"
    print(f"{'interrupted after ' if interrupted else ''}{said}", file=sys.stderr)
    if interrupted:
        return INTERRUPTED
    return FOUND_DEFECT if arguments.fail_on_defect and defects else 0
