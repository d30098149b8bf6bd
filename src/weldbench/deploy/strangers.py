"""What an export does with what it has not learned: each defect left out of its training, and frames without a weld."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from weldbench.data.dataset import read_split, resident
from weldbench.deploy.bundle import Bundle
from weldbench.deploy.decision import Decision, Rule
from weldbench.deploy.graph import ExportedNetwork
from weldbench.deploy.learned import fitted, limit_on_valid, outputs_of_stored, rows_to_fit
from weldbench.deploy.novelty import Features, Novelty
from weldbench.deploy.novelty_limit import Limit
from weldbench.deploy.runtimes import Outputs, Session, open_session
from weldbench.deploy.strangers_job import StrangersJob
from weldbench.errors import InputError
from weldbench.evaluation.operating_point import threshold_for
from weldbench.models.inference import BATCH_FRAMES, probabilities_of_features
from weldbench.pipeline.records import Record
from weldbench.runtime.atomic import write_csv, write_json
from weldbench.runtime.hardware import Fabric
from weldbench.training.checkpoint import remove_checkpoint
from weldbench.training.setup import TrainingJob
from weldbench.training.train import TrainingResult, train_network
from weldbench.training.without_class import without_class
from weldbench.trust.no_welds import KINDS, no_weld

FRAMES_OF_KIND = 50  # without a weld
_FEWEST_CLASSES = 3  # one left out, two to tell apart
_SIDES_PX = 2  # times that of a stored frame


def judge_strangers(fabric: Fabric, job: StrangersJob, output: Path, record: Record) -> None:
    """Judge the frames of test by the export, and by a training without each defect, and frames without a weld.

    Writes frames.csv into the folder `output`, a line for each judged frame, and strangers.json.

    Args:
        fabric: From `hardware.prepare`.
        job: What is judged.
        output: The folder.
        record: What the files are made from.

    Raises:
        InputError: A file is missing or damaged, or the export cannot tell what it has not learned.
    """
    started, made_from = time.perf_counter(), record.made_from()
    novelty = Novelty.of(job.bundle)
    if novelty is None:
        raise InputError(f"{job.bundle.folder}: this export cannot tell what it has not learned; export again")
    session, dataset = open_session(job.bundle, "onnxruntime", 1, int8=False), job.training.dataset
    frames, seconds = [_by_export(job, session, novelty)], {}
    classes = [name for name in dataset.classes if name != dataset.good_class]
    left_out = classes if len(dataset.classes) >= _FEWEST_CLASSES else []
    checkpoints = [output / f".checkpoint-{number}.safetensors" for number in range(len(left_out))]
    stored = _stored(job, session) if job.training.settings.freeze == "backbone" else None
    for name, checkpoint in zip(left_out, checkpoints, strict=True):
        began = time.perf_counter()
        smaller = without_class(job.training, name, output / "split.csv")
        # Checkpoints of finished trainings stay until all are done, so that a run that was cut off goes on.
        result = train_network(fabric, smaller, checkpoint, lambda line: None)
        says = _frozen_says(smaller, result, stored) if stored else _network_says(smaller, result)
        frames.append(_without(job, smaller, says, name))
        seconds[name] = round(time.perf_counter() - began, 1)
        print(f"unknown {job.bundle.model}: without {name}, {seconds[name]:.0f} s", file=sys.stderr)
    write_csv(output / "frames.csv", pd.concat(frames, ignore_index=True), float_format="%.6f")
    facts = {
        "model": job.bundle.model,
        "init": getattr(job.training.settings, "init", "scratch"),
        "simulated_frames": job.training.settings.simulated_frames,
        "good_class": dataset.good_class,
        "limit": vars(novelty.limit),
        "seconds": round(time.perf_counter() - started, 1),
        "seconds_without": seconds,
    }
    write_json(record.path, facts | {"made_from": made_from, "outputs": record.output_sums()})
    for checkpoint in checkpoints:
        remove_checkpoint(checkpoint)
    (output / "split.csv").unlink(missing_ok=True)


Says = Callable[[NDArray[np.int64]], Outputs]


def _by_export(job: StrangersJob, session: Session, novelty: Novelty) -> pd.DataFrame:
    """Judge test and frames without a weld by the export itself."""
    dataset = job.training.dataset
    rows = dataset.rows_of(read_split(job.training.split), "test")
    test = outputs_of_stored(session, dataset, rows)
    side_px = _SIDES_PX * job.bundle.frame_size_px
    found = [_judged(job.bundle, novelty.fitted, novelty.limit, test, _about_welds(job, rows))]
    for kind in KINDS:
        made = [session.run(no_weld(kind, number, side_px, side_px)[None]) for number in range(FRAMES_OF_KIND)]
        outputs = Outputs(*(np.concatenate(pieces) for pieces in zip(*made, strict=True)))
        about = {"kind": kind, "run": [f"{kind} {number}" for number in range(FRAMES_OF_KIND)], "label": ""}
        found.append(_judged(job.bundle, novelty.fitted, novelty.limit, outputs, about))
    return pd.concat(found, ignore_index=True)


def _without(job: StrangersJob, smaller: TrainingJob, says: Says, left_out: str) -> pd.DataFrame:
    """Judge test by a training without a class, whose thresholds are set as an export sets them."""
    dataset, table = smaller.dataset, read_split(smaller.split)
    valid, test = (dataset.rows_of(table, name) for name in ("valid", "test"))
    fit_rows = _rows_to_fit(job)
    fit_rows = fit_rows[dataset.manifest["label"].to_numpy()[fit_rows] != left_out]
    learned = fitted(says(fit_rows).features, dataset.labels_of(fit_rows))
    on_valid, labels = says(valid), dataset.labels_of(valid)
    limit = limit_on_valid([learned.scores(on_valid.features)], dataset, valid, labels, job.unknown_share)
    thresholds: Mapping[float, float] = {}
    if dataset.good_class is not None and (labels == 0).any():
        good = 1.0 - on_valid.probabilities[labels == 0, 0].astype(np.float64)
        thresholds = {rate: threshold_for(good, rate) for rate in job.false_reject_rates}
    bundle = replace(job.bundle, classes=tuple(dataset.classes), thresholds=thresholds)
    return _judged(bundle, learned, limit, says(test), {"left_out": left_out, **_about_welds(job, test)})


def _judged(
    bundle: Bundle, learned: Features, limit: Limit, outputs: Outputs, about: Mapping[str, Any]
) -> pd.DataFrame:
    """Decide about frames, as an export decides about single frames."""
    strangeness = learned.scores(outputs.features)
    defects = Rule(bundle).decide(outputs.probabilities)
    decisions = [Decision.of(*one) for one in zip(defects, strangeness > limit.threshold, strict=True)]
    columns = {"left_out": "", "kind": "weld", **about}
    return pd.DataFrame(
        {
            **columns,
            "strangeness": strangeness,
            "threshold": limit.threshold,
            "decision": list(map(str, decisions)),
        }
    )


def _about_welds(job: StrangersJob, rows: NDArray[np.int64]) -> dict[str, Any]:
    manifest = job.training.dataset.manifest
    return {"run": manifest["run"].to_numpy()[rows], "label": manifest["label"].to_numpy()[rows]}


def _stored(job: StrangersJob, session: Session) -> Says:
    """Compute the features of a frozen backbone once, for all trainings."""
    dataset, table = job.training.dataset, read_split(job.training.split)
    rows = np.unique(np.concatenate([_rows_to_fit(job), *(dataset.rows_of(table, name) for name in ("valid", "test"))]))
    outputs = outputs_of_stored(session, dataset, rows)

    def says(wanted: NDArray[np.int64]) -> Outputs:
        places = np.searchsorted(rows, wanted)
        return Outputs(outputs.probabilities[places], outputs.features[places], outputs.levels[places])

    return says


def _rows_to_fit(job: StrangersJob) -> NDArray[np.int64]:
    """Choose the rows that the export is fitted to, of all classes."""
    dataset = job.training.dataset
    train = dataset.rows_of(read_split(job.training.split), "train")
    return rows_to_fit(train, dataset.labels_of(train))


def _frozen_says(smaller: TrainingJob, result: TrainingResult, stored: Says) -> Says:
    def says(rows: NDArray[np.int64]) -> Outputs:
        said = stored(rows)
        probabilities = probabilities_of_features(result.network, smaller.settings, said.features)
        return said._replace(probabilities=probabilities.astype(np.float32))

    return says


def _network_says(smaller: TrainingJob, result: TrainingResult) -> Says:
    network: nn.Module = ExportedNetwork(result.network.cpu().eval(), result.normalization, None)

    @torch.inference_mode()
    def says(rows: NDArray[np.int64]) -> Outputs:
        frames = resident(smaller.dataset.frames, rows, smaller.settings.input_size_px)
        batches = [frames[start : start + BATCH_FRAMES] for start in range(0, len(frames), BATCH_FRAMES)]
        pieces = [network(torch.from_numpy(levels)) for levels in batches]
        probabilities, features = (torch.cat(some).numpy() for some in zip(*pieces, strict=True))
        return Outputs(probabilities, features, frames)

    return says
