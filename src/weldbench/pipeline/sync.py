"""The bridge between the two engines: what one has made, the other accepts.

Snakemake remembers in `.snakemake/` how it made each output, DVC remembers hashes in `dvc.lock`. After one engine ran,
the other knows nothing of it and would make everything again. This module carries the knowledge across, stage by stage,
in both directions, and only for stages that an engine calls up to date:

- A stage that DVC calls unchanged, as all stages before it: Snakemake is told (`--touch`, which writes its metadata).
- A stage all of whose outputs Snakemake calls up to date: DVC is told (its outputs are hashed into `dvc.lock`).

Either engine can be mistaken: `git checkout` or `--touch` make it call files up to date that were made with other
settings. So what the files say of themselves is read first, and nothing is carried across that contradicts it.
"""

import csv
import logging
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import networkx
from dvc.exceptions import DvcException, NotDvcRepoError
from dvc.repo import Repo, lock_repo
from dvc.rwlock import RWLockFileCorruptedError, RWLockFileFormatError
from dvc.scm import SCMError
from dvc.stage import PipelineStage

from weldbench.config import Params, load_params
from weldbench.errors import InputError
from weldbench.pipeline.checked import MARK, overrides_folder, write_architectures, write_mark, write_overrides
from weldbench.pipeline.consistency import contradictions, other_code, refuse
from weldbench.pipeline.lock import release_engine_lock, take_engine_lock
from weldbench.pipeline.provenance import Project

_NOTHING_NEW = "Snakemake has nothing to learn from DVC"


def synchronize() -> list[str]:
    """Carry the state of the pipeline in the working folder from each engine to the other.

    Returns:
        Sentences that say what was done.

    Raises:
        InputError: The folder is no DVC repository, params.yaml is not valid, another engine is at work, an engine
            cannot read its graph, or a file that it calls up to date was made from something else.
    """
    logging.getLogger("dvc").setLevel(logging.WARNING)
    take_engine_lock("weldbench sync")
    try:
        # Before DVC reads it, which trips over a wrong value without naming the key.
        params = load_params()
        # Under one lock DVC reads its stages once.
        with Repo(".") as repo, lock_repo(repo), ThreadPoolExecutor() as beside:
            # The one stage that is DVC's alone.
            params = load_params()
            write_overrides(params, overrides_folder(params.dataset))
            write_architectures(params)
            write_mark()
            # Each engine takes seconds to read its graph: Snakemake does in its own process while DVC does in this one.
            planning = beside.submit(_snakemake_plan)
            changed = set(repo.status())
            plan = planning.result()
            unchanged, finished = _unchanged(repo, changed), _finished(repo, changed, plan)
            behind = [output for output, up_to_date in plan.items() if not up_to_date and _made_by(unchanged, output)]
            _refuse_contradictions(params, [*(unchanged if behind else []), *finished])
            return [_tell_snakemake(unchanged, plan) if behind else _NOTHING_NEW, _tell_dvc(finished)]
    except (NotDvcRepoError, SCMError):
        raise InputError(_no_repository()) from None
    except PermissionError as error:
        raise InputError(f"{error.filename}: you may not write here; ask its owner, or work in a copy") from None
    except (RWLockFileCorruptedError, RWLockFileFormatError) as error:
        raise InputError(
            f"DVC: {str(error).rstrip('.')}. A dvc that was killed left this file half-written, and nothing else is "
            "damaged; when no dvc is at work here, delete it, then run `weldbench sync` again"
        ) from None
    except DvcException as error:
        raise InputError(f"DVC: {error}") from None
    finally:
        release_engine_lock()


def _no_repository() -> str:
    """Say how to set DVC up here: an unpacked archive has the folder of DVC, and no git."""
    without_git = "" if Path(".git").exists() else " --no-scm"
    again = " --force" if Path(".dvc").exists() else ""
    return (
        "DVC is not set up in this folder, so there is nothing to synchronize; nothing is wrong with the results. "
        f"`dvc init{without_git}{again}` sets it up, then run `weldbench sync`"
    )


def _unchanged(repo: Repo, changed: set[str]) -> list[PipelineStage]:
    """List the stages that DVC calls unchanged, as all stages before them."""
    graph = repo.index.graph
    return [
        stage
        for stage in repo.index.stages
        if not changed & {before.addressing for before in networkx.dfs_preorder_nodes(graph, stage)}
    ]


def _finished(repo: Repo, changed: set[str], plan: dict[str, bool]) -> list[PipelineStage]:
    """List the stages that DVC calls changed and Snakemake up to date."""
    return [stage for stage in repo.index.stages if stage.addressing in changed and _is_finished(stage, plan)]


def _refuse_contradictions(params: Params, stages: Sequence[PipelineStage]) -> None:
    project = Project.here(params, params.dataset)
    concerned = [record for record in project.all_records() if _made_by(stages, str(record.path))]
    found = contradictions(concerned, large_files=True)
    for path in other_code(concerned):
        found.setdefault(path, []).append("made by other code than that in src/weldbench")
    refuse(found, "nothing was synchronized: an engine calls files up to date that were made from something else")


def _tell_snakemake(unchanged: Sequence[PipelineStage], plan: dict[str, bool]) -> str:
    known = [output for output in plan if _made_by(unchanged, output)]
    _snakemake("--touch", "--forceall", "--cores", "1", *known)
    return f"Snakemake now takes {len(known)} outputs that DVC calls unchanged as up to date"


def _tell_dvc(finished: Sequence[PipelineStage]) -> str:
    for stage in finished:
        stage.save()
        # Relinking the outputs would change their times, and Snakemake would make them again.
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
