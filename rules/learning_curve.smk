# Macro F1 over the number of training runs, on the test frames of the comparison: `snakemake --cores all learning_curve`.

SMALLER_SHARES = [share for share in PARAMS.compare.train_shares if share < 1]


rule learning_curve_point:
    input:
        FRAMES,
        "data/{dataset}/split/fold{fold}/split.csv",
        pretrained=starting_file("pretrained"),
        features=starting_file("features"),
        code=code("scripts/learning_curve.py"),
    output:
        "results/{dataset}/learning_curve/share{share}/{model}/fold{fold}/seed{seed}/split.csv",
        "results/{dataset}/learning_curve/share{share}/{model}/fold{fold}/seed{seed}/training.json",
        "results/{dataset}/learning_curve/share{share}/{model}/fold{fold}/seed{seed}/predictions.csv",
    log:
        "logs/{dataset}/learning_curve-share{share}-{model}-fold{fold}-seed{seed}.log",
    wildcard_constraints:
        share=r"0\.\d+|\d(\.\d+)?e-\d+",
    threads: PARAMS.hardware.threads * PARAMS.hardware.devices
    resources:
        gpu=gpu,
    params:
        settings=settings(*TRAINING_SETTINGS),
        folder="results/{dataset}/learning_curve/share{share}/{model}/fold{fold}/seed{seed}",
        start=starting_options,
    shell:
        "python scripts/learning_curve.py point --dataset {wildcards.dataset} --model {wildcards.model}"
        " --share {wildcards.share} --fold {wildcards.fold} --seed {wildcards.seed} --data data/{wildcards.dataset}"
        " {params.start} --output {params.folder} {INTO} {log}"


rule learning_curve_table:
    input:
        FRAMES,
        expand("data/{{dataset}}/split/fold{fold}/split.csv", fold=PARAMS.folds),
        expand(
            rules.learning_curve_point.output,
            share=SMALLER_SHARES,
            model=PARAMS.compare.models,
            fold=PARAMS.folds,
            seed=PARAMS.seeds,
            allow_missing=True,
        ),
        # All runs: these are the trainings of the comparison itself.
        expand(
            [
                "models/{dataset}/{model}/fold{fold}/seed{seed}/training.json",
                "results/{dataset}/evaluation/{model}/fold{fold}/seed{seed}/predictions.csv",
            ],
            model=PARAMS.compare.models,
            fold=PARAMS.folds,
            seed=PARAMS.seeds,
            allow_missing=True,
        )
        if 1 in PARAMS.compare.train_shares
        else [],
        code=code("scripts/learning_curve.py"),
    output:
        "results/{dataset}/learning_curve/learning_curve.csv",
        "results/{dataset}/learning_curve/learning_curve.md",
        "results/{dataset}/learning_curve/learning_curve.tex",
        "results/{dataset}/learning_curve/learning_curve.png",
    log:
        "logs/{dataset}/learning_curve.log",
    params:
        settings=settings("seeds", "folds", "compare", "per_dataset.{dataset}.compare"),
    shell:
        "python scripts/learning_curve.py table --dataset {wildcards.dataset} --data data/{wildcards.dataset}"
        " --trained models/{wildcards.dataset} --results results/{wildcards.dataset}"
        " --output results/{wildcards.dataset}/learning_curve {INTO} {log}"


rule learning_curve:
    input:
        f"results/{PARAMS.dataset}/learning_curve/learning_curve.md",
