"""The command `weldbench doctor`."""

import argparse
import json
from dataclasses import asdict

from weldbench.runtime.text import counted

_EPILOG = """\
Each line is ok, warning or failure: a name, what was found and, where it is not well, what mends it. Nothing is
changed. Exit codes: 0; 1 where anything is a failure."""


def add_doctor(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand to those of `weldbench`."""
    parser = commands.add_parser("doctor", help="is this machine ready for a run? what mends it if not", epilog=_EPILOG)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from weldbench.planning.doctor import examine

    findings = []
    for finding in examine():
        findings.append(finding)
        if not arguments.json:
            print(finding.line(), flush=True)
    states = [finding.state for finding in findings]
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        warnings, failures = states.count("warning"), states.count("failure")
        print(f"{counted(failures, 'failure')}, {counted(warnings, 'warning')}")
    return int("failure" in states)
