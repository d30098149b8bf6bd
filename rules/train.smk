# From frames to trained networks: pretrain, train, finetune; features, train_head.


rule pretrain:
    input:
        code=code("scripts/pretrain.py"),
    output:
        "models/pretrained/{model}-simulated.safetensors",
    log:
        "logs/pretrained/{model}.log",
    priority: BACKBONE
    threads: PARAMS.hardware.threads
    resources:
        gpu=gpu,
    params:
        settings=settings("pretrain", "hardware", "models.{model}.architecture"),
    shell:
        "python scripts/pretrain.py --model {wildcards.model} --output {output} {INTO} {log}"


rule train:
    input:
        FRAMES,
        "data/{dataset}/split/fold{fold}/split.csv",
        code=code("scripts/train.py"),
    output:
        "models/{dataset}/{model}/fold{fold}/seed{seed}/model.safetensors",
        "models/{dataset}/{model}/fold{fold}/seed{seed}/history.csv",
        "models/{dataset}/{model}/fold{fold}/seed{seed}/training.json",
    log:
        "logs/{dataset}/{model}-fold{fold}-seed{seed}-train.log",
    wildcard_constraints:
        model=one_of(PARAMS.train.models),
    priority: TRAINING
    threads: PARAMS.hardware.threads * PARAMS.hardware.devices
    resources:
        gpu=gpu,
    params:
        settings=settings(*TRAINING_SETTINGS),
        start="",
    shell:
        "python scripts/train.py --dataset {wildcards.dataset} --model {wildcards.model} --seed {wildcards.seed}"
        " --data data/{wildcards.dataset} --split data/{wildcards.dataset}/split/fold{wildcards.fold}/split.csv"
        " {params.start}"
        " --output models/{wildcards.dataset}/{wildcards.model}/fold{wildcards.fold}/seed{wildcards.seed}"
        " {INTO} {log}"


use rule train as finetune with:
    input:
        FRAMES,
        "data/{dataset}/split/fold{fold}/split.csv",
        "models/pretrained/{model}-simulated.safetensors",
        code=code("scripts/train.py"),
    log:
        "logs/{dataset}/{model}-fold{fold}-seed{seed}-finetune.log",
    wildcard_constraints:
        model=one_of(PARAMS.finetune.models),
    params:
        settings=settings(*TRAINING_SETTINGS),
        start="--pretrained models/pretrained/{model}-simulated.safetensors",


rule features:
    input:
        FRAMES,
        expand("data/{{dataset}}/split/fold{fold}/split.csv", fold=PARAMS.folds),
        code=code("scripts/features.py"),
    output:
        "data/{dataset}/features/{model}.safetensors",
        "data/{dataset}/features/{model}.json",
    log:
        "logs/{dataset}/{model}-features.log",
    wildcard_constraints:
        model=one_of(PARAMS.features.models),
    priority: BACKBONE
    # As a training, so that a count of threads gives the same bytes everywhere.
    threads: PARAMS.hardware.threads
    resources:
        gpu=gpu,
    params:
        settings=settings("folds", *TRAINING_SETTINGS),
    shell:
        "python scripts/features.py --dataset {wildcards.dataset} --model {wildcards.model}"
        " --data data/{wildcards.dataset} --splits data/{wildcards.dataset}/split"
        " --output data/{wildcards.dataset}/features/{wildcards.model}.safetensors {INTO} {log}"


use rule train as train_head with:
    input:
        FRAMES,
        "data/{dataset}/split/fold{fold}/split.csv",
        "data/{dataset}/features/{model}.safetensors",
        code=code("scripts/train.py"),
    log:
        "logs/{dataset}/{model}-fold{fold}-seed{seed}-train_head.log",
    wildcard_constraints:
        model=one_of(PARAMS.features.models),
    params:
        settings=settings(*TRAINING_SETTINGS),
        start="--features data/{dataset}/features/{model}.safetensors",
