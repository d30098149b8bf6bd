# From a source of frames to fair splits: fetch, ingest, split.


rule fetch:
    input:
        code=code("scripts/fetch.py"),
    output:
        "data/{dataset}/archive.zip",
        "data/{dataset}/archive.json",
    log:
        "logs/{dataset}/fetch.log",
    threads: 2  # the renderer's workers; a download needs one
    params:
        settings=settings("datasets.{dataset}"),
    shell:
        "python scripts/fetch.py --dataset {wildcards.dataset} --archive data/{wildcards.dataset}/archive.zip"
        " {INTO} {log}"


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
    threads: PARAMS.ingest.workers or 16  # 0 workers: as many as --cores gives, up to 16
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
    params:
        settings=settings("split", "per_dataset.{dataset}.split"),
    shell:
        "python scripts/split.py --dataset {wildcards.dataset} --fold {wildcards.fold}"
        " --data data/{wildcards.dataset} --output data/{wildcards.dataset}/split/fold{wildcards.fold}"
        " {INTO} {log}"
