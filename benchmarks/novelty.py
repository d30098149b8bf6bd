"""Which score finds what a model has not learned? Each defect left out in turn, and frames without a weld.

    [WELDBENCH_SAMPLE=folder] python benchmarks/novelty.py [--record]

It takes what the default run left: data/weldsim and the export of EfficientNet-Lite0, whose backbone is frozen. For
each defect the last layer is fitted without it, and every score of benchmarks/ood_scores.py judges test: the defect
against all other frames. The threshold is that of an export: the strangest frame of the good runs of valid. Then the
runs are divided anew, at random, for the scores that need no last layer: one division is little evidence. With
WELDBENCH_SAMPLE, a folder of real frames in the published layout with `train` and `valid`, the same on these; they are
too few for a threshold.
"""

import argparse
import json
import os
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ood_scores import METHODS, Learned
from results import Measured, machine, print_lines, write_section

from weldbench.config import Params, load_params
from weldbench.data.dataset import open_dataset, read_split
from weldbench.deploy.bundle import load_bundle
from weldbench.deploy.learned import outputs_of_stored, rows_to_fit
from weldbench.deploy.novelty_limit import limit_for
from weldbench.deploy.runtimes import Session, open_session
from weldbench.deploy.strangers_job import strangers_job
from weldbench.ingest.decode import decode
from weldbench.models.features import last_layer
from weldbench.runtime.hardware import prepare
from weldbench.training.linear_probe import fit_probe
from weldbench.training.probe_data import ProbeData
from weldbench.training.train import train_network
from weldbench.training.without_class import without_class
from weldbench.trust.no_welds import KINDS, no_weld
from weldbench.trust.separation import auroc

MODEL = "efficientnet_lite0"
FRAMES_OF_KIND = 50
SIDE_PX = 192
DIVISIONS = 6
NEED_LAST_LAYER = {"max softmax", "energy", "ViM"}
Found = dict[str, dict[str, list[float]]]


def main() -> None:
    """Print a line for each score and question."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="write the numbers into benchmarks/RESULTS.md")
    record = parser.parse_args().record
    params = load_params("params.yaml").for_dataset("weldsim")
    session = open_session(load_bundle(Path("exports/weldsim", MODEL)), "onnxruntime", 1, int8=False)
    no_welds = {
        kind: session.run(np.stack([no_weld(kind, one, SIDE_PX, SIDE_PX) for one in range(FRAMES_OF_KIND)])).features
        for kind in KINDS
    }
    measured = _measured("weldsim", on_weldsim(params, session, no_welds))
    measured += _measured(f"weldsim, {DIVISIONS} other divisions of the runs", on_divisions(session))
    if sample := os.environ.get("WELDBENCH_SAMPLE"):
        measured += _measured("real frames", on_real(Path(sample), session, no_welds))
    print_lines(measured)
    if record:
        introduction = (
            f"{machine(params.hardware, prepare(params.hardware))} `python benchmarks/novelty.py --record`; features "
            "of the frozen EfficientNet-Lite0. A row is over the defects left out of training, one at a time, or over "
            f"{len(KINDS)} kinds of frames without a weld, {FRAMES_OF_KIND} each, for each of them. AUROC against the "
            "frames of test that were learned; `unknown` at the threshold of an export. Real frames: 60 to learn from, "
            "60 to judge."
        )
        write_section("What was not learned", introduction, measured)


def on_weldsim(params: Params, session: Session, no_welds: dict[str, NDArray[np.float32]]) -> Found:
    """Score every method without each defect in turn."""
    features = Path("data/weldsim/features", f"{MODEL}.safetensors")
    job = strangers_job(params, Path("exports/weldsim", MODEL), Path("data/weldsim"), None, features).training
    dataset, table = job.dataset, read_split(job.split)
    every = {name: dataset.rows_of(table, name) for name in ("train", "valid", "test")}
    every["train"] = rows_to_fit(every["train"], dataset.labels_of(every["train"]))
    said = {name: outputs_of_stored(session, dataset, rows).features for name, rows in every.items()}
    labels, runs = dataset.manifest["label"].to_numpy(), dataset.manifest["run"].to_numpy()
    found: Found = defaultdict(lambda: defaultdict(list))
    fabric = prepare(params.hardware)
    for left_out in dataset.classes[1:]:
        with tempfile.TemporaryDirectory() as folder:
            smaller = without_class(job, left_out, Path(folder, "split.csv"))
            network = train_network(fabric, smaller, Path(folder, ".checkpoint.safetensors"), lambda line: None).network
        _, last = last_layer(network, smaller.settings)
        known = {name: labels[rows] != left_out for name, rows in every.items()}
        numbers = smaller.dataset.labels_of(every["train"][known["train"]])
        weight, bias = (values.detach().numpy() for values in (last.weight, last.bias))
        learned = Learned(said["train"][known["train"]], numbers, weight, bias)
        valid = every["valid"][known["valid"]]
        for name, method in METHODS.items():
            score = method(learned)
            on_valid = score(said["valid"][known["valid"]])
            limit = limit_for(on_valid, smaller.dataset.labels_of(valid), runs[valid], 0.05, has_good=True)
            on_test, strange = score(said["test"]), ~known["test"]
            good = labels[every["test"]] == dataset.classes[0]
            _note(found[name], auroc(on_test, strange), on_test[strange], "defects left out", limit.threshold)
            found[name]["good frames called unknown (%)"].append(100 * (on_test[good] > limit.threshold).mean())
            for kind in no_welds.values():
                _against(found[name], on_test[~strange], score(kind), limit.threshold)
    return found


def on_divisions(session: Session) -> Found:
    """Score the methods that need no last layer on random divisions of all runs: half learn, a quarter sets limits."""
    dataset = open_dataset(Path("data/weldsim"))
    rows, runs = np.arange(len(dataset.frames)), dataset.manifest["run"].to_numpy()
    labels, features = dataset.labels_of(rows), outputs_of_stored(session, dataset, rows).features
    names, of_frame = np.unique(runs, return_inverse=True)
    shown = np.array([np.append(0, np.bincount(labels[runs == run], minlength=6)[1:]).argmax() for run in names])
    found: Found = defaultdict(lambda: defaultdict(list))
    for division in range(DIVISIONS):
        order = np.random.default_rng(division).permutation(len(names))
        place = np.empty(len(names))  # of each run among those that show the same, 0 to 1
        for number in np.unique(shown):
            members = order[shown[order] == number]
            place[members] = (np.arange(len(members)) + 0.5) / len(members)
        learn, valid, test = (rows[np.digitize(place, [0.5, 0.75])[of_frame] == part] for part in range(3))
        for left_out in range(1, len(dataset.classes)):
            learn_from, of_valid = (some[labels[some] != left_out] for some in (learn, valid))
            fit = rows_to_fit(learn_from, labels[learn_from])
            learned = Learned(features[fit], labels[fit], np.empty((0, 0)), np.empty(0))
            for name in METHODS.keys() - NEED_LAST_LAYER:
                score = METHODS[name](learned)
                limit = limit_for(score(features[of_valid]), labels[of_valid], runs[of_valid], 0.05, has_good=True)
                on_test, strange, good = score(features[test]), labels[test] == left_out, labels[test] == 0
                _note(found[name], auroc(on_test, strange), on_test[strange], "defects left out", limit.threshold)
                good_runs = np.setdiff1d(runs[test][good], runs[test][~good])
                unknown = np.intersect1d(good_runs, runs[test][on_test > limit.threshold])
                found[name]["good welds with an unknown frame (%)"].append(100 * len(unknown) / len(good_runs))
                found[name]["good welds that the threshold allows (%)"].append(100 * limit.share)
    return {name: found[name] for name in METHODS if name in found}


def on_real(sample: Path, session: Session, no_welds: dict[str, NDArray[np.float32]]) -> Found:
    """Score every method on real frames, `train` to learn from and `valid` to judge."""
    said, labels = {}, {}
    for split in ("train", "valid"):
        listed = json.loads((sample / split / f"{split}.json").read_text(encoding="utf-8"))
        frames = [decode((sample / split / path).read_bytes()).gray for path in listed]
        said[split] = np.concatenate([session.run(frame[None]).features for frame in frames])
        labels[split] = np.array(list(listed.values()), np.int64)
    found: Found = defaultdict(lambda: defaultdict(list))
    for left_out in range(1, labels["train"].max() + 1):
        kept = labels["train"] != left_out
        numbers = np.unique(labels["train"][kept], return_inverse=True)[1]
        width = said["train"].shape[1]
        data = ProbeData(
            features=said["train"][kept][:, None],
            labels=numbers,
            weights=np.ones(len(numbers), np.float32),
            runs=np.arange(len(numbers)),
            simulated=np.empty((0, width), np.float32),
            simulated_labels=np.empty(0, np.int64),
        )
        probe = fit_probe(data, 0.0, seed=0)
        learned = Learned(said["train"][kept], numbers, probe.weight, probe.bias)
        for name, method in METHODS.items():
            score = method(learned)
            on_valid, strange = score(said["valid"]), labels["valid"] == left_out
            _note(found[name], auroc(on_valid, strange), on_valid[strange], "defects left out", None)
            for kind in no_welds.values():
                _against(found[name], on_valid[~strange], score(kind), None)
    return found


def _against(
    found: dict[str, list[float]], known: NDArray[np.float64], strange: NDArray[np.float64], limit: float | None
) -> None:
    both = np.concatenate([known, strange])
    _note(found, auroc(both, np.arange(len(both)) >= len(known)), strange, "no welds", limit)


def _note(
    found: dict[str, list[float]], area: float, strange: NDArray[np.float64], what: str, limit: float | None
) -> None:
    found[f"{what}, AUROC (share)"].append(area)
    if limit is not None:
        found[f"{what} called unknown (%)"].append(100 * float((strange > limit).mean()))


def _measured(data: str, found: Found) -> list[Measured]:
    lines = []
    for method, questions in found.items():
        for question, values in questions.items():
            name, unit = question.rstrip(")").rsplit(" (", 1)
            lines.append(Measured(f"{data}, {method}: {name}", values, unit))
    return lines


if __name__ == "__main__":
    main()
