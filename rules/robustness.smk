# What another lamp or another camera costs every model, on changed test frames: `snakemake --cores all robustness`.


rule robustness_frames:
    input:
        FRAMES,
        "data/{dataset}/archive.zip",
        f"data/{{dataset}}/split/fold{PARAMS.folds[0]}/split.csv",
        code=code("scripts/robustness.py"),
    output:
        frames="data/{dataset}/robustness/frames.npy",
        record="data/{dataset}/robustness/frames.json",
    log:
        "logs/{dataset}/robustness-frames.log",
    params:
        settings=settings("datasets.{dataset}"),
        frames_per_run=PARAMS.robustness.frames_per_run,
    shell:
        "python scripts/robustness.py frames --dataset {wildcards.dataset} --data data/{wildcards.dataset}"
        " --output {output.frames} {INTO} {log}"


rule robustness_predictions:
    input:
        FRAMES,
        rules.robustness_frames.output.record,
        changed=rules.robustness_frames.output.frames,
        networks=expand(
            "models/{{dataset}}/{{model}}/fold{fold}/seed{seed}/model.safetensors",
            fold=PARAMS.folds[0],
            seed=PARAMS.seeds,
        ),
        code=code("scripts/robustness.py"),
    output:
        predictions="results/{dataset}/trust/robustness/{model}.csv",
        record="results/{dataset}/trust/robustness/{model}.json",
    log:
        "logs/{dataset}/{model}-robustness.log",
    threads: PARAMS.hardware.threads
    resources:
        gpu=gpu,
    params:
        settings=settings("hardware"),
        fold=f"fold{PARAMS.folds[0]}",
    shell:
        "python scripts/robustness.py predict --dataset {wildcards.dataset}"
        " --data data/{wildcards.dataset} --trained models/{wildcards.dataset}/{wildcards.model}/{params.fold}"
        " --changed {input.changed} --output {output.predictions} {INTO} {log}"


rule robustness_table:
    input:
        FRAMES,
        f"data/{{dataset}}/split/fold{PARAMS.folds[0]}/split.csv",
        rules.robustness_frames.output,
        expand(
            rules.robustness_predictions.output,
            model=PARAMS.compare.models,
            allow_missing=True,
        ),
        expand(
            "results/{{dataset}}/evaluation/{model}/fold{fold}/seed{seed}/predictions.csv",
            model=PARAMS.compare.models,
            fold=PARAMS.folds[0],
            seed=PARAMS.seeds,
        ),
        code=code("scripts/robustness.py"),
    output:
        expand(
            "results/{{dataset}}/trust/{file}",
            file=[
                "robustness.md",
                "robustness.tex",
                "robustness.png",
                "robustness_escapes.csv",
                "robustness_escapes.md",
                "robustness_escapes.tex",
            ],
        ),
        table="results/{dataset}/trust/robustness.csv",
    log:
        "logs/{dataset}/robustness.log",
    params:
        settings=settings("seeds", "folds", "compare", "per_dataset.{dataset}.compare"),
    shell:
        "python scripts/robustness.py table --dataset {wildcards.dataset} --data data/{wildcards.dataset}"
        " --trained models/{wildcards.dataset} --output {output.table} {INTO} {log}"


rule robustness:
    input:
        f"results/{PARAMS.dataset}/trust/robustness.md",
