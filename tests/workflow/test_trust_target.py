"""`snakemake trust`: the drills beyond the comparison, from its trained networks to one page."""

import re
from pathlib import Path

import pytest
from workflow.conftest import run

pytestmark = pytest.mark.long


def test_the_drills_end_in_one_page_and_change_nothing_of_the_comparison(after_snakemake: Path) -> None:
    project = after_snakemake
    before = {path: path.read_bytes() for path in (project / "results/weldsim/tables").glob("*.csv")}
    run(project, "snakemake", "--cores", "2", "trust")
    page = (project / "results/weldsim/trust.html").read_text(encoding="utf-8")
    for title in ("Something never seen", "Another lamp, another camera", "Labels to look at again"):
        assert f"{title}</h2>" in page
    for name in ("unknown", "robustness", "robustness_escapes", "review"):
        title = (project / f"results/weldsim/trust/{name}.md").read_text(encoding="utf-8").splitlines()[0].strip("*")
        assert f"<caption>{title}</caption>" in page
    assert page.count("<img ") == 3
    assert not re.search(r"\bnan\b|Traceback", re.sub(r"data:[^\"]+", "", page))
    exported = list((project / "exports/weldsim").glob("*/card.md"))
    assert exported
    for card in exported:
        assert "Not measured by this run" in card.read_text(encoding="utf-8")
        dossier = project / "results/weldsim/trust/dossier" / f"{card.parent.name}.html"
        told = dossier.read_text(encoding="utf-8")
        assert "Not measured by this run" not in told
        assert "What the exported models do with frames that they have not learned</caption>" in told
    assert before == {path: path.read_bytes() for path in before}
    assert "Nothing to be done" in run(project, "snakemake", "--cores", "2", "trust")
    assert "Nothing to be done" in run(project, "snakemake", "--cores", "2")
