# What exported models do with frames that they have not learned: `snakemake --cores all unknown`. Each model is trained
# again without one defect after the other: seconds for a frozen backbone, as long as its training for any other network.


rule judge_strangers:
    input:
        FRAMES,
        f"data/{{dataset}}/split/fold{PARAMS.folds[0]}/split.csv",
        [
            f"exports/{{dataset}}/{{model}}/{file}"
            for file in ("model.json", "novelty.npz")
        ],
        pretrained=starting_file("pretrained"),
        features=starting_file("features"),
        code=code("scripts/unknown.py"),
    output:
        "results/{dataset}/unknown/{model}/frames.csv",
        "results/{dataset}/unknown/{model}/strangers.json",
    log:
        "logs/{dataset}/{model}-unknown.log",
    threads: PARAMS.hardware.threads * PARAMS.hardware.devices
    resources:
        gpu=gpu,
    params:
        settings=settings(
            *TRAINING_SETTINGS,
            "compare.false_reject_rates",
            "export.unknown_share",
        ),
        start=starting_options,
    shell:
        "python scripts/unknown.py judge --dataset {wildcards.dataset} --data data/{wildcards.dataset}"
        " --export exports/{wildcards.dataset}/{wildcards.model} {params.start}"
        " --output results/{wildcards.dataset}/unknown/{wildcards.model} {INTO} {log}"


rule unknown_table:
    input:
        expand(
            rules.judge_strangers.output,
            model=PARAMS.export.models,
            allow_missing=True,
        ),
        code=code("scripts/unknown.py"),
    output:
        "results/{dataset}/trust/unknown.csv",
        "results/{dataset}/trust/unknown.md",
        "results/{dataset}/trust/unknown.tex",
        "results/{dataset}/trust/unknown.png",
    log:
        "logs/{dataset}/unknown.log",
    params:
        settings=settings("compare", "per_dataset.{dataset}.compare"),
        judged=lambda wildcards: " ".join(
            f"results/{wildcards.dataset}/unknown/{model}"
            for model in PARAMS.export.models
        ),
    shell:
        "python scripts/unknown.py table --dataset {wildcards.dataset} --judged {params.judged}"
        " --output results/{wildcards.dataset}/trust/unknown.md {INTO} {log}"


rule unknown:
    input:
        f"results/{PARAMS.dataset}/trust/unknown.md",
