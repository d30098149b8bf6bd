"""One seed of each model of the comparison, trained and evaluated by the project's own scripts; seconds of each.

    python benchmarks/one_seed.py FOLDER [--device cuda] [--models resnet18 ...]

FOLDER is what published_size.py made. Lines, for each model M as soon as it is through: train_M and evaluate_M, seconds
with the start of Python; epochs_M, seconds of its epochs alone; features_M and pretrain_M where the model needs these;
f1_M, macro F1 on test. The models come in the order of their time. At the end comparison_3_seeds: all trainings and
evaluations of three seeds, in minutes.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
MODELS = ("efficientnet_lite0", "conv6", "full_con6", "resnet18", "resnet18_scratch")
SEEDS = 3


def main() -> None:
    """Run all models, the fastest first."""
    arguments = parse_arguments()
    once_seconds, per_seed_seconds = 0.0, 0.0
    set_device(arguments.folder / "params.yaml", arguments.device, arguments.epochs)
    for model in arguments.models:
        once, each = run_model(arguments.folder, model)
        once_seconds, per_seed_seconds = once_seconds + once, per_seed_seconds + each
    print(f"comparison_{SEEDS}_seeds\t{(once_seconds + SEEDS * per_seed_seconds) / 60:.2f}\tmin", flush=True)


def run_model(folder: Path, model: str) -> tuple[float, float]:
    """Train and evaluate a model with seed 0; return the seconds of what every seed shares, and of one seed."""
    data, trained = folder / "data" / "ss304", folder / "models" / model
    split = data / "split" / "fold0" / "split.csv"
    common = ["--params", folder / "params.yaml", "--data", data]
    training = ["--dataset", "ss304", "--model", model, *common, "--split", split, "--seed", 0, "--output", trained]
    once = 0.0
    if model == "resnet18":
        backbone = folder / "models" / "backbone.safetensors"
        arguments = ["--params", folder / "params.yaml", "--model", model, "--output", backbone]
        once += timed(f"pretrain_{model}", "pretrain.py", *arguments)
        training += ["--pretrained", backbone]
    if model == "efficientnet_lite0":
        features = data / "features" / f"{model}.safetensors"
        arguments = ["--dataset", "ss304", "--model", model, *common, "--splits", data / "split", "--output", features]
        once += timed(f"features_{model}", "features.py", *arguments)
        training += ["--features", features]
    each = timed(f"train_{model}", "train.py", *training)
    facts = json.loads((trained / "training.json").read_text(encoding="utf-8"))
    print(f"epochs_{model}\t{facts['training_seconds']:.1f}\ts of {facts['epochs']}")
    evaluation = [*common, "--split", split, "--trained", trained / "model.safetensors"]
    each += timed(f"evaluate_{model}", "evaluate.py", *evaluation, "--output", folder / "results" / model)
    metrics = json.loads((folder / "results" / model / "metrics.json").read_text(encoding="utf-8"))
    print(f"f1_{model}\t{metrics['macro_f1']:.4f}\t1", flush=True)
    return once, each


def timed(name: str, script: str, *arguments: object) -> float:
    """Run a script and print a line of its seconds; its own messages go to stderr."""
    started = time.perf_counter()
    command = [sys.executable, str(ROOT / "scripts" / script), *map(str, arguments)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=sys.stderr, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    seconds = time.perf_counter() - started
    print(f"{name}\t{seconds:.1f}\ts", flush=True)
    return seconds


def set_device(path: Path, device: str, epochs: int | None) -> None:
    """Write the device, and an upper limit of epochs if there is one, into params.yaml."""
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    given["hardware"]["device"] = device
    if epochs:
        given["pretrain"]["steps"] = epochs
        for settings in [*given["models"].values(), *given["per_dataset"]["ss304"]["models"].values()]:
            settings |= {key: min(settings[key], epochs) for key in ("epochs", "min_steps") if key in settings}
    path.write_text(yaml.safe_dump(given, sort_keys=False), encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", choices=["auto", "cuda", "cpu"], default="cuda")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--epochs", type=int, help="upper limit, for a trial run")
    return parser.parse_args()


if __name__ == "__main__":
    main()
