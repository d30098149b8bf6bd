# From trained networks to predictions, and pictures of what the networks look at: evaluate, explain.
from weldbench.reporting.sections.failures import EXPLANATION


rule evaluate:
    input:
        FRAMES,
        "data/{dataset}/split/fold{fold}/split.csv",
        "models/{dataset}/{model}/fold{fold}/seed{seed}/model.safetensors",
        code=code("scripts/evaluate.py"),
    output:
        "results/{dataset}/evaluation/{model}/fold{fold}/seed{seed}/predictions.csv",
        "results/{dataset}/evaluation/{model}/fold{fold}/seed{seed}/metrics.json",
        "results/{dataset}/evaluation/{model}/fold{fold}/seed{seed}/evaluation.json",
    log:
        "logs/{dataset}/{model}-fold{fold}-seed{seed}-evaluate.log",
    threads: PARAMS.hardware.threads
    resources:
        gpu=gpu,
    params:
        settings=settings("hardware"),
    shell:
        "python scripts/evaluate.py --data data/{wildcards.dataset}"
        " --split data/{wildcards.dataset}/split/fold{wildcards.fold}/split.csv"
        " --trained models/{wildcards.dataset}/{wildcards.model}/fold{wildcards.fold}/seed{wildcards.seed}/model.safetensors"
        " --features data/{wildcards.dataset}/features"
        " --output results/{wildcards.dataset}/evaluation/{wildcards.model}/fold{wildcards.fold}/seed{wildcards.seed}"
        " {INTO} {log}"


rule explain:
    input:
        FRAMES,
        f"models/{{dataset}}/{{model}}/fold{PARAMS.folds[0]}/seed{PARAMS.seeds[0]}/model.safetensors",
        f"results/{{dataset}}/evaluation/{{model}}/fold{PARAMS.folds[0]}/seed{PARAMS.seeds[0]}/predictions.csv",
        code=code("scripts/explain.py"),
    output:
        report(
            "results/{dataset}/explain/{model}.png",
            category="Models",
            caption=caption(EXPLANATION),
            labels={"what": "what drove decisions", "model": "{model}"},
        ),
    log:
        "logs/{dataset}/{model}-explain.log",
    threads: PARAMS.hardware.threads
    params:
        settings=settings("hardware"),
        replicate=f"fold{PARAMS.folds[0]}/seed{PARAMS.seeds[0]}",
    shell:
        "python scripts/explain.py --data data/{wildcards.dataset}"
        " --trained models/{wildcards.dataset}/{wildcards.model}/{params.replicate}/model.safetensors"
        " --predictions results/{wildcards.dataset}/evaluation/{wildcards.model}/{params.replicate}/predictions.csv"
        " --output {output} {INTO} {log}"
