"""The command `weldbench predict`."""

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from weldbench.deploy.options import add_decision_options
from weldbench.deploy.output import FORMATS, row_writer
from weldbench.errors import InputError
from weldbench.pipeline.command import INTERRUPTED
from weldbench.runtime.text import counted

if TYPE_CHECKING:
    from weldbench.deploy.judge import Judge

FOUND_DEFECT, FOUND_UNKNOWN = 3, 4

_EPILOG = """\
Each frame is a row: source, frame, seconds (of a video), class, the probability of every class as the network says it
(p_...) and calibrated on valid (calibrated_...), novelty, decision (good, defect, or unknown: like no frame that the
model learned from), vote, error. A frame that cannot be read is a row with its error. The vote goes over the last
frames of a weld: a video, or the pictures of one folder in the order of their names. A weld is rejected if its vote
ever says defect or unknown. Exit codes: 0; 2 for bad input; 130 after Ctrl-C, the rows so far being written; with
--fail-on-defect 3 where a vote said defect, or else 4 where one said unknown."""


def add_predict(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to those of `weldbench`."""
    parser = commands.add_parser("predict", help="judge frames with an exported model", epilog=_EPILOG)
    add_decision_options(parser)
    parser.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="picture, folder, zip or video; `-` reads paths, one a line"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write the rows; default: the terminal")
    parser.add_argument("--welds", type=Path, metavar="FILE", help="write a row for each weld: rejected or passed")
    parser.add_argument("--format", choices=FORMATS, help="default: that of FILE's suffix, or csv")
    parser.add_argument(
        "--explain", type=Path, metavar="FOLDER", help="write each frame that is not good with its heat map"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="that the network may use; default: 1")
    parser.add_argument(
        "--fail-on-defect", action="store_true", help="exit with 3 where a vote said defect, 4 for unknown"
    )
    parser.set_defaults(run=_predict)


def _predict(arguments: argparse.Namespace) -> int:
    from weldbench.deploy.bundle import load_bundle
    from weldbench.deploy.decision import Decision, Rule
    from weldbench.deploy.judge import Judge
    from weldbench.deploy.predict import Judgment, drift_told, judgments
    from weldbench.deploy.read_ahead import read_ahead
    from weldbench.deploy.sources import LIST, SourceFrame, count_frames, frames_of
    from weldbench.deploy.weld_summary import WeldSummary
    from weldbench.runtime.progress import track

    if arguments.threads < 1:
        raise InputError(f"--threads is {arguments.threads}; it has to be at least 1")
    if arguments.welds and arguments.welds == arguments.output:
        raise InputError(f"{arguments.welds}: --welds and --output name the same file; name two")
    bundle = load_bundle(arguments.export)
    rule = Rule(bundle, arguments.false_rejects, arguments.vote, arguments.promise)
    total = count_frames(arguments.sources)
    judge = Judge.of(bundle, rule, arguments.runtime, arguments.threads)
    _introduce(judge)
    columns = Judgment(SourceFrame("", "", None)).row(bundle.classes)
    votes: Counter[Decision | None] = Counter()
    welds, drift = WeldSummary(), judge.drift()
    interrupted = False
    try:
        with row_writer(arguments.output, _form(arguments.output, arguments.format), list(columns)) as write:
            frames = frames_of(arguments.sources)
            if LIST not in arguments.sources:  # whoever writes a list may wait for the answer
                frames = read_ahead(frames)
            for judgment in judgments(judge, track(frames, "predict", total), arguments.explain):
                write(judgment.row(bundle.classes))
                votes[judgment.vote] += 1
                welds.add(judgment)
                _say(drift_told(drift, judgment))
        _say(drift.finish() if drift else None)
    except KeyboardInterrupt:
        interrupted = True
    if arguments.welds:
        with row_writer(arguments.welds, _form(arguments.welds, arguments.format), welds.COLUMNS) as write:
            for weld in welds.welds.values():
                write(weld.row())
    defects, unknown = votes[Decision.DEFECT], votes[Decision.UNKNOWN]
    said = f"{counted(votes.total(), 'frame')}, {votes[None]} of them not readable; the vote said defect at {defects}"
    said += f", unknown at {unknown}" if judge.novelty else ""
    print(f"{'interrupted after ' if interrupted else ''}{said}\n{welds.sentences()}", file=sys.stderr)
    _say(drift.summary() if drift else bundle.drift)
    if interrupted:
        return INTERRUPTED
    if not arguments.fail_on_defect:
        return 0
    return FOUND_DEFECT if defects else FOUND_UNKNOWN if unknown else 0


def _say(sentence: str | None) -> None:
    if sentence:
        print(sentence, file=sys.stderr)


def _introduce(judge: "Judge") -> None:
    rule, session = judge.rule, judge.session
    threshold = "the most probable class decides" if rule.threshold is None else f"threshold {rule.threshold:.6f}"
    print(
        f"{judge.bundle.model} in {session.runtime}, {'8-bit' if session.is_int8 else 'float32'}; {threshold}, "
        f"vote over {counted(rule.vote_frames, 'frame')}",
        file=sys.stderr,
    )
    if rule.promise:
        print(rule.promise.told, file=sys.stderr)
    elif rule.threshold is not None and judge.bundle.uncalibrated:
        print(
            f"the threshold is uncalibrated, as {judge.bundle.uncalibrated}: it may reject quite another share of good "
            f"frames than {rule.false_rejects:g}",
            file=sys.stderr,
        )


def _form(output: Path | None, chosen: str | None) -> str:
    return chosen or ("jsonl" if output and output.suffix == ".jsonl" else "csv")
