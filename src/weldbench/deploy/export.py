"""The stage export: from the best training of a model to a folder that a factory can run, checked frame by frame."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from torch import nn

from weldbench.config.data import Dataset as DatasetSettings
from weldbench.config.evidence import Compare
from weldbench.data.dataset import Dataset, SplitFrames, open_dataset, read_split
from weldbench.deploy.archive_frames import archive_frames
from weldbench.deploy.bundle import FP32, HEAT, INT8, NOVELTY, RESIZE, Bundle, files_of, save_bundle
from weldbench.deploy.card import card
from weldbench.deploy.certainty import calibration_of, promises_of, said_of, temperature_of
from weldbench.deploy.drift_export import with_drift
from weldbench.deploy.graph import export_graphs, joined
from weldbench.deploy.latency import latencies
from weldbench.deploy.learned import fit_to_train, limits_on_valid
from weldbench.deploy.novelty import Features, write_novelty
from weldbench.deploy.parity import Cost, agreement_with_torch, cost_of_int8
from weldbench.deploy.quantize import quantized
from weldbench.deploy.runtimes import Session, installed_runtimes, open_session
from weldbench.deploy.trained import best_training, calibration_frames, probabilities_in_fp32, valid_scores
from weldbench.evaluation.operating_point import threshold_for
from weldbench.evaluation.training_records import about_preference
from weldbench.models.files import TrainedInfo, load_trained
from weldbench.pipeline.records import sha256
from weldbench.runtime.atomic import replacing, write_json, write_text
from weldbench.runtime.progress import track

_THREADS = 1  # more would change the last bits of probabilities, and so of thresholds
_REFERENCE = "onnxruntime fp32"  # the graph whose probabilities choose the thresholds


@dataclass(frozen=True)
class ExportJob:
    """What is exported, and from what.

    Attributes:
        dataset: Its section of `datasets`.
        data: Folder that ingest wrote; archive.zip lies in it.
        split: split.csv.
        trained: Folder of the trainings of one model and fold.
        compared: Model -> folder of its trainings of that fold, of all models that valid may prefer.
        seeds: Of the trainings.
        evidence: Shares of false rejects, each with a threshold; the wanted promise about escapes; and how intervals
            are computed.
        vote_frames: Window of the vote over a film, in frames.
        unknown_share: Share of good welds that may have a frame called unknown.
    """

    dataset: DatasetSettings
    data: Path
    split: Path
    trained: Path
    seeds: Sequence[int]
    evidence: Compare
    vote_frames: int
    unknown_share: float
    compared: Mapping[str, Path] = field(default_factory=dict)


def export_model(job: ExportJob, output: Path, made_from: Mapping[str, Any]) -> None:
    """Export the training with the best valid score into the folder `output`.

    Args:
        job: What is exported.
        output: Folder of the export; an earlier one there is replaced.
        made_from: As in `pipeline.records`.

    Raises:
        InputError: A training or the archive is missing, or the exported graph says something else than the network.
    """
    folder, training = best_training(job.trained, job.seeds)
    network, info = load_trained(folder / "model.safetensors")
    dataset, split_table = open_dataset(job.data, job.split), read_split(job.split)
    train, valid, test = (
        dataset.load_split(split_table, name, info.settings.input_size_px) for name in ("train", "valid", "test")
    )
    bundle, heat = _write_graphs(output, network, info, dataset, calibration_frames(train, len(info.classes)))
    facts = {key: training[key] for key in ("fold", "seed", "valid_macro_f1", "best_epoch", "parameters")}
    facts |= {"sha256": sha256(folder / "model.safetensors"), "valid_doubts": training["selection"]["doubts"]}
    bundle = replace(bundle, vote_frames=job.vote_frames, lineage=facts)
    sessions = _sessions(bundle)
    broken = _broken_int8(sessions, info.settings.input_size_px)
    sessions = {name: session for name, session in sessions.items() if not (broken and session.is_int8)}
    learned = fit_to_train(sessions[_REFERENCE], dataset, train)
    said_of_valid, strangeness = _say(sessions, job, dataset, valid, learned, f"export {bundle.model}, valid")
    said_of_test, strangeness_in_test = _say(sessions, job, dataset, test, learned, f"export {bundle.model}, test")

    in_fp32 = {name: said_of_test[name] for name, session in sessions.items() if not session.is_int8}
    says = probabilities_in_fp32(network, info.normalization, test)
    paths = dataset.manifest["path"].to_numpy()[test.rows].tolist()
    against_torch = agreement_with_torch(says, in_fp32, bundle.model, paths)
    rates, has_good = job.evidence.false_reject_rates, dataset.good_class is not None
    bundle = replace(bundle, thresholds=_thresholds(said_of_valid[_REFERENCE], valid, has_good, rates))
    on_valid = _costs(sessions, valid, said_of_valid, bundle.thresholds)
    on_test = _costs(sessions, test, said_of_test, bundle.thresholds)
    bundle, told = _without_bad_int8(bundle, on_valid, broken)
    kept = {name: session for name, session in sessions.items() if bundle.int8_path or not session.is_int8}
    limits = limits_on_valid(kept, strangeness, dataset, valid, job.unknown_share)
    write_novelty(output / NOVELTY, learned, limits)
    bundle = with_drift(replace(bundle, novelty_path=output / NOVELTY), kept.values(), dataset, train, valid)
    unknown = np.any([strangeness_in_test[name] > limits[0].threshold for name in in_fp32], axis=0)
    judged = {sessions[name].runtime: said_of(dataset, test, said) for name, said in in_fp32.items()}
    temperature = temperature_of(said_of(dataset, valid, said_of_valid[_REFERENCE]))
    windows, models = tuple(dict.fromkeys((1, job.vote_frames))), len({*job.compared, bundle.model})
    promises = promises_of(judged, unknown, windows, models, job.evidence)
    bundle = replace(bundle, temperature=temperature, promises=promises)
    calibration = calibration_of(judged[sessions[_REFERENCE].runtime], temperature, job.evidence)
    runtimes = {name: {"valid": cost.told(), "test": on_test[name].told()} for name, cost in on_valid.items()}

    frame = next(archive_frames(job.data / "archive.zip", job.dataset, dataset, test.rows[:1]))
    parity = {"fp32_against_torch": against_torch, "heat": heat, "int8": {"told": told, "runtimes": runtimes}}
    latency = latencies(kept, frame, _THREADS)
    write_json(output / "parity.json", parity)
    write_json(output / "latency.json", latency)
    write_json(output / "calibration.json", calibration)
    scores, doubted = valid_scores(job.compared, job.seeds)
    preference = about_preference(scores, [bundle.model], doubted)
    write_text(output / "card.md", card(bundle, parity, latency, calibration, preference))
    save_bundle(bundle, made_from)


def _write_graphs(
    output: Path, network: nn.Module, info: TrainedInfo, dataset: Dataset, calibration: NDArray[np.uint8]
) -> tuple[Bundle, str]:
    """Write all graphs, and return the export as far as it is known, and a sentence on its heat map."""
    if output.is_dir():
        for path in files_of(output):
            path.unlink()  # an earlier export may have had more
    frame_size_px = dataset.frames.shape[1]
    graphs = export_graphs(network, info, frame_size_px)
    models = {RESIZE: graphs.resize, FP32: joined(graphs.resize, graphs.network)}
    models[INT8] = joined(graphs.resize, quantized(graphs.network, calibration))
    if graphs.heat:
        models[HEAT] = graphs.heat
    for name, model in models.items():
        with replacing(output / name) as partial:
            onnx.save(model, partial)
    bundle = Bundle(
        folder=output,
        model=info.settings.name,
        dataset=info.dataset,
        classes=tuple(info.classes),
        good_class=dataset.good_class,
        thresholds={},
        vote_frames=1,
        frame_size_px=frame_size_px,
        input_size_px=info.settings.input_size_px,
        lineage={},
        resize_path=output / RESIZE,
        network_path=output / FP32,
        int8_path=output / INT8,
        heat_path=output / HEAT if graphs.heat else None,
    )
    told = (
        "Grad-CAM of the predicted class." if graphs.has_heat else "None: no map of features stands before the classes."
    )
    return bundle, f"Heat map: {told}"


def _sessions(bundle: Bundle) -> dict[str, Session]:
    """Open both graphs in every runtime that is installed, by a name such as `openvino int8`."""
    return {
        f"{runtime} {'int8' if int8 else 'fp32'}": open_session(bundle, runtime, _THREADS, int8)
        for runtime in installed_runtimes()
        for int8 in (False, True)
    }


def _say(
    sessions: Mapping[str, Session], job: ExportJob, dataset: Dataset, split: SplitFrames, learned: Features, task: str
) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float64]]]:
    """Let every session judge the frames of a split from the bytes of the archive.

    Returns:
        Probabilities of each session, float32, (N, K); and how strange it finds the frames, float64, (N,).
    """
    said: dict[str, list[NDArray[np.float32]]] = {name: [] for name in sessions}
    strangeness: dict[str, list[NDArray[np.float64]]] = {name: [] for name in sessions}
    frames = archive_frames(job.data / "archive.zip", job.dataset, dataset, split.rows)
    for frame in track(frames, task, total=len(split)):
        for name, session in sessions.items():
            outputs = session.run(frame[None])
            said[name].append(outputs.probabilities)
            strangeness[name].append(learned.scores(outputs.features))
    whole = {name: np.concatenate(pieces) for name, pieces in said.items()}
    return whole, {name: np.concatenate(pieces) for name, pieces in strangeness.items()}


def _thresholds(
    said: NDArray[np.float32], valid: SplitFrames, has_good: bool, rates: Sequence[float]
) -> dict[float, float]:
    """Choose the threshold of each rate of false rejects by what the reference says of valid, (N, K)."""
    if not has_good or not (valid.labels == 0).any():
        return {}
    good = 1.0 - said[valid.labels == 0, 0].astype(np.float64)
    return {rate: threshold_for(good, rate) for rate in rates}


def _costs(
    sessions: Mapping[str, Session],
    split: SplitFrames,
    said: Mapping[str, NDArray[np.float32]],
    thresholds: Mapping[float, float],
) -> dict[str, Cost]:
    """Weigh the 8-bit graph of each runtime against the reference, on one split."""
    names = [name for name, session in sessions.items() if session.is_int8]
    return {name: cost_of_int8(split.labels, said[_REFERENCE], said[name], thresholds) for name in names}


def _broken_int8(sessions: Mapping[str, Session], size_px: int) -> list[str]:
    """Say which runtimes cannot run the 8-bit graph; some have no kernel for small maps under large kernels."""
    broken = []
    for name, session in sessions.items():
        try:
            session.run(np.zeros((1, size_px, size_px), np.uint8))
        except Exception as error:  # those of ONNX Runtime have no common base class
            if not session.is_int8:
                raise
            broken.append(f"{name} does not run it ({str(error).splitlines()[0]})")
    return broken


def _without_bad_int8(bundle: Bundle, costs: Mapping[str, Cost], broken: list[str]) -> tuple[Bundle, str]:
    """Leave the 8-bit graph out where a runtime cannot run it, or it loses too much on valid in any, and say so."""
    problems = [*broken, *(f"in {name}, {problem}" for name, cost in costs.items() for problem in cost.problems)]
    if not problems:
        return bundle, "Kept: on valid it loses no more than is allowed."
    told = f"Left out: {'; '.join(problems)}."
    print(f"export {bundle.model}: the 8-bit graph is left out: {'; '.join(problems)}", file=sys.stderr)
    if bundle.int8_path:
        bundle.int8_path.unlink()
    return replace(bundle, int8_path=None), told
