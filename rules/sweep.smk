# The search over depth, training length and learning rate, chosen on valid: `snakemake --cores all sweep`.


def sweep_points(wildcards):
    grid = PARAMS.sweep.for_dataset(wildcards.dataset)
    return expand(
        "results/{dataset}/sweep/points/{model}-{epochs}-{learning_rate}.json",
        dataset=wildcards.dataset,
        model=grid.models,
        epochs=grid.epochs,
        learning_rate=grid.learning_rates,
    )


rule sweep_point:
    input:
        "data/{dataset}/frames.npy",
        "data/{dataset}/manifest.csv",
        "data/{dataset}/inventory.json",
        "data/{dataset}/split/fold0/split.csv",
        code=code("scripts/sweep.py"),
    output:
        "results/{dataset}/sweep/points/{model}-{epochs}-{learning_rate}.json",
    log:
        "logs/{dataset}/sweep-{model}-{epochs}-{learning_rate}.log",
    threads: PARAMS.hardware.threads
    resources:
        gpu=gpu,
    params:
        settings=settings("sweep", "models.{model}", "train.augment", "hardware"),
    shell:
        "python scripts/sweep.py point --dataset {wildcards.dataset} --model {wildcards.model}"
        " --epochs {wildcards.epochs} --learning-rate {wildcards.learning_rate}"
        " --data data/{wildcards.dataset} --split data/{wildcards.dataset}/split/fold0/split.csv"
        " --output {output} 2>&1 | tee {log}"


rule sweep_table:
    input:
        points=sweep_points,
        code=code("scripts/sweep.py"),
    output:
        "results/{dataset}/sweep/sweep.csv",
        "results/{dataset}/sweep/sweep.md",
        "results/{dataset}/sweep/sweep.png",
    log:
        "logs/{dataset}/sweep.log",
    shell:
        "python scripts/sweep.py table --points {input.points} --output results/{wildcards.dataset}/sweep"
        " 2>&1 | tee {log}"


rule sweep:
    input:
        f"results/{PARAMS.dataset}/sweep/sweep.md",
