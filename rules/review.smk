# The labels that are probably wrong, worst first, for `weldbench review`: `snakemake --cores all review`.

REVIEWING = PARAMS.features.models[:1]


rule review_labels:
    input:
        FRAMES,
        expand("data/{{dataset}}/split/fold{fold}/split.csv", fold=PARAMS.folds),
        expand("data/{{dataset}}/features/{model}.safetensors", model=REVIEWING),
        code=code("scripts/review.py"),
    output:
        "results/{dataset}/review.csv",
        "results/{dataset}/trust/review.csv",
        "results/{dataset}/trust/review.md",
        "results/{dataset}/trust/review.tex",
        "results/{dataset}/trust/review.png",
        "results/{dataset}/trust/review.json",
    log:
        "logs/{dataset}/review.log",
    # As a training, so that a count of threads gives the same bytes everywhere.
    threads: PARAMS.hardware.threads
    resources:
        gpu=gpu,
    params:
        settings=settings(
            "folds",
            *(f"models.{model}" for model in REVIEWING),
            *(f"per_dataset.{{dataset}}.models.{model}" for model in REVIEWING),
            "hardware",
            "compare",
            "per_dataset.{dataset}.compare",
        ),
        # Without one the script says what to do.
        model=REVIEWING[0] if REVIEWING else "efficientnet_lite0",
    shell:
        "python scripts/review.py --dataset {wildcards.dataset} --model {params.model} --data data/{wildcards.dataset}"
        " --listed results/{wildcards.dataset}/review.csv --output results/{wildcards.dataset}/trust {INTO} {log}"


rule review:
    input:
        f"results/{PARAMS.dataset}/review.csv",
