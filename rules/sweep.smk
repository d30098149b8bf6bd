# The search over depth, training length and learning rate, chosen on valid: `snakemake --cores all sweep`.


def sweep_points(wildcards):
    grid = PARAMS.for_dataset(wildcards.dataset).sweep
    return expand(
        "results/{dataset}/sweep/points/{model}-{epochs}-{learning_rate}.json",
        dataset=wildcards.dataset,
        model=grid.models,
        epochs=grid.epochs,
        learning_rate=grid.learning_rates,
    )


def same_for_all_points(wildcards):
    of_sweep = PARAMS.for_dataset(wildcards.dataset).sweep
    grid = {"models", "epochs", "learning_rates"}
    return of_sweep.model_dump_json(exclude=grid)


rule sweep_point:
    input:
        FRAMES,
        f"data/{{dataset}}/split/fold{PARAMS.folds[0]}/split.csv",
        code=code("scripts/sweep.py"),
    output:
        "results/{dataset}/sweep/points/{model}-{epochs}-{learning_rate}.json",
    log:
        "logs/{dataset}/sweep-{model}-{epochs}-{learning_rate}.log",
    wildcard_constraints:
        model="|".join(PARAMS.sweep.models),
        epochs=r"\d+",
        learning_rate=r"[\d.]+(e-?\d+)?",
    threads: PARAMS.hardware.threads * PARAMS.hardware.devices
    resources:
        gpu=gpu,
    params:
        settings=settings(*TRAINING_SETTINGS),
        sweep=same_for_all_points,
        fold=f"fold{PARAMS.folds[0]}",
    shell:
        "python scripts/sweep.py point --dataset {wildcards.dataset} --model {wildcards.model}"
        " --epochs {wildcards.epochs} --learning-rate {wildcards.learning_rate}"
        " --data data/{wildcards.dataset} --split data/{wildcards.dataset}/split/{params.fold}/split.csv"
        " --output {output} {INTO} {log}"


rule sweep_table:
    input:
        points=sweep_points,
        code=code("scripts/sweep.py"),
    output:
        "results/{dataset}/sweep/sweep.csv",
        "results/{dataset}/sweep/sweep.md",
        "results/{dataset}/sweep/sweep.tex",
        "results/{dataset}/sweep/sweep.png",
    log:
        "logs/{dataset}/sweep.log",
    shell:
        "python scripts/sweep.py table --points {input.points} --output results/{wildcards.dataset}/sweep"
        " {INTO} {log}"


rule sweep:
    input:
        f"results/{PARAMS.dataset}/sweep/sweep.md",
