# From a source of frames to fair splits: fetch, ingest, split.


rule fetch:
    input:
        code=code("scripts/fetch.py"),
    output:
        "data/{dataset}/archive.zip",
        "data/{dataset}/archive.json",
    log:
        "logs/{dataset}/fetch.log",
    priority: DATA
    threads: 2  # the renderer's workers; a download needs one
    params:
        settings=settings("datasets.{dataset}"),
    shell:
        "python scripts/fetch.py --dataset {wildcards.dataset} --archive data/{wildcards.dataset}/archive.zip"
        " {INTO} {log}"


def decoders(wildcards):
    """Threads of ingest: with 0 workers all that --cores gives, up to 16, but for those of pretraining.

    That needs no data. A rule that claimed all cores would wait until it has ended, and every training with it.
    """
    wanted = PARAMS.ingest.workers or 16
    if workflow.cores is None:
        return wanted
    return max(1, min(wanted, workflow.cores - len(PARAMS.finetune.models)))


rule ingest:
    input:
        "data/{dataset}/archive.zip",
        "data/{dataset}/archive.json",
        code=code("scripts/ingest.py"),
    output:
        "data/{dataset}/frames.npy",
        "data/{dataset}/manifest.csv",
        "data/{dataset}/inventory.json",
    log:
        "logs/{dataset}/ingest.log",
    priority: DATA
    threads: decoders
    params:
        settings=settings(
            "datasets.{dataset}", "ingest", "per_dataset.{dataset}.ingest"
        ),
    shell:
        "python scripts/ingest.py --dataset {wildcards.dataset}"
        " --archive data/{wildcards.dataset}/archive.zip --output data/{wildcards.dataset}"
        " {INTO} {log}"


def corrections(wildcards):
    """The file of corrected labels, where params.yaml names one for the dataset."""
    if wildcards.dataset not in PARAMS.datasets:
        return []  # the settings say that
    return PARAMS.for_dataset(wildcards.dataset).split.corrections or []


rule split:
    input:
        FRAMES,
        corrections=corrections,
        code=code("scripts/split.py"),
    output:
        "data/{dataset}/split/fold{fold}/split.csv",
        report(
            "data/{dataset}/split/fold{fold}/audit.json",
            category="Data",
            caption="../workflow/report/audit.rst",
            labels={"what": "split audit", "fold": "{fold}"},
        ),
    log:
        "logs/{dataset}/split-fold{fold}.log",
    priority: DATA
    params:
        settings=settings("split", "per_dataset.{dataset}.split"),
    shell:
        "python scripts/split.py --dataset {wildcards.dataset} --fold {wildcards.fold}"
        " --data data/{wildcards.dataset} --output data/{wildcards.dataset}/split/fold{wildcards.fold}"
        " {INTO} {log}"
