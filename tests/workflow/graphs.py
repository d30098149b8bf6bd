"""The graph of each engine, read through its own API: what every command reads, writes and depends on."""

import contextlib
import io
import json
import os
import re
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any
from unittest import mock

from dvc.dependency import ParamsDependency
from dvc.repo import Repo
from dvc.stage import PipelineStage
from ruamel.yaml import YAML  # as DVC reads it
from snakemake.api import SnakemakeApi
from snakemake.settings.types import DAGSettings, OutputSettings, Quietness, ResourceSettings

from weldbench.config import load_params
from weldbench.config.data import CORRECTIONS
from weldbench.pipeline.checked import BALANCE, balance_of

CHECKED = {"data/.params-are-valid"}
ARCHITECTURE = re.compile(r"data/\.architectures/(?P<model>.+)\.json")  # which the stage writes too
# The file of a section's overrides, which DVC's stage `check` writes, stands for the key of params.yaml.
OVERRIDES = re.compile(r"data/(?P<dataset>[^/]+)/overrides/(?P<section>(?!balance/).+)\.json")
# Which frames a model learns from: other values than those of single keys.
BALANCED = re.compile(r"data/(?P<dataset>[^/]+)/overrides/balance/(?P<model>.+)\.json")


@dataclass(frozen=True)
class Job:
    inputs: frozenset[str]
    outputs: frozenset[str]
    params: dict[str, Any]


def snakemake_graph(project: Path) -> dict[str, Job]:
    """Map each command that `snakemake` would run to its job; nothing needs to exist yet."""
    quiet = OutputSettings(quiet={Quietness.ALL})
    # The workflow puts its own library on the path of all that it starts; other tests of this process start others.
    environment = mock.patch.dict(os.environ)
    with environment, contextlib.chdir(project), contextlib.redirect_stdout(io.StringIO()), SnakemakeApi(quiet) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=2), snakefile=Path("workflow/Snakefile"), workdir=project
        )
        workflow.dag(DAGSettings()).printrulegraph()
        jobs = [job for job in workflow._workflow.dag.jobs if job.shellcmd]
    return {
        " ".join(re.split(r" (?:&>|2>&1 \| tee) ", job.shellcmd)[0].split()): Job(
            frozenset(map(str, job.input)),
            frozenset(map(str, job.output)),
            json.loads(job.params.get("settings", "{}")),
        )
        for job in jobs
    }


def dvc_graph(project: Path) -> dict[str, Job]:
    """Map each command of dvc.yaml, its matrices expanded, to its job.

    Without the stage that checks params.yaml, which Snakemake does when it starts.
    """
    params = YAML(typ="safe").load(project / "params.yaml")
    corrects = load_params(project / "params.yaml").for_dataset(params["dataset"]).split.corrections is not None
    unused = CHECKED if corrects else CHECKED | {CORRECTIONS}

    def overrides(stage: PipelineStage) -> dict[str, Any]:
        keys = [
            f"per_dataset.{found['dataset']}.{found['section'].replace('/', '.')}"
            for dep in stage.deps
            if (found := OVERRIDES.fullmatch(dep.def_path))
        ]
        return {key: section(key) for key in keys}

    def section(key: str) -> Any:
        value = reduce(lambda found, step: found.get(step, {}), key.split("."), params)
        if re.fullmatch(r"split|per_dataset\.[^.]+\.split", key):  # its stage writes the same whatever these are
            return {name: setting for name, setting in value.items() if name not in BALANCE}
        return value

    def balance(stage: PipelineStage) -> dict[str, Any]:
        return {
            f"balance.{found['dataset']}.{found['model']}": balance_of(
                load_params(project / "params.yaml").for_dataset(found["dataset"]), found["model"]
            )
            for dep in stage.deps
            if (found := BALANCED.fullmatch(dep.def_path))
        }

    def architecture(stage: PipelineStage) -> dict[str, str]:
        models = [found["model"] for dep in stage.deps if (found := ARCHITECTURE.fullmatch(dep.def_path))]
        return {f"models.{model}.architecture": params["models"][model].get("architecture", model) for model in models}

    with contextlib.chdir(project), Repo(".") as repo:
        return {
            " ".join(stage.cmd.split()): Job(
                frozenset(
                    dep.def_path
                    for dep in stage.deps
                    if not isinstance(dep, ParamsDependency)
                    and not OVERRIDES.fullmatch(dep.def_path)
                    and not ARCHITECTURE.fullmatch(dep.def_path)
                    and not BALANCED.fullmatch(dep.def_path)
                )
                - unused,
                frozenset(out.def_path for out in stage.outs),
                {key: section(key) for dep in stage.deps if isinstance(dep, ParamsDependency) for key in dep.params}
                | overrides(stage)
                | architecture(stage)
                | balance(stage),
            )
            for stage in repo.index.stages
            if stage.name != "check"
        }


def graph_differences(snakemake: dict[str, Job], dvc: dict[str, Job]) -> list[str]:
    """Say how two graphs differ; a folder in one stands for the files of the other that lie in it."""
    found = [f"only Snakemake runs: {command}" for command in sorted(snakemake.keys() - dvc.keys())]
    found += [f"only DVC runs: {command}" for command in sorted(dvc.keys() - snakemake.keys())]
    for command in sorted(snakemake.keys() & dvc.keys()):
        ours, theirs = snakemake[command], dvc[command]
        found += [f"{command}: input {path}" for path in _unmatched(ours.inputs, theirs.inputs)]
        found += [f"{command}: output {path}" for path in _unmatched(ours.outputs, theirs.outputs)]
        if ours.params != theirs.params:
            keys = sorted(ours.params.keys() ^ theirs.params.keys()) or sorted(ours.params)
            found.append(f"{command}: params {', '.join(keys)}")
    return found


def _unmatched(files: frozenset[str], places: frozenset[str]) -> list[str]:
    lonely = [file for file in files if not any(Path(file).is_relative_to(place) for place in places)]
    empty = [place for place in places if not any(Path(file).is_relative_to(place) for file in files)]
    return sorted(lonely + empty)
