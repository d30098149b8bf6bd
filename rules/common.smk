# What several rules share: params.yaml, the code and the parameters that a job depends on, the GPU.
import json
import shutil
import sys
from functools import reduce
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

# First: this project's own weldbench, whatever is installed; code() watches no other. Jobs inherit it.
sys.path.insert(0, str(Path(workflow.basedir).parent / "scripts"))
import own_source  # noqa: F401

from weldbench.config import load_params
from weldbench.errors import InputError
from weldbench.pipeline.lock import take_engine_lock
from weldbench.pipeline.sources import files_used_by as code

try:
    PARAMS = load_params("params.yaml")
except InputError as error:
    raise WorkflowError(str(error))

if config != yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8")):
    raise WorkflowError(
        "--config changes nothing here, as DVC would not see it: edit params.yaml"
    )

# What ingest writes.
FRAMES = [
    "data/{dataset}/frames.npy",
    "data/{dataset}/manifest.csv",
    "data/{dataset}/inventory.json",
]

# One training has the whole GPU, where there is one.
gpu = int(
    PARAMS.hardware.device == "cuda"
    or (PARAMS.hardware.device == "auto" and bool(shutil.which("nvidia-smi")))
)


wildcard_constraints:
    dataset="[^/]+",
    model="[^/]+",
    fold=r"\d+",
    seed=r"\d+",


def settings(*keys):
    """Sections of params.yaml as text, for `params:`; when one of them changes, the job runs again."""

    def read(wildcards):
        named = [key.format(**wildcards) for key in keys]
        return json.dumps(
            {key: reduce(dict.__getitem__, key.split("."), config) for key in named},
            sort_keys=True,
        )

    return read


def one_of(models):
    """A pattern that matches these names; of no models, nothing."""
    return "|".join(models) or "(?!)"


def start():
    """One engine at a time; the operating system frees the lock when this process ends, however it ends."""
    try:
        take_engine_lock("snakemake")
    except InputError as error:
        raise WorkflowError(str(error))
