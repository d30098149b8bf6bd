"""What each way of learning is worth on few real frames.

    python benchmarks/real_frames.py FOLDER [--seeds N] [--only NAME ...] [--backbone FILE] [--record]

FOLDER holds frames in the published layout, with the splits train and valid. Each way learns from all of one and is
tested on all of the other, then the other way round; nothing is chosen on what it is tested on. The ways:

- scratch: ResNet-18 from random weights, `models.resnet18_scratch` of params.yaml;
- simulated: ResNet-18 from simulated frames, `models.resnet18`;
- imagenet_frozen: EfficientNet-Lite0 from ImageNet, only its last layer learns, from real frames alone;
- imagenet_frozen_simulated: the same, from real and simulated frames, `models.efficientnet_lite0`;
- imagenet_finetuned: EfficientNet-Lite0 from ImageNet, all layers learn from real frames;
- imagenet_simulated_real: the same, but first from simulated frames, then from real ones.

For each way: NAME_macro_f1, the mean of both directions; NAME_train_valid and NAME_valid_train, learned from the first
and tested on the second; NAME_f1_CLASS, means of both directions; NAME_seconds of one training with its features. A
round is a seed. `--seeds 1 --only NAME` is quick. The backbone of `simulated` is made first, or read with --backbone.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from results import Measured, machine, print_lines, write_section
from sklearn.metrics import f1_score

from weldbench.config import Params, load_params
from weldbench.config.models import Model
from weldbench.data.dataset import Dataset, open_dataset
from weldbench.models.features import write_features
from weldbench.models.files import TrainedInfo, save_network
from weldbench.models.inference import logits_of
from weldbench.runtime.atomic import write_json
from weldbench.runtime.hardware import Fabric, prepare
from weldbench.training.pretrain import pretrain_backbone
from weldbench.training.pretrain_settings import backbone_settings
from weldbench.training.probe import features_of_folds
from weldbench.training.setup import TrainingJob
from weldbench.training.simulated_frames import simulated_batches
from weldbench.training.train import train_network
from weldbench.weldsim import CLASSES

DIRECTIONS = (("train", "valid"), ("valid", "train"))
# Of EfficientNet-Lite0 where all of its layers learn.
FINETUNED = {
    "freeze": "none",
    "simulated_frames": 0,
    "input_size_px": 160,
    "other_sizes_px": [],
    "feature_stages": 1,
    "epochs": 10,
    "min_steps": 400,
    "batch_size": 16,
}
SIMULATED_FRAMES = 960  # that imagenet_simulated_real learns from before the real ones


@dataclass(frozen=True)
class Bench:
    """What all trainings share: where the frames are, and where files may go."""

    fabric: Fabric
    params: Params
    data: Dataset
    folder: Path
    backbone: Path

    def train(
        self, settings: Model, learned: str, seed: int, pretrained: Path | None = None, data: Dataset | None = None
    ) -> TrainedInfo:
        """Train on all frames of one split and keep the last weights: what the others score chooses nothing."""
        data = data or self.data
        split = self.folder / "split.csv"
        rest = np.where(data.manifest["row"] % 2, "valid", "test")
        names = np.where(data.manifest["published_split"] == learned, "train", rest)
        pd.DataFrame({"row": data.manifest["row"], "split": names}).to_csv(split, index=False)
        settings = settings.model_copy(update={"select": "last", "balance": "none"})
        job = TrainingJob(
            name="real",
            dataset=data,
            split=split,
            fold=0,
            settings=settings,
            train=self.params.train,
            hardware=self.params.hardware,
            seed=seed,
            split_seed=0,
            pretrained=pretrained,
            features=self.features(settings, learned) if settings.freeze == "backbone" else None,
        )
        return train_network(self.fabric, job, self.folder / "checkpoint.safetensors", lambda line: None)

    def features(self, settings: Model, learned: str) -> Path:
        """Compute the features of a frozen backbone once for all seeds."""
        path = self.folder / f"{learned}-{settings.simulated_frames}.safetensors"
        if not path.exists():
            started = time.perf_counter()
            places = {0: self.folder}  # of split.csv
            found = features_of_folds(self.fabric, settings, self.params.train.augment, self.data, places, split_seed=0)
            write_features(path, found)
            write_json(path.with_suffix(".json"), {"seconds": time.perf_counter() - started})
        return path

    def f1(self, settings: Model, learned: str, tested: str, seed: int, pretrained: Path | None = None) -> np.ndarray:
        """Train, and score every frame of the other split: F1 of each class."""
        result = self.train(settings, learned, seed, pretrained)
        rows = self.data.manifest.loc[self.data.manifest["published_split"] == tested, "row"]
        split = self.data.load_split(pd.DataFrame({"row": rows, "split": tested}), tested, settings.input_size_px)
        said = logits_of(self.fabric, result.network, split, result.normalization).argmax(1).numpy()
        return f1_score(split.labels, said, labels=range(len(self.data.classes)), average=None, zero_division=0)

    def way(self, name: str, learned: str, tested: str, seed: int) -> np.ndarray:
        """Learn in one way and return F1 of each class."""
        models = self.params.models
        lite = models["efficientnet_lite0"]
        match name:
            case "scratch":
                return self.f1(models["resnet18_scratch"], learned, tested, seed)
            case "simulated":
                return self.f1(models["resnet18"], learned, tested, seed, self.backbone)
            case "imagenet_frozen":
                return self.f1(lite.model_copy(update={"simulated_frames": 0}), learned, tested, seed)
            case "imagenet_frozen_simulated":
                return self.f1(lite, learned, tested, seed)
            case "imagenet_finetuned":
                return self.f1(lite.model_copy(update=FINETUNED), learned, tested, seed)
            case "imagenet_simulated_real":
                start = self.taught_by_simulated_frames(lite.model_copy(update=FINETUNED), seed)
                return self.f1(lite.model_copy(update=FINETUNED | {"init": "simulated"}), learned, tested, seed, start)
        raise ValueError(name)

    def taught_by_simulated_frames(self, settings: Model, seed: int) -> Path:
        """Let a network from ImageNet learn from simulated frames, and return its file."""
        path = self.folder / f"simulated-seed{seed}.safetensors"
        if not path.exists():
            size_px, classes = settings.input_size_px, self.data.classes
            batches = list(simulated_batches(SIMULATED_FRAMES, size_px, classes))
            labels = np.concatenate([labels for _, labels in batches])
            rows = np.arange(len(labels))
            manifest = pd.DataFrame(
                {
                    "row": rows,
                    "path": [f"simulated/{row:06d}" for row in rows],
                    "run": "simulated",
                    "label": np.array(classes)[labels],
                    "published_split": np.where(rows < 9 * len(rows) // 10, "train", "valid"),
                    "sha256": "",
                }
            )
            frames = np.concatenate([frames for frames, _ in batches])
            simulated = Dataset(frames, manifest, classes, self.data.folder, self.data.good_class)
            result = self.train(settings, "train", seed, data=simulated)
            info = TrainedInfo(settings, classes, result.normalization, "simulated", None, seed)
            save_network(path, result.network.state_dict(), info)
        return path


WAYS = (
    "scratch",
    "simulated",
    "imagenet_frozen",
    "imagenet_frozen_simulated",
    "imagenet_finetuned",
    "imagenet_simulated_real",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", type=Path, help="folder in the published layout, with train and valid")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--backbone", type=Path, help="of resnet18, made by scripts/pretrain.py")
    parser.add_argument("--record", action="store_true", help="also write the section of RESULTS.md")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = prepare_bench(arguments.frames, Path(folder), arguments.backbone, "simulated" in arguments.only)
        measured = [line for name in arguments.only for line in measure(bench, name, arguments.seeds)]
        print_lines(measured)
        if arguments.record:
            introduction = (
                f"{len(bench.data.manifest)} real frames, half to learn from, the others, of other runs, to be tested "
                "on, and the other way round; a round is a seed. "
            )
            hardware = bench.params.hardware
            write_section(
                "Few real frames: the ways to learn", introduction + machine(hardware, bench.fabric), measured
            )


def prepare_bench(frames: Path, folder: Path, backbone: Path | None, needs_backbone: bool) -> Bench:
    """Ingest the frames as the pipeline does, and make the backbone where it is needed and not given."""
    raw = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    raw["datasets"]["real"] = {"source": "local", "path": str(frames.resolve()), "classes": list(CLASSES)}
    raw["dataset"] = "real"
    written = folder / "params.yaml"
    written.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    for script, places in (("fetch", []), ("ingest", ["--output", folder])):
        command = [sys.executable, f"scripts/{script}.py", "--params", written, "--dataset", "real"]
        subprocess.run([*command, "--archive", folder / "archive.zip", *places], check=True)
    params = load_params(written).for_dataset("real")
    fabric = prepare(params.hardware)
    if needs_backbone and backbone is None:
        backbone = folder / "backbone.safetensors"
        settings = backbone_settings(params.models["resnet18"], params.pretrain)
        pretrain_backbone(fabric, settings, params.pretrain, params.hardware, backbone)
    return Bench(fabric, params, open_dataset(folder), folder, backbone or folder)


def measure(bench: Bench, name: str, seeds: int) -> list[Measured]:
    """Learn in one way, in both directions, with every seed."""
    scores, seconds = np.empty((seeds, len(DIRECTIONS), len(bench.data.classes))), []
    for seed in range(seeds):
        for number, (learned, tested) in enumerate(DIRECTIONS):
            started = time.perf_counter()
            scores[seed, number] = bench.way(name, learned, tested, seed)
            if seed == 0:  # later ones find features and simulated lessons ready
                seconds.append(time.perf_counter() - started)
        print(f"{name}, seed {seed}: {scores[seed].mean(1).round(3)}", file=sys.stderr, flush=True)
    macro_f1 = scores.mean(2)  # (seeds, directions)
    lines = [Measured(f"{name}_macro_f1", macro_f1.mean(1).tolist(), "1")]
    lines += [
        Measured(f"{name}_{learned}_{tested}", macro_f1[:, number].tolist(), "1")
        for number, (learned, tested) in enumerate(DIRECTIONS)
    ]
    lines += [
        Measured(f"{name}_f1_{label}", scores[:, :, number].mean(1).tolist(), "1")
        for number, label in enumerate(bench.data.classes)
    ]
    return [*lines, Measured(f"{name}_seconds", seconds, "s")]


if __name__ == "__main__":
    main()
