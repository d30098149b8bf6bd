# What several rules share: params.yaml, the code and the parameters that a job depends on, the GPU.
import hashlib
import json
import shutil
import sys
import textwrap
import time
from functools import reduce

from snakemake.exceptions import WorkflowError

STARTED = time.time()

# First: this project's own weldbench, whatever is installed; code() watches no other. Jobs inherit it.
sys.path.insert(0, str(Path(workflow.basedir).parent / "scripts"))
import own_source  # noqa: F401

from weldbench.config import load_params
from weldbench.config.strict_yaml import read_yaml
from weldbench.errors import InputError
from weldbench.pipeline.checked import BALANCE, balance_of
from weldbench.pipeline.lock import take_engine_lock
from weldbench.pipeline.sources import files_used_by as code
from weldbench.runtime.atomic import write_text

# Checked before Snakemake reads it, so that what it cannot read is told in our words.
try:
    PARAMS = load_params("params.yaml")
except InputError as error:
    raise WorkflowError(str(error))


configfile: "params.yaml"


if config != read_yaml("params.yaml").values:
    raise WorkflowError(
        "--config changes nothing here, as DVC would not see it: edit params.yaml"
    )

# What ingest writes.
FRAMES = [
    "data/{dataset}/frames.npy",
    "data/{dataset}/manifest.csv",
    "data/{dataset}/inventory.json",
]

# The sections of params.yaml that decide a training, for `settings`.
TRAINING_SETTINGS = [
    "models.{model}",
    "per_dataset.{dataset}.models.{model}",
    "balance.{dataset}.{model}",
    "train.augment",
    "hardware",
]

# One training has the whole GPU, where there is one.
gpu = int(
    PARAMS.hardware.device == "cuda"
    or (PARAMS.hardware.device == "auto" and bool(shutil.which("nvidia-smi")))
)

# Which of the jobs that could start is started: first those that most others wait for, last what nothing but the
# conclusions needs, which fills the cores at the end. Others have 0.
DATA, BACKBONE, TRAINING, EXPORT = 40, 30, 20, 10

# Where a job's output goes: into its log, and on a terminal to the person there too.
INTO = "2>&1 | tee" if sys.stderr.isatty() else "&>"


wildcard_constraints:
    dataset="[^/]+",
    model="[^/]+",
    fold=r"\d+",
    seed=r"\d+",


def settings(*keys):
    """Sections of params.yaml as text, for `params:`; when one of them changes, the job runs again.

    What a dataset changes in a section, `per_dataset.NAME...`, may be absent: then it is empty. So may be what a model
    is, `models.NAME.architecture`: then its name says it. `balance.DATASET.MODEL` says which frames a model learns from;
    the splits do not depend on that.
    """

    def section(key):
        steps = key.split(".")
        match steps:
            case ["balance", dataset, model]:
                return balance_of(PARAMS.for_dataset(dataset), model)
            case ["models", model, "architecture"]:
                return PARAMS.models[model].architecture
            case ["split"] | ["per_dataset", _, "split"]:
                found = reduce(lambda found, step: found.get(step, {}), steps, config)
                return {
                    name: value for name, value in found.items() if name not in BALANCE
                }
            case ["per_dataset", *_]:
                return reduce(lambda found, step: found.get(step, {}), steps, config)
        try:
            return reduce(dict.__getitem__, steps, config)
        except KeyError:
            default = reduce(getattr, steps, PARAMS)
            raise WorkflowError(
                f"params.yaml: {key} is missing, which a stage depends on; add it, its default is {default}"
            )

    def read(wildcards):
        if wildcards.get("dataset", PARAMS.dataset) not in PARAMS.datasets:
            raise WorkflowError(
                f"there is no dataset `{wildcards.dataset}` in the section datasets of params.yaml"
            )
        named = [key.format(**wildcards) for key in keys]
        return json.dumps({key: section(key) for key in named}, sort_keys=True)

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


def starting_file(kind):
    """The file that a model's trainings start from, `kind` being pretrained or features; nothing for other models."""
    models, path = {
        "pretrained": (
            PARAMS.finetune.models,
            "models/pretrained/{model}-simulated.safetensors",
        ),
        "features": (
            PARAMS.features.models,
            "data/{dataset}/features/{model}.safetensors",
        ),
    }[kind]
    return lambda wildcards: (
        path.format(**wildcards) if wildcards.model in models else []
    )


def starting_options(wildcards, input):
    """The options of a script that name these files, where there are any."""
    kinds = ("pretrained", "features")
    return " ".join(f"--{kind} {input[kind]}" for kind in kinds if input[kind])


def start():
    """One engine at a time; the operating system frees the lock when this process ends, however it ends.

    Then, where the jobs run on this machine, a line on how long it will be at work.
    """
    try:
        take_engine_lock("snakemake")
    except InputError as error:
        raise WorkflowError(str(error))
    if workflow.local_exec:
        # Only here, as no other start needs it.
        from weldbench.planning.summary import summary

        print(summary(PARAMS, workflow.cores), file=sys.stderr)


def conclude():
    """The conclusion in a sentence, and where the table and the report lie, if this run made them."""
    results = Path("results", PARAMS.dataset)
    summary, pairs, table, report = (
        results / name
        for name in (
            "tables/summary.csv",
            "tables/pairs.csv",
            "tables/comparison.md",
            "report.html",
        )
    )

    def is_new(path):
        return path.exists() and path.stat().st_mtime >= STARTED

    if is_new(summary) and is_new(pairs):
        import pandas as pd

        from weldbench.reporting.narrative import about_leader

        told = about_leader(pd.read_csv(summary), pd.read_csv(pairs), PARAMS.dataset)
        print("", textwrap.fill(told.replace("**", ""), 120), sep="\n")
    if is_new(table):
        print(f"The table:  {table}")
    if is_new(report):
        print(f"The report: {report}")
