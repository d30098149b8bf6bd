# What several rules share: params.yaml, the code and the parameters that a job depends on, the GPU.
import hashlib
import json
import shutil
from functools import reduce
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError

from weldbench.config import load_params
from weldbench.errors import InputError
from weldbench.pipeline.lock import take_engine_lock
from weldbench.pipeline.sources import files_used_by as code
from weldbench.runtime.atomic import write_text

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


def caption(entry, model="{{ snakemake.wildcards.model }}"):
    """The words of a registered table or figure as a file among Snakemake's own, for it reads captions from files."""
    words = f"{entry.words.caption} {entry.words.details}".strip()
    text = words.format(dataset="{{ snakemake.wildcards.dataset }}", model=model)
    # Named by its content, it is never out of date.
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    path = Path(".snakemake", "captions", f"{name}.rst").absolute()
    if not path.exists():
        write_text(path, text)
    return str(path)


def one_of(models):
    """A pattern that matches these names; of no models, nothing."""
    return "|".join(models) or "(?!)"


def start():
    """One engine at a time; the operating system frees the lock when this process ends, however it ends."""
    try:
        take_engine_lock("snakemake")
    except InputError as error:
        raise WorkflowError(str(error))
