"""What CONTRIBUTING.md says to add is enough: its lines are added to a copy of the project, which is then run."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from blobs import write_blobs, write_params
from made_up_predictions import World, write_records
from workflow.conftest import ROOT, edit_params, run

from weldbench.config import load_params

SKILLS = {"full_con6": 0.6, "conv6": 0.9}


def additions() -> Iterator[tuple[str, str, str]]:
    """Yield file, line above (or nothing) and added lines of each diff in CONTRIBUTING.md."""
    for block in re.findall(r"```diff\n# (.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.S):
        file, *lines = block.splitlines()
        above = "".join(f"{line[1:]}\n" for line in lines if line.startswith(" "))
        yield file, above, "".join(f"{line[1:]}\n" for line in lines if line.startswith("+"))


@pytest.fixture
def extended(project: Path) -> Path:
    for file, above, added in additions():
        text = (project / file).read_text(encoding="utf-8")
        assert text.count(above) == 1 or not above
        changed = text.replace(above, above + added) if above else f"{text}\n\n{added}"
        (project / file).write_text(changed, encoding="utf-8")
    return project


def test_each_is_one_entry_in_one_registry_beside_its_function() -> None:
    entries = [file for file, _, _ in additions() if "/sections/" in file or "/config/" in file]
    assert len(entries) == 4  # a network of torchvision's, one of one's own, a table, a figure
    assert all(len(added.splitlines()) <= 10 for _, _, added in additions())


def test_the_lines_keep_the_style_of_the_project(extended: Path) -> None:
    config = ("--config", str(ROOT / "pyproject.toml"))
    run(extended, sys.executable, "-m", "ruff", "check", *config, "src")
    run(extended, sys.executable, "-m", "ruff", "format", "--check", *config, "src")


@pytest.mark.long
@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("linear", "{input_size_px: 16, epochs: 2, batch_size: 16, learning_rate: 0.02, bias: false}"),
        ("squeezenet1_1", "{input_size_px: 32, epochs: 1, batch_size: 16, learning_rate: 0.01, init: scratch}"),
    ],
)
def test_a_new_network_is_trained_and_scored(extended: Path, model: str, settings: str) -> None:
    params = write_params(extended, **{model: settings})
    edit_params(extended, lambda params: params["train"]["models"].append(model))
    split = write_blobs(extended / "blobs")
    options = ("--params", str(params), "--dataset", "blobs", "--model", model, "--seed", "0")
    places = ("--data", "blobs", "--split", str(split))
    run(extended, sys.executable, "scripts/train.py", *options, *places, "--output", "trained")
    recorded = json.loads((extended / "trained/training.json").read_text(encoding="utf-8"))
    assert recorded["settings"].items() >= (yaml.safe_load(settings) | {"architecture": model}).items()
    trained = ("--trained", "trained/model.safetensors")
    run(extended, sys.executable, "scripts/evaluate.py", "--params", str(params), *places, *trained, "--output", "out")
    assert 0 <= json.loads((extended / "out/metrics.json").read_text(encoding="utf-8"))["macro_f1"] <= 1


def test_a_mistake_in_a_new_network_s_settings_is_told_as_of_any(extended: Path) -> None:
    edit_params(extended, lambda params: params["models"].update(linear={"input_size_px": 8, "biass": True}))
    told = run(extended, sys.executable, "scripts/check.py", "--output", "valid", code=2)
    assert "`models.linear.biass` is an unknown key (did you mean `bias`?)" in told
    assert "Traceback" not in told


def test_a_new_table_and_a_new_figure_are_planned_written_and_shown(extended: Path) -> None:
    edit_params(extended, lambda params: params["train"].update(models=list(SKILLS)))
    edit_params(extended, lambda params: params["compare"].update(models=list(SKILLS)))
    results = extended / "results/weldsim"
    new = ["tables/weakest_class.csv", "tables/weakest_class.md", "tables/weakest_class.tex", "figures/accuracy.png"]
    run(extended, "snakemake", "--dry-run", "--quiet", "rules", "--", *(f"results/weldsim/{path}" for path in new))
    captions = {path.read_text(encoding="utf-8") for path in (extended / ".snakemake/captions").iterdir()}
    assert "Accuracy of every model, the mean over seeds." in captions
    assert any(text.startswith("The class of {{ snakemake.wildcards.dataset }} on which each") for text in captions)

    World(skills=SKILLS, seeds=(0,), frames_per_run=6).write(extended)
    write_records(extended, load_params(extended / "params.yaml"))
    stage = ("--dataset", "weldsim", "--data", "data/weldsim", "--trained", "models/weldsim")
    places = ("--evaluation", "results/weldsim/evaluation", "--output", "results/weldsim")
    run(extended, sys.executable, "scripts/compare.py", *stage, *places)
    assert all((results / path).stat().st_size > 30 for path in new)
    report = ("--results", "results/weldsim", "--output", "results/weldsim/report.html")
    run(extended, sys.executable, "scripts/report.py", "--dataset", "weldsim", *report)
    page = (results / "report.html").read_text(encoding="utf-8")
    compared, rest = page.split('<h2 id="certainty">')
    assert "<figcaption>Accuracy of every model, the mean over seeds.</figcaption>" in compared
    failures, _ = rest.partition('<h2 id="failures">')[2].split('<h2 id="factory">')
    assert "<caption>The weakest class of every model</caption>" in failures
