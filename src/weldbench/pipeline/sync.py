"""The bridge between the two engines: what one has made, the other accepts.

Snakemake remembers in `.snakemake/` how it made each output, DVC remembers hashes in `dvc.lock`. After one engine ran,
the other knows nothing of it and would make everything again. This module carries the knowledge across, stage by stage,
in both directions, and only for stages that an engine calls up to date:

- A stage that DVC calls unchanged, as all stages before it: Snakemake is told (`--touch`, which writes its metadata).
- A stage all of whose outputs Snakemake calls up to date: DVC is told (its outputs are hashed into `dvc.lock`).
"""

import csv
import logging
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import networkx
from dvc.exceptions import DvcException, NotDvcRepoError
from dvc.repo import Repo, lock_repo
from dvc.stage import PipelineStage

from weldbench.config import load_params
from weldbench.errors import InputError
from weldbench.pipeline.checked import MARK, overrides_folder, write_mark, write_overrides
from weldbench.pipeline.lock import release_engine_lock, take_engine_lock


def synchronize() -> list[str]:
    """Carry the state of the pipeline in the working folder from each engine to the other.

    Returns:
        Sentences that say what was done.

    Raises:
        InputError: The folder is no DVC repository, params.yaml is not valid, another engine is at work, or an engine
            cannot read its graph.
    """
    logging.getLogger("dvc").setLevel(logging.WARNING)
    take_engine_lock("weldbench sync")
    try:
        # Under one lock DVC reads its stages once.
        with Repo(".") as repo, lock_repo(repo), ThreadPoolExecutor() as beside:
            # The one stage that is DVC's alone.
            params = load_params()
            write_overrides(params, overrides_folder(params.dataset))
            write_mark()
            # Each engine takes seconds to read its graph: Snakemake does in its own process while DVC does in this one.
            planning = beside.submit(_snakemake_plan)
            changed = set(repo.status())
            plan = planning.result()
            return [_tell_snakemake(repo, changed, plan), _tell_dvc(repo, changed, plan)]
    except NotDvcRepoError:
        raise InputError(
            "DVC is not set up in this folder, so there is nothing to synchronize; "
            "`dvc init` (with `--no-scm` where there is no git) sets it up"
        ) from None
    except DvcException as error:
        raise InputError(f"DVC: {error}") from None
    finally:
        release_engine_lock()


def _tell_snakemake(repo: Repo, changed: set[str], plan: dict[str, bool]) -> str:
    graph = repo.index.graph
    unchanged = [
        stage
        for stage in repo.index.stages
        if not changed & {before.addressing for before in networkx.dfs_preorder_nodes(graph, stage)}
    ]
    behind = [output for output, up_to_date in plan.items() if not up_to_date and _made_by(unchanged, output)]
    if not behind:
        return "Snakemake has nothing to learn from DVC"
    known = [output for output in plan if _made_by(unchanged, output)]
    _snakemake("--touch", "--forceall", "--cores", "1", *known)
    return f"Snakemake now takes {len(known)} outputs that DVC calls unchanged as up to date"


def _tell_dvc(repo: Repo, changed: set[str], plan: dict[str, bool]) -> str:
    finished = [stage for stage in repo.index.stages if stage.addressing in changed and _is_finished(stage, plan)]
    for stage in finished:
        stage.save()
        # Linking the outputs anew would change their times, and Snakemake would make them again.
        stage.commit(relink=False)
        stage.dump(update_pipeline=False)
    if not finished:
        return "DVC has nothing to learn from Snakemake"
    return f"DVC now takes {len(finished)} stages that Snakemake calls up to date as unchanged"


def _is_finished(stage: PipelineStage, plan: dict[str, bool]) -> bool:
    """Tell whether Snakemake calls all outputs of a DVC stage up to date; a folder has the outputs that lie in it."""
    if any(Path(out.def_path) == MARK for out in stage.outs):
        return True
    for out in stage.outs:
        inside = [up_to_date for output, up_to_date in plan.items() if _lies_in(output, out.def_path)]
        if not inside or not all(inside):
            return False
    return True


def _made_by(stages: Iterable[PipelineStage], output: str) -> bool:
    return any(_lies_in(output, out.def_path) for stage in stages for out in stage.outs)


def _lies_in(path: str, place: str) -> bool:
    return Path(path).is_relative_to(place)


def _snakemake_plan() -> dict[str, bool]:
    """Map each output of the workflow to whether Snakemake knows how it was made and would leave it as it is.

    Without that knowledge it judges by times alone, and would miss a later change of a parameter.
    """
    lines = _snakemake("--detailed-summary").splitlines()
    header = next((number for number, line in enumerate(lines) if line.startswith("output_file\t")), len(lines))
    return {
        row["output_file"]: row["plan"] == "no update" and row["shellcmd"] != "-" and Path(row["output_file"]).exists()
        for row in csv.DictReader(lines[header:], delimiter="\t")
    }


def _snakemake(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--no-hooks", "--nolock", *arguments], capture_output=True, text=True
    )
    if done.returncode:
        raise InputError(f"snakemake {' '.join(arguments)} failed:\n{done.stderr.strip()}")
    return done.stdout
