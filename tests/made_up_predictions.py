"""Small worlds of invented predictions: a whole tree of data, trainings and evaluations, as the stages write it."""

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from weldbench.config import Params
from weldbench.config.evidence import Compare
from weldbench.data.dataset import split_id
from weldbench.pipeline.provenance import Project
from weldbench.reporting.compare import Findings, gather

ROOT = Path(__file__).parents[1]

CLASSES = ["good_weld", "burn_through", "contamination", "lack_of_fusion", "lack_of_shielding_gas", "high_travel_speed"]


def predictions(classes, labels, probabilities, runs, split="test", first_row=0) -> pd.DataFrame:
    """A table as predictions.csv holds it; labels are numbers."""
    return pd.DataFrame(
        {
            "split_id": "0" * 12,
            "split": split,
            "row": np.arange(first_row, first_row + len(labels)),
            "run": runs,
            "label": [classes[number] for number in labels],
            **{name: np.asarray(probabilities)[:, number] for number, name in enumerate(classes)},
        }
    )


def certain(classes, labels, predicted, runs, **rest) -> pd.DataFrame:
    """A table of predictions in which every frame has all its probability on one class."""
    return predictions(classes, labels, np.eye(len(classes))[np.asarray(predicted)], runs, **rest)


@dataclass
class World:
    """A dataset with models of known skill; `write` makes its files below a folder."""

    dataset: str = "weldsim"
    classes: list = field(default_factory=lambda: list(CLASSES))
    runs_per_class: dict = field(default_factory=lambda: {"train": 3, "valid": 2, "test": 3})
    frames_per_run: int = 30
    skills: dict = field(default_factory=lambda: {"full_con6": 0.6, "conv6": 0.8, "resnet18": 0.95})
    seeds: tuple = (0, 1, 2)
    folds: tuple = (0,)
    single_run_class: str = ""
    absent_test_class: str = ""
    never_predicted: dict = field(default_factory=dict)
    simulated_frames: dict = field(default_factory=dict)  # of a model, if it learned from any
    valid_doubts: list = field(default_factory=list)  # why valid cannot choose
    settings: dict = field(default_factory=dict)  # of a model's trainings, beside balance and cap
    balance: dict = field(default_factory=dict)  # of a model, if it is not none
    cap: int = 1000  # of those that undersample
    margin: float = 4.0  # of the said class's logit over noise of standard deviation 1
    seed: int = 0

    def write(self, root: Path) -> None:
        random = np.random.default_rng(self.seed)
        manifest = self._manifest()
        data = root / "data" / self.dataset
        data.mkdir(parents=True)
        manifest.to_csv(data / "manifest.csv", index=False)
        frames = random.integers(0, 80, (len(manifest), 48, 48), dtype=np.uint8)
        for number, name in enumerate(self.classes):
            frames[manifest["label"] == name, 8:40, 4 + 6 * number : 10 + 6 * number] += 120
        np.save(data / "frames.npy", frames)
        counts = {
            split: {
                name: int(((manifest["label"] == name) & (manifest["published_split"] == split)).sum())
                for name in self.classes
            }
            for split in ("train", "valid", "test")
        }
        inventory = {
            "dataset": self.dataset,
            "classes": self.classes,
            "frame_height_px": 48,
            "frame_width_px": 48,
            "frames": len(manifest),
            "counts": counts,
            "runs": {},
            "rejected": [],
            "notes": ["All frames are invented."],
        }
        (data / "inventory.json").write_text(json.dumps(inventory))
        for fold in self.folds:
            self._write_fold(root, fold, manifest, random)

    def _manifest(self) -> pd.DataFrame:
        lines = []
        for split, runs in self.runs_per_class.items():
            for name in self.classes:
                if split == "test" and name == self.absent_test_class:
                    continue
                count = 1 if name == self.single_run_class else runs
                for number in range(count):
                    run = f"{split}-{name}-{number}"
                    lines += [
                        {"path": f"{run}/image-{frame:04d}.png", "run": run, "label": name, "published_split": split}
                        for frame in range(self.frames_per_run)
                    ]
        lines.sort(key=lambda line: (line["published_split"], line["path"]))
        manifest = pd.DataFrame(lines)
        manifest.insert(0, "row", np.arange(len(manifest)))
        return manifest.assign(width_px=48, height_px=48, sha256="0" * 64)

    def _write_fold(self, root, fold, manifest, random) -> None:
        folder = root / "data" / self.dataset / "split" / f"fold{fold}"
        folder.mkdir(parents=True)
        split = manifest[["row", "published_split"]].rename(columns={"published_split": "split"})
        split.to_csv(folder / "split.csv", index=False)
        audit = {"strategy": "published", "leaks": [], "notes": ["No run stands in two splits."]}
        (folder / "audit.json").write_text(json.dumps(audit))
        scored = manifest[manifest["published_split"] != "train"]
        for model, skill in self.skills.items():
            hard = {run: random.beta(8 * skill, 8 * (1 - skill)) for run in scored["run"].unique()}
            for seed in self.seeds:
                place = Path(self.dataset) / model / f"fold{fold}" / f"seed{seed}"
                self._write_predictions(root, place, scored, hard, random, split_id(folder / "split.csv"), model)
                self._write_training(root / "models" / place, model, fold, seed, random)

    def _write_predictions(self, root, place, scored, hard, random, split_name, model) -> None:
        labels = scored["label"].map({name: number for number, name in enumerate(self.classes)}).to_numpy()
        right = random.random(len(scored)) < scored["run"].map(hard).to_numpy()
        wrong = (labels + random.integers(1, len(self.classes), len(scored))) % len(self.classes)
        logits = random.normal(0, 1, (len(scored), len(self.classes)))
        logits[np.arange(len(scored)), np.where(right, labels, wrong)] += self.margin
        if model in self.never_predicted:
            logits[:, self.classes.index(self.never_predicted[model])] = -20
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        table = predictions(self.classes, labels, probabilities, scored["run"].to_numpy())
        table = table.assign(
            split_id=split_name, split=scored["published_split"].to_numpy(), row=scored["row"].to_numpy()
        )
        path = root / "results" / place.parts[0] / "evaluation" / Path(*place.parts[1:]) / "predictions.csv"
        path.parent.mkdir(parents=True)
        table.sort_values("row").to_csv(path, index=False, float_format="%.8f")

    def _learned_from(self, model) -> dict:
        runs = self.runs_per_class["train"]
        found = {"frames": runs * self.frames_per_run, "runs": runs}
        if self.balance.get(model) == "undersample":
            found = {"frames": min(self.cap, found["frames"]), "runs": -(-self.cap // self.frames_per_run)}
        total = {key: len(self.classes) * count for key, count in found.items()}
        return dict.fromkeys(self.classes, found) | {"total": total}

    def _write_training(self, folder, model, fold, seed, random) -> None:
        folder.mkdir(parents=True)
        epochs = np.arange(1, 9)
        history = pd.DataFrame(
            {
                "epoch": epochs,
                "step": epochs * 10,
                "learning_rate": 0.01,
                "train_loss": 1.8 / epochs + random.random(8) / 10,
                "valid_loss": 1.9 / epochs + random.random(8) / 5,
                "valid_macro_f1": self.skills[model] * (1 - 1 / (1 + epochs)),
                "seconds": 1.0,
                "frames_per_second": 1000.0,
            }
        )
        history.to_csv(folder / "history.csv", index=False)
        facts = {
            "model": model,
            "dataset": self.dataset,
            "fold": fold,
            "seed": seed,
            "best_epoch": 8,
            "valid_macro_f1": float(history["valid_macro_f1"].iloc[-1]),
            "selection": {"by": "last" if self.valid_doubts else "valid", "doubts": self.valid_doubts},
            "notes": [],
            "parameters": 100_000 * len(model),
            "device": "cpu",
            "precision": "fp32",
            "threads": 1,
            "seconds": 8.0 + random.random(),
            "inference_ms": {"alone": 2.0, "batched": 0.5},
            "simulated_frames": self.simulated_frames.get(model, 0),
            "peak_memory_mb": 300,
            "settings": {"balance": self.balance.get(model, "none"), "cap": self.cap, **self.settings.get(model, {})},
            "learned_from": self._learned_from(model),
        }
        (folder / "training.json").write_text(json.dumps(facts))


def write_records(root: Path, params: Params, dataset: str = "weldsim") -> None:
    """Let every file of a world say that it was made from these parameters, as the stages do; networks are invented."""
    with contextlib.chdir(root):
        for record in Project.here(params, dataset).records(params.compare.models):
            if record.stage == "train":
                record.outputs["model.safetensors"].write_bytes(str(record.path).encode())
            if record.stage == "evaluate":
                record.path.write_text("{}")
            if record.path.exists():
                record.add()


def conclude(world: World, root: Path, **changes) -> Findings:
    """Write a world's files below `root`, and gather what the tables and figures are made from."""
    world.write(root)
    return read_all(world, root, **changes)


def read_all(world: World, root: Path, **changes) -> Findings:
    """Gather that from the files of a world that lie there; `changes` are of the section `compare`."""
    settings = Compare(models=list(world.skills), bootstrap_draws=500, **changes)
    return gather(
        world.dataset,
        settings,
        vote_frames=5,
        seeds=world.seeds,
        folds=world.folds,
        data=root / "data" / world.dataset,
        trained=root / "models" / world.dataset,
        evaluation=root / "results" / world.dataset / "evaluation",
        published=ROOT / "reference/published.yaml",
        lock=ROOT / "requirements.lock",
    )
