# From trained networks to files that a factory can run: export.


rule export:
    input:
        FRAMES,
        "data/{dataset}/archive.zip",
        [
            f"data/{{dataset}}/split/fold{PARAMS.folds[0]}/{file}"
            for file in ("split.csv", "audit.json")
        ],
        expand(
            "models/{{dataset}}/{{model}}/fold{fold}/seed{seed}/{file}",
            fold=PARAMS.folds[0],
            seed=PARAMS.seeds,
            file=["model.safetensors", "training.json"],
        ),
        # The card says which model of the comparison valid prefers.
        expand(
            "models/{{dataset}}/{compared}/fold{fold}/seed{seed}/training.json",
            compared=PARAMS.compare.models,
            fold=PARAMS.folds[0],
            seed=PARAMS.seeds,
        ),
        code=code("scripts/export.py"),
        template=expand(
            "notebooks/report_template/{file}",
            file=["conf.json", "index.html.j2", "style.css"],
        ),
    # Beside these there may be model.int8.onnx and heat.onnx.
    output:
        expand(
            "exports/{{dataset}}/{{model}}/{file}",
            file=[
                "model.onnx",
                "resize.onnx",
                "novelty.npz",
                "model.json",
                "parity.json",
                "latency.json",
                "calibration.json",
                "card.md",
                "card.html",
            ],
        ),
    log:
        "logs/{dataset}/{model}-export.log",
    priority: EXPORT
    params:
        settings=settings(
            "datasets.{dataset}",
            "seeds",
            "compare.models",
            "compare.false_reject_rates",
            "compare.escape_rate",
            "compare.confidence",
            "compare.bootstrap_draws",
            "compare.seed",
            "export.vote_frames",
            "export.unknown_share",
        ),
        fold=f"fold{PARAMS.folds[0]}",
    shell:
        "python scripts/export.py --dataset {wildcards.dataset} --data data/{wildcards.dataset}"
        " --split data/{wildcards.dataset}/split/{params.fold}/split.csv"
        " --trained models/{wildcards.dataset}/{wildcards.model}/{params.fold}"
        " --output exports/{wildcards.dataset}/{wildcards.model} {INTO} {log}"
