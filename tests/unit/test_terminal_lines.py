"""What the terminal says of a job that did not end, by its log."""

import logging
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_weldbench import LogHandler


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("KeyboardInterrupt", "stopped by Ctrl-C after 0 s: train conv6, seed 1; the same command goes on"),
        (
            "error: the disk is full",
            "FAILED after 0 s: train conv6, seed 1\n    Traceback\n    error: the disk is full\n",
        ),
    ],
)
def test_a_job_that_a_person_stopped_is_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], last: str, expected: str
) -> None:
    log = tmp_path / "train.log"
    log.write_text(f"Traceback\n{last}\n", encoding="utf-8")
    settings = dict.fromkeys(("verbose", "dryrun", "show_failed_logs", "debug_dag", "printshellcmds"), False)
    handler = LogHandler(SimpleNamespace(**settings, quiet=set()), None)
    started = {"jobid": 1, "rule_name": "train", "log": [str(log)], "wildcards": {"model": "conv6", "seed": "1"}}
    for event, facts in ((LogEvent.JOB_INFO, started), (LogEvent.JOB_ERROR, {"jobid": 1, "rule_name": "train"})):
        handler.emit(logging.makeLogRecord({"event": event, **facts}))
    assert expected in re.sub(r"after \d+ s", "after 0 s", capsys.readouterr().err)
