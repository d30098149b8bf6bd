"""What Snakemake says on the terminal: few short lines, and of a failure the job's own message."""

import os
import re
from pathlib import Path

import pytest
from workflow.conftest import run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]  # the whole run among them


def test_a_run_tells_a_line_per_job_and_no_long_line(project: Path) -> None:
    earlier = project / "results/weldsim/tables/comparison.md"
    earlier.parent.mkdir(parents=True, exist_ok=True)
    earlier.write_text("of an earlier run")
    os.utime(earlier, (0, 0))
    lines = run(project, "snakemake", "--cores", "2", "data/weldsim/split/fold0/split.csv").splitlines()
    assert "The table:" not in "\n".join(lines)
    assert "The report:" not in "\n".join(lines)
    ended = [line for line in lines if line[:1].isdigit()]
    assert [line.rpartition(": ")[0] for line in ended] == [
        "1/3 fetch weldsim",
        "2/3 ingest weldsim",
        "3/3 split weldsim, fold 0",
    ]
    assert max(map(len, lines)) <= 120
    assert not [line for line in lines if line.startswith((" ", "\t")) and "input:" in line]
    # Whatever a job found is told, and stands in its log too; counters stand there alone.
    told = " ".join(line.strip() for line in lines)
    log = (project / "logs/weldsim/split-fold0.log").read_text(encoding="utf-8").splitlines()
    notes = [line for line in log if line.startswith("split weldsim: ")]
    assert len(notes) > 2
    assert all(note in told for note in notes)
    assert "frames/s" not in told


def test_a_whole_run_has_at_most_100_lines_and_ends_with_its_conclusion(finished: Path, after_snakemake: Path) -> None:
    lines = (finished.parent / "said.log").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 100
    assert max(map(len, lines)) <= 120
    end = " ".join(lines[-12:])
    assert "has the highest macro F1" in end
    assert "The table:  results/weldsim/tables/comparison.md" in lines
    assert "The report: results/weldsim/report.html" in lines
    again = run(after_snakemake, "snakemake", "--cores", "2").splitlines()
    assert "Nothing to be done (all requested files are present and up to date)." in again
    assert "Job stats:" in run(after_snakemake, "snakemake", "--cores", "2", "--dry-run", "--forceall")


def test_a_failure_shows_the_own_message_of_the_job(project: Path) -> None:
    run(project, "snakemake", "--cores", "2", "data/weldsim/archive.zip")
    (project / "data/weldsim/archive.zip").write_bytes(b"not a zip")
    said = run(project, "snakemake", "--cores", "2", "data/weldsim/manifest.csv", code=1)
    assert "FAILED after" in said
    log = project / "logs/weldsim/ingest.log"
    assert log.read_text(encoding="utf-8").strip().splitlines()[-1] in said
    assert f"The whole log: {log.relative_to(project)}" in said
    assert len(said.splitlines()) < 12
    assert "Shell command" not in said
    assert "input: " not in said
    everything = run(project, "snakemake", "--cores", "2", "--verbose", "data/weldsim/manifest.csv", code=1)
    assert "Error in rule ingest" in everything


def test_what_an_older_params_yaml_lacks_is_named_with_its_default(project: Path) -> None:
    path = project / "params.yaml"
    given = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"\n  escape_rate: .*", "", given), encoding="utf-8")
    told = "params.yaml: compare.escape_rate is missing, which a stage depends on; add it, its default is 0.05"
    assert told in run(project, "snakemake", "--cores", "2", "--dry-run", code=1)
