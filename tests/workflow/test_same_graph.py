"""Both engines run the same commands on the same files and re-run them for the same changes."""

import contextlib
from collections.abc import Callable, Iterator
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.repo import Repo
from workflow.conftest import ROOT, edit_params, run
from workflow.graphs import BALANCED, OVERRIDES, Job, dvc_graph, graph_differences, snakemake_graph

from weldbench.pipeline.sources import places_used_by

PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def test_both_engines_have_the_same_graph(project: Path) -> None:
    snakemake, dvc = snakemake_graph(project), dvc_graph(project)
    assert len(snakemake) == 17
    assert graph_differences(snakemake, dvc) == []


@pytest.mark.parametrize("dataset", ["ss304", "al5083"])
def test_the_graph_is_the_same_for_real_data_and_folds(project: Path, dataset: str) -> None:
    edit_params(project, lambda params: params.update(dataset=dataset, folds=[0, 2], seeds=[3, 4]))
    edit_params(project, lambda params: params["split"].update(strategy="grouped"))
    assert graph_differences(snakemake_graph(project), dvc_graph(project)) == []


@pytest.mark.parametrize(
    ("trained", "finetuned", "compared"),
    [
        pytest.param(["full_con6", "conv6"], [], ["conv6"], id="baselines only, one of them not compared"),
        pytest.param([], ["resnet18", "resnet34"], ["resnet18"], id="pretrained ones only, one of them not compared"),
    ],
)
def test_the_graph_is_the_same_whatever_is_trained_and_compared(
    project: Path, trained: list[str], finetuned: list[str], compared: list[str]
) -> None:
    edit_params(project, lambda params: params["train"].update(models=trained))
    edit_params(project, lambda params: params["finetune"].update(models=finetuned))
    edit_params(project, lambda params: params["compare"].update(models=compared))
    edit_params(project, lambda params: params["export"].update(models=compared))
    snakemake = snakemake_graph(project)
    assert graph_differences(snakemake, dvc_graph(project)) == []
    for model in (*trained, *finetuned):
        assert any(f"--model {model} " in command for command in map(str, snakemake))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        pytest.param("dvc.yaml", "      - ingest\n", "", id="a dropped parameter"),
        pytest.param("dvc.yaml", "- reference/published.yaml", "- requirements.lock", id="a wrong input"),
        pytest.param("dvc.yaml", "      - src/weldbench/splitting/\n", "", id="a forgotten room"),
        pytest.param("dvc.yaml", "/archive.json\n", "/archive.json\n      - data/extra\n", id="an extra output"),
        pytest.param("dvc.yaml", "scripts/split.py --dataset", "scripts/split.py  --fold 1 --dataset", id="a command"),
        pytest.param("rules/data.smk", 'settings("split"', 'settings("ingest"', id="another section"),
        pytest.param("rules/data.smk", ', "per_dataset.{dataset}.split"', "", id="forgotten overrides"),
        pytest.param("dvc.yaml", "/overrides/split.json", "/overrides/ingest.json", id="another section's overrides"),
        pytest.param("rules/data.smk", '        "data/{dataset}/archive.json",\n', "", id="a forgotten output"),
    ],
)
def test_a_planted_difference_is_found(project: Path, file: str, old: str, new: str) -> None:
    text = (project / file).read_text(encoding="utf-8")
    assert old in text
    (project / file).write_text(text.replace(old, new), encoding="utf-8")
    assert graph_differences(snakemake_graph(project), dvc_graph(project)) != []


def leaves(tree: Any, path: tuple = ()) -> Iterator[tuple]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*path, key))
    else:
        yield path


def affected(graph: dict[str, Job], key: tuple) -> set[str]:
    """Name the commands whose parameters hold the leaf."""
    dotted = ".".join(key)
    return {command for command, job in graph.items() if any(f"{dotted}.".startswith(f"{p}.") for p in job.params)}


def test_every_leaf_of_params_yaml_reruns_the_same_commands_in_both_engines(project: Path) -> None:
    snakemake, dvc = snakemake_graph(project), dvc_graph(project)
    for leaf in leaves(PARAMS):
        assert affected(snakemake, leaf) == affected(dvc, leaf), leaf


def test_no_leaf_of_another_dataset_reruns_anything(project: Path) -> None:
    edit_params(project, add_another_dataset)
    graphs = snakemake_graph(project), dvc_graph(project)
    of_datasets = [leaf for leaf in leaves(params_of(project)) if leaf[0] in {"datasets", "per_dataset"}]
    others = [leaf for leaf in of_datasets if leaf[1] != "weldsim"]
    assert len(others) > 20
    for leaf in others:
        assert [affected(graph, leaf) for graph in graphs] == [set(), set()], leaf


def test_a_new_dataset_leaves_the_first_one_s_jobs_as_they_are(project: Path) -> None:
    before = snakemake_graph(project), dvc_graph(project)
    edit_params(project, add_another_dataset)
    assert (snakemake_graph(project), dvc_graph(project)) == before


def add_another_dataset(params: dict) -> None:
    params["datasets"]["mine"] = {"source": "local", "path": "/data/frames"}
    params["per_dataset"]["mine"] = {
        "ingest": {"frame_size_px": 96},
        "split": {"cap": 7},
        "models": {name: {"epochs": 3} for name in ("full_con6", "conv6", "resnet18")},
        "sweep": {"epochs": [3]},
        "compare": {"balanced_cap": 9},
    }


def params_of(project: Path) -> dict:
    return yaml.safe_load((project / "params.yaml").read_text(encoding="utf-8"))


def test_dvc_s_stage_check_writes_what_the_stages_read_and_changes_only_that_of_a_changed_section(
    project: Path,
) -> None:
    def written() -> dict[str, str]:
        run(project, "dvc", "repro", "check")
        folder = project / "data/weldsim/overrides"
        return {
            str(path.relative_to(project)): path.read_text(encoding="utf-8")
            for path in (*folder.rglob("*.json"), project / "data/.params-are-valid")
        }

    before = written()
    with contextlib.chdir(project), Repo(".") as repo:
        files = [dep.def_path for stage in repo.index.stages for dep in stage.deps]
        read = {path for path in files if OVERRIDES.fullmatch(path) or BALANCED.fullmatch(path)}
    assert read <= set(before)
    edit_params(project, add_another_dataset)
    assert written() == before
    edit_params(project, lambda params: params["per_dataset"]["weldsim"]["models"]["conv6"].update(epochs=7))
    after = written()
    assert {path for path in before if before[path] != after[path]} == {"data/weldsim/overrides/models/conv6.json"}
    edit_params(project, lambda params: params["models"]["conv6"].update(cap=7))
    balanced = written()
    assert {path for path in after if after[path] != balanced[path]} == {"data/weldsim/overrides/balance/conv6.json"}


def changed(project: Path, change: Callable[[dict], None]) -> list[set[str]]:
    """Edit params.yaml, and name what each engine runs again for that: the script, and of a training the model."""
    before = snakemake_graph(project), dvc_graph(project)
    edit_params(project, change)
    pairs = zip(before, (snakemake_graph(project), dvc_graph(project)), strict=True)
    commands = [[command for command in old if old[command] != new[command]] for old, new in pairs]
    words = [[command.split() for command in of_engine] for of_engine in commands]
    return [{line[line.index("--model") + 1] if "--model" in line else line[1] for line in lines} for lines in words]


def test_what_a_model_learns_from_reruns_the_trainings_of_that_model_alone(project: Path) -> None:
    assert changed(project, lambda params: params["models"]["full_con6"].update(cap=7)) == [{"full_con6"}] * 2
    own = {"balance": "none"}
    of_weldsim = ("per_dataset", "weldsim", "models", "resnet18")
    assert changed(project, lambda params: reduce(getitem, of_weldsim, params).update(own)) == [{"resnet18"}] * 2
    # What all others are told by the section split concerns neither of these two.
    others = {"efficientnet_lite0"}
    assert changed(project, lambda params: params["per_dataset"]["weldsim"].update(split={"cap": 9})) == [others] * 2
    everything = {"scripts/split.py", "full_con6", "resnet18", *others}
    assert changed(project, lambda params: params["split"].update(seed=1)) == [everything] * 2


def test_each_parameter_reruns_the_stages_that_use_it_and_no_others(project: Path) -> None:
    graph = snakemake_graph(project)

    def scripts(*key: str) -> set[str]:
        return {command.split()[1] for command in affected(graph, key)}

    assert scripts("models", "full_con6", "learning_rate") == {"scripts/train.py"}
    assert scripts("split", "strategy") == {"scripts/split.py"}
    assert scripts("per_dataset", "weldsim", "ingest", "frame_size_px") == {"scripts/ingest.py"}
    assert scripts("per_dataset", "weldsim", "models", "resnet18", "epochs") == {"scripts/train.py"}
    assert scripts("per_dataset", "weldsim", "compare", "balanced_cap") == {"scripts/compare.py"}
    assert scripts("per_dataset", "weldsim", "sweep", "epochs") == set()
    assert scripts("train", "augment", "flip") == {"scripts/features.py", "scripts/train.py"}
    assert scripts("pretrain", "steps") == {"scripts/pretrain.py"}
    assert scripts("report", "title") == {"scripts/report.py"}
    assert scripts("compare", "vote_frames") == {"scripts/compare.py"}
    assert scripts("compare", "confidence") == {"scripts/compare.py", "scripts/export.py"}
    assert scripts("compare", "false_reject_rates") == {"scripts/compare.py", "scripts/export.py"}
    assert scripts("export", "vote_frames") == {"scripts/compare.py", "scripts/export.py"}
    assert scripts("datasets", "ss304", "handle") == set()


def test_a_change_of_a_module_reruns_the_stages_that_use_it_and_no_others(project: Path) -> None:
    graphs = snakemake_graph(project), dvc_graph(project)

    def scripts(module: str) -> set[str]:
        users = [
            {
                command.split()[1].removeprefix("scripts/")
                for command, job in graph.items()
                if any(Path(module).is_relative_to(place) for place in job.inputs)
            }
            for graph in graphs
        ]
        assert users[0] == users[1]
        return users[0]

    training = {"pretrain.py", "features.py", "train.py"}
    computing = {*training, "evaluate.py", "explain.py"}
    # Whole rooms.
    assert scripts("src/weldbench/ingest/kaggle.py") == {"fetch.py", "ingest.py", "export.py"}
    assert scripts("src/weldbench/weldsim/render.py") == {"fetch.py", *training}
    assert scripts("src/weldbench/splitting/leakage.py") == {"split.py"}
    assert scripts("src/weldbench/training/balance.py") == training
    assert scripts("src/weldbench/data/resize.py") == {"ingest.py", "split.py", "compare.py", "export.py", *computing}
    assert scripts("src/weldbench/models/architectures.py") == {"export.py", *computing}
    assert scripts("src/weldbench/deploy/parity.py") == {"export.py"}
    assert scripts("src/weldbench/training/losses.py") == training
    assert scripts("src/weldbench/reporting/narrative.py") == {"explain.py", "compare.py", "report.py", "export.py"}
    assert scripts("src/weldbench/deploy/dossier/licenses.py") == {"export.py"}
    # Rooms that are taken file by file.
    assert scripts("src/weldbench/evaluation/confusion.py") == {*training, "evaluate.py", "compare.py", "export.py"}
    assert scripts("src/weldbench/evaluation/bootstrap.py") == {"compare.py", "export.py"}
    assert scripts("src/weldbench/deploy/parity.py") == {"export.py"}
    assert scripts("src/weldbench/deploy/serve/page.py") == set()
    assert scripts("src/weldbench/deploy/serve/static/page.js") == set()
    assert scripts("src/weldbench/config/evidence.py") == {"compare.py", "export.py"}
    assert scripts("src/weldbench/runtime/hardware.py") == computing
    # Plumbing.
    assert scripts("src/weldbench/errors.py") == set()
    assert scripts("src/weldbench/runtime/progress.py") == set()


def test_dvc_names_what_the_map_of_the_code_names(project: Path) -> None:
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    assert sum(line.startswith("      - src/") for line in text.splitlines()) <= 130
    for command, job in dvc_graph(project).items():
        script = command.split()[1]
        sources = [script, *(["notebooks/report.ipynb"] if script == "scripts/report.py" else [])]
        with contextlib.chdir(project):
            expected = {place for place in places_used_by(*sources) if place.startswith("src/")}
        assert {place.rstrip("/") for place in job.inputs if place.startswith("src/")} == expected, command
