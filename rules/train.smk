# From frames to trained networks: pretrain, train, finetune. One training has the whole GPU, where there is one.

gpu = int(
    PARAMS.hardware.device == "cuda"
    or (PARAMS.hardware.device == "auto" and bool(shutil.which("nvidia-smi")))
)


def one_of(models):
    """A pattern that matches these names; of no models, nothing."""
    return "|".join(models) or "(?!)"


TRAINED = [
    "models/{dataset}/{model}/fold{fold}/seed{seed}/model.safetensors",
    "models/{dataset}/{model}/fold{fold}/seed{seed}/history.csv",
    "models/{dataset}/{model}/fold{fold}/seed{seed}/run.json",
]


rule pretrain:
    input:
        code=code("scripts/pretrain.py"),
    output:
        "models/pretrained/{model}-simulated.safetensors",
    log:
        "logs/pretrained/{model}.log",
    threads: PARAMS.hardware.threads
    resources:
        gpu=gpu,
    params:
        settings=settings("pretrain", "hardware"),
    shell:
        "python scripts/pretrain.py --model {wildcards.model} --output {output} 2>&1 | tee {log}"


rule train:
    input:
        "data/{dataset}/frames.npy",
        "data/{dataset}/manifest.csv",
        "data/{dataset}/inventory.json",
        "data/{dataset}/split/fold{fold}/split.csv",
        code=code("scripts/train.py"),
    output:
        TRAINED,
    log:
        "logs/{dataset}/{model}-fold{fold}-seed{seed}-train.log",
    wildcard_constraints:
        model=one_of(PARAMS.train.models),
    threads: PARAMS.hardware.threads * PARAMS.hardware.devices
    resources:
        gpu=gpu,
    params:
        settings=settings("models.{model}", "train.augment", "hardware"),
    shell:
        "python scripts/train.py --dataset {wildcards.dataset} --model {wildcards.model} --seed {wildcards.seed}"
        " --data data/{wildcards.dataset} --split data/{wildcards.dataset}/split/fold{wildcards.fold}/split.csv"
        " --output models/{wildcards.dataset}/{wildcards.model}/fold{wildcards.fold}/seed{wildcards.seed}"
        " 2>&1 | tee {log}"


rule finetune:
    input:
        "data/{dataset}/frames.npy",
        "data/{dataset}/manifest.csv",
        "data/{dataset}/inventory.json",
        "data/{dataset}/split/fold{fold}/split.csv",
        "models/pretrained/{model}-simulated.safetensors",
        code=code("scripts/train.py"),
    output:
        TRAINED,
    log:
        "logs/{dataset}/{model}-fold{fold}-seed{seed}-finetune.log",
    wildcard_constraints:
        model=one_of(PARAMS.finetune.models),
    threads: PARAMS.hardware.threads * PARAMS.hardware.devices
    resources:
        gpu=gpu,
    params:
        settings=settings("models.{model}", "train.augment", "hardware"),
    shell:
        "python scripts/train.py --dataset {wildcards.dataset} --model {wildcards.model} --seed {wildcards.seed}"
        " --data data/{wildcards.dataset} --split data/{wildcards.dataset}/split/fold{wildcards.fold}/split.csv"
        " --pretrained models/pretrained/{wildcards.model}-simulated.safetensors"
        " --output models/{wildcards.dataset}/{wildcards.model}/fold{wildcards.fold}/seed{wildcards.seed}"
        " 2>&1 | tee {log}"
