"""What `weldbench predict`, `watch` and `serve` are all asked: which export decides, how, and in which runtime."""

import argparse
from pathlib import Path

from weldbench.deploy.runtimes import RUNTIMES


def add_decision_options(parser: argparse.ArgumentParser) -> None:
    """Add the export, as the first argument, and the options that `deploy.decision.Rule` and `open_session` take."""
    parser.add_argument("export", type=Path, metavar="EXPORT", help="folder that the stage export wrote")
    threshold = parser.add_mutually_exclusive_group()
    threshold.add_argument(
        "--false-rejects", type=float, metavar="SHARE", help="share of good frames that may be rejected; default: 0.01"
    )
    threshold.add_argument(
        "--promise",
        action="store_true",
        help="decide by the threshold and the vote of which the export promises how few defective welds escape",
    )
    parser.add_argument(
        "--vote", type=int, metavar="FRAMES", help="window of the vote; default: that of the export, or of the promise"
    )
    parser.add_argument("--runtime", choices=RUNTIMES, default="auto", help="default: OpenVINO where it is installed")
