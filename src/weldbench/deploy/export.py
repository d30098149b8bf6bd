"""The stage export: from the best training of a model to a folder that a factory can run, checked frame by frame."""

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
from weldbench.data.dataset import open_dataset, read_split
from weldbench.deploy.archive_frames import archive_frames
from weldbench.deploy.bundle import FP32, HEAT, INT8, NOVELTY, RESIZE, Bundle, files_of, save_bundle
from weldbench.deploy.certainty import calibration_of, promises_of, said_of, temperature_of
from weldbench.deploy.dossier.dossier import Facts, card
from weldbench.deploy.dossier.page import dossier_page
from weldbench.deploy.dossier.recorded import read_recorded
from weldbench.deploy.drift_export import with_drift
from weldbench.deploy.graph import export_graphs, joined
from weldbench.deploy.judged_splits import REFERENCE, THREADS, Data, Judged, judge_splits
from weldbench.deploy.latency import latencies
from weldbench.deploy.learned import limit_on_valid
from weldbench.deploy.novelty import write_novelty
from weldbench.deploy.parity import agreement, refuse_disagreement
from weldbench.deploy.quantize import quantized, weigh_int8
from weldbench.deploy.runtimes import Session
from weldbench.deploy.trained import best_training, calibration_frames, probabilities_in_fp32, valid_scores
from weldbench.evaluation.operating_point import threshold_for
from weldbench.evaluation.training_records import about_preference
from weldbench.models.files import TrainedInfo, load_trained
from weldbench.pipeline.records import sha256
from weldbench.runtime.atomic import replacing, write_json, write_text


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
        template: Folder of the report's template, for the page of the dossier.
    """

    dataset: DatasetSettings
    data: Path
    split: Path
    trained: Path
    seeds: Sequence[int]
    evidence: Compare
    vote_frames: int
    unknown_share: float
    template: Path = Path("notebooks/report_template")
    compared: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class _Chosen:
    """The training that is exported, with the frames that it is judged by.

    Attributes:
        network: Of torch.
        info: What its file says of it.
        facts: Its training.json.
        sha256: Of its file.
        data: The frames.
    """

    network: nn.Module
    info: TrainedInfo
    facts: Mapping[str, Any]
    sha256: str
    data: Data


def export_model(job: ExportJob, output: Path, made_from: Mapping[str, Any]) -> None:
    """Export the training with the best valid score into the folder `output`.

    Args:
        job: What is exported.
        output: Folder of the export; an earlier one there is replaced.
        made_from: As in `pipeline.records`.

    Raises:
        InputError: A training or the archive is missing, or the exported graph says something else than the network.
    """
    chosen = _choose(job)
    bundle, heat = _write_graphs(output, chosen)
    bundle = replace(bundle, vote_frames=job.vote_frames)
    judged = judge_splits(bundle, chosen.data)
    against_torch = _hold_against_torch(chosen, judged)
    bundle = _with_thresholds(bundle, chosen.data, judged, job.evidence.false_reject_rates)
    bundle, int8 = weigh_int8(bundle, chosen.data, judged)
    kept = {name: session for name, session in judged.sessions.items() if bundle.int8_path or not session.is_int8}
    bundle, unknown = _with_novelty(bundle, chosen.data, judged, kept, job.unknown_share)
    bundle = with_drift(bundle, kept.values(), chosen.data.dataset, chosen.data.train, chosen.data.valid)
    bundle, calibration = _with_certainty(bundle, job, chosen.data, judged, unknown)
    parity = {"fp32_against_torch": against_torch, "heat": heat, "int8": int8}
    latency = _timed(chosen.data, kept)
    for name, measured in {"parity": parity, "latency": latency, "calibration": calibration}.items():
        write_json(output / f"{name}.json", measured)
    said = said_of(chosen.data.dataset, chosen.data.test, judged.test.probabilities[REFERENCE])
    recorded = read_recorded(job.dataset, job.data, job.split)
    scores, doubted = valid_scores(job.compared, job.seeds)
    preference = about_preference(scores, [bundle.model], doubted)
    facts = Facts(
        bundle, recorded, chosen.facts, said, job.evidence, parity, latency, calibration, preference, made_from
    )
    write_text(output / "card.md", text := card(facts))
    write_text(output / "card.html", dossier_page(text, bundle.dataset, job.template))
    save_bundle(bundle, made_from)


def _choose(job: ExportJob) -> _Chosen:
    """Take the training with the best score on valid, and the three splits."""
    folder, facts = best_training(job.trained, job.seeds)
    network, info = load_trained(folder / "model.safetensors")
    dataset, split_table = open_dataset(job.data, job.split), read_split(job.split)
    splits = (dataset.split_rows(split_table, name) for name in ("train", "valid", "test"))
    data = Data(dataset, job.data / "archive.zip", job.dataset, *splits)
    return _Chosen(network, info, facts, sha256(folder / "model.safetensors"), data)


def _write_graphs(output: Path, chosen: _Chosen) -> tuple[Bundle, str]:
    """Write all graphs, and return the export as far as it is known, and a sentence on its heat map."""
    if output.is_dir():
        for path in files_of(output):
            path.unlink()  # an earlier export may have had more
    dataset, info = chosen.data.dataset, chosen.info
    frame_size_px = dataset.frames.shape[1]
    graphs = export_graphs(chosen.network, info, frame_size_px)
    models = {RESIZE: graphs.resize, FP32: joined(graphs.resize, graphs.network)}
    calibration = calibration_frames(dataset, chosen.data.train, info.settings.input_size_px)
    models[INT8] = joined(graphs.resize, quantized(graphs.network, calibration))
    if graphs.heat:
        models[HEAT] = graphs.heat
    for name, model in models.items():
        with replacing(output / name) as partial:
            onnx.save(model, partial)
    lineage = {key: chosen.facts[key] for key in ("fold", "seed", "valid_macro_f1", "best_epoch", "parameters")}
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
        lineage={**lineage, "sha256": chosen.sha256, "valid_doubts": chosen.facts["selection"]["doubts"]},
        resize_path=output / RESIZE,
        network_path=output / FP32,
        int8_path=output / INT8,
        heat_path=output / HEAT if graphs.heat else None,
    )
    told = (
        "Grad-CAM of the predicted class." if graphs.has_heat else "None: no map of features stands before the classes."
    )
    return bundle, f"Heat map: {told}"


def _hold_against_torch(chosen: _Chosen, judged: Judged) -> dict[str, Any]:
    """Compare each graph in float32 with the network on all frames of test; as JSON, by session."""
    dataset, test = chosen.data.dataset, chosen.data.test
    says = probabilities_in_fp32(chosen.network, chosen.info, dataset, test.rows)
    paths = dataset.manifest["path"].to_numpy()[test.rows].tolist()
    told = {}
    for name in judged.in_fp32:
        found = agreement(says, judged.test.probabilities[name])
        refuse_disagreement(f"{chosen.info.settings.name} in {name}", found, paths)
        told[name] = found.told(paths)
    return told


def _with_thresholds(bundle: Bundle, data: Data, judged: Judged, false_reject_rates: Sequence[float]) -> Bundle:
    """Choose a threshold for each share of false rejects, on the good frames of valid; none where there are none."""
    good = data.valid.labels == 0
    if data.dataset.good_class is None or not good.any():
        return bundle
    scores = 1.0 - judged.valid.probabilities[REFERENCE][good, 0].astype(np.float64)
    return replace(bundle, thresholds={rate: threshold_for(scores, rate) for rate in false_reject_rates})


def _with_novelty(
    bundle: Bundle, data: Data, judged: Judged, kept: Mapping[str, Session], share: float
) -> tuple[Bundle, NDArray[np.bool_]]:
    """Set on valid from where on a frame is unknown; say which frames of test are in float32, bool, shape (N,)."""
    by_graph: dict[bool, list[NDArray[np.float64]]] = {}
    for name, session in kept.items():
        by_graph.setdefault(session.is_int8, []).append(judged.valid.strangeness[name])
    limits = [
        limit_on_valid(found, data.dataset, data.valid.rows, data.valid.labels, share)
        for _, found in sorted(by_graph.items())
    ]
    path = bundle.folder / NOVELTY
    write_novelty(path, judged.learned, limits)
    strange = [judged.test.strangeness[name] > limits[0].threshold for name in judged.in_fp32]
    return replace(bundle, novelty_path=path), np.any(strange, axis=0)


def _with_certainty(
    bundle: Bundle, job: ExportJob, data: Data, judged: Judged, unknown: NDArray[np.bool_]
) -> tuple[Bundle, dict[str, Any]]:
    """Fit the temperature to valid and make the promises on test; say what the temperature changes, as JSON."""
    said = {
        judged.sessions[name].runtime: said_of(data.dataset, data.test, judged.test.probabilities[name])
        for name in judged.in_fp32
    }
    temperature = temperature_of(said_of(data.dataset, data.valid, judged.valid.probabilities[REFERENCE]))
    windows, models = tuple(dict.fromkeys((1, job.vote_frames))), len({*job.compared, bundle.model})
    promises = promises_of(said, unknown, windows, models, job.evidence)
    calibration = calibration_of(said[judged.sessions[REFERENCE].runtime], temperature, job.evidence)
    return replace(bundle, temperature=temperature, promises=promises), calibration


def _timed(data: Data, kept: Mapping[str, Session]) -> dict[str, Any]:
    """Time the graphs on the first frame of test as the camera gave it; as JSON."""
    frame = next(archive_frames(data.archive, data.settings, data.dataset, data.test.rows[:1]))
    return latencies(kept, frame, THREADS)
