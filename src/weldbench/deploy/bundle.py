"""An exported model as a folder: its graphs, and model.json, which says what they are and how to decide by them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weldbench.deploy.promise import Promise
from weldbench.errors import InputError
from weldbench.runtime.atomic import write_json

FORMAT = 2
LARGEST_SIDE_PX = 4096  # up to this height and width of a frame its scaling in the graph is exact
DESCRIPTION = "model.json"
RESIZE, FP32, INT8, HEAT = "resize.onnx", "model.onnx", "model.int8.onnx", "heat.onnx"
NOVELTY = "novelty.npz"
DRIFT, INT8_DRIFT = "drift.npz", "drift.int8.npz"
_AGAIN = "copy the folder again, or export the model again"


@dataclass(frozen=True)
class Bundle:
    """An exported model, as `load_bundle` checked it.

    The main graph takes `frames`, uint8 of shape (N, H, W), any height and width up to 4096, and gives `probabilities`,
    float32 (N, K), `features`, float32 (N, F), `levels`, the frames as the network sees them, uint8 (N, S, S), and,
    where it costs next to nothing, `heat`, float32 (N, h, w).

    Attributes:
        folder: Where it lies.
        model: Architecture, such as `resnet18`.
        dataset: That it was trained on.
        classes: Names in label order.
        good_class: Name of the good class, the first one; None where every class is a defect.
        thresholds: Share of good frames that may be rejected -> threshold of 1 - P(good), above which a frame is
            defective; empty without a good class.
        vote_frames: Window of the majority vote over a film, in frames.
        frame_size_px: Height and width to which ingest scaled the frames.
        input_size_px: Height and width of the network's input.
        temperature: Makes calibrated probabilities of those of the network (`trust/scaling.py`), fitted on valid; None
            where valid has no frame.
        promises: About escapes, one for each window of the vote that can be chosen; empty without a good class or a
            defective weld in test.
        lineage: The training behind it: fold, seed, score on valid, sha256 of the trained network.
        resize_path: The first part of the main graph alone, from `frames` to `levels`.
        network_path: The main graph in float32.
        int8_path: The same in 8-bit integers; None where it lost too much.
        heat_path: A graph that gives only `heat`, of one frame; None where the main graph gives it, or nothing does.
        drift_path: What a weld is like in training, for `deploy.drift`; None where the runs were too few.
        int8_drift_path: The same as the graph in 8 bits sees it; None without that graph.
        drift: A sentence on the drift check, or why there is none.
        novelty_path: What `features` are like in training, for `deploy.novelty`; None where that is not known.
    """

    folder: Path
    model: str
    dataset: str
    classes: tuple[str, ...]
    good_class: str | None
    thresholds: Mapping[float, float]
    vote_frames: int
    frame_size_px: int
    input_size_px: int
    lineage: Mapping[str, Any]
    resize_path: Path
    network_path: Path
    int8_path: Path | None = None
    heat_path: Path | None = None
    novelty_path: Path | None = None
    drift_path: Path | None = None
    int8_drift_path: Path | None = None
    drift: str = "no drift check: the export has none"
    temperature: float | None = None
    promises: tuple[Promise, ...] = ()

    @property
    def uncalibrated(self) -> str:
        """Say why valid is too small to choose thresholds; empty where it is not."""
        return " and ".join(self.lineage.get("valid_doubts", []))


def save_bundle(bundle: Bundle, made_from: Mapping[str, Any]) -> None:
    """Write model.json into the folder of a bundle; it names the sha256 of all other files there.

    Args:
        bundle: The export, whose graphs lie there.
        made_from: As in `pipeline.records`.
    """
    described = {
        "format": FORMAT,
        "model": bundle.model,
        "dataset": bundle.dataset,
        "classes": list(bundle.classes),
        "good_class": bundle.good_class,
        "thresholds": [
            {"false_rejects": rate, "threshold": threshold} for rate, threshold in sorted(bundle.thresholds.items())
        ],
        "temperature": bundle.temperature,
        "promises": [promise.described() for promise in bundle.promises],
        "drift": bundle.drift,
        "vote_frames": bundle.vote_frames,
        "frame_size_px": bundle.frame_size_px,
        "input_size_px": bundle.input_size_px,
        "lineage": dict(bundle.lineage),
        "made_from": dict(made_from),
        "outputs": {path.name: _sha256(path) for path in files_of(bundle.folder)},
    }
    write_json(bundle.folder / DESCRIPTION, described)


def files_of(folder: Path) -> list[Path]:
    """List the files of an export besides model.json, by name."""
    return sorted(path for path in folder.iterdir() if path.name != DESCRIPTION and not path.name.startswith("."))


def load_bundle(folder: Path | str) -> Bundle:
    """Read model.json and check the graphs beside it against the sums in it.

    Raises:
        InputError: The folder holds no export, a graph is missing or damaged, or another weldbench wrote it.
    """
    folder = Path(folder)
    path = folder / DESCRIPTION
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: there is no such file; name a folder that the stage export wrote") from None
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: this file cannot be read: {error}; {_AGAIN}") from None
    number = described.get("format") if isinstance(described, dict) else None
    if isinstance(number, int) and number > FORMAT:
        raise InputError(
            f"{path}: it has format {number}, and this weldbench reads up to {FORMAT}; install a newer weldbench"
        )
    if isinstance(number, int) and 1 <= number < FORMAT:
        raise InputError(
            f"{path}: an older weldbench wrote this export (it has format {number}, and this one reads {FORMAT}); "
            "export the model again"
        )
    try:
        bundle = _bundle(folder, described)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: this is no description of an export ({error!r}); {_AGAIN}") from None
    _refuse_damaged(folder, {name: described["outputs"][name] for name in _used(described)})
    return bundle


def _bundle(folder: Path, described: Mapping[str, Any]) -> Bundle:
    if described["format"] != FORMAT:
        raise ValueError(f"format {described['format']!r}")
    classes, good_class, files = described["classes"], described["good_class"], _used(described)
    if len(classes) < 2 or not all(isinstance(name, str) for name in classes) or good_class not in (None, classes[0]):
        raise ValueError("classes and good_class contradict each other")
    if missing := {RESIZE, FP32} - files:
        raise KeyError(missing)
    counts = {key: described[key] for key in ("vote_frames", "frame_size_px", "input_size_px")}
    if not all(isinstance(count, int) and count > 0 for count in counts.values()):
        raise ValueError(f"{counts} are not all counts")
    temperature = described["temperature"]
    if temperature is not None and not 0 < float(temperature) < float("inf"):
        raise ValueError(f"a temperature of {temperature}")
    return Bundle(
        folder=folder,
        model=str(described["model"]),
        dataset=str(described["dataset"]),
        classes=tuple(classes),
        good_class=good_class,
        thresholds={float(entry["false_rejects"]): float(entry["threshold"]) for entry in described["thresholds"]},
        **counts,
        lineage=dict(described["lineage"]),
        resize_path=folder / RESIZE,
        network_path=folder / FP32,
        int8_path=folder / INT8 if INT8 in files else None,
        heat_path=folder / HEAT if HEAT in files else None,
        novelty_path=folder / NOVELTY if NOVELTY in files else None,
        drift_path=folder / DRIFT if DRIFT in files else None,
        int8_drift_path=folder / INT8_DRIFT if INT8_DRIFT in files else None,
        drift=str(described["drift"]),
        temperature=temperature if temperature is None else float(temperature),
        promises=tuple(Promise.of(promise) for promise in described["promises"]),
    )


def _used(described: Mapping[str, Any]) -> set[str]:
    return {RESIZE, FP32, INT8, HEAT, NOVELTY, DRIFT, INT8_DRIFT} & set(described["outputs"])


def _refuse_damaged(folder: Path, sums: Mapping[str, str]) -> None:
    for name, expected in sums.items():
        path = folder / name
        try:
            found = _sha256(path)
        except FileNotFoundError:
            raise InputError(f"{path}: {DESCRIPTION} names this file, and it is missing; {_AGAIN}") from None
        if found != expected:
            raise InputError(f"{path}: this file is damaged, or of another export than {DESCRIPTION}; {_AGAIN}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
