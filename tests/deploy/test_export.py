"""The stage export: what it writes, what it refuses, and that `predict` then decides as the report does."""

import csv
import dataclasses
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from archives import CLASSES, published, small_dataset, split_as_published, write_zip

from weldbench.config.data import Ingest, LocalDataset
from weldbench.config.evidence import Compare
from weldbench.config.models import Conv6, FullCon6, Model
from weldbench.data.dataset import open_dataset, read_split
from weldbench.data.normalization import Normalization
from weldbench.deploy import export
from weldbench.deploy.bundle import load_bundle
from weldbench.deploy.decision import Rule
from weldbench.deploy.export import ExportJob, export_model
from weldbench.deploy.judge import Judge
from weldbench.errors import InputError
from weldbench.evaluation.operating_point import threshold_for
from weldbench.ingest.ingest import ingest
from weldbench.models.architectures import build_network
from weldbench.models.files import TrainedInfo, save_network
from weldbench.runtime.atomic import write_json

RATES = [0.01, 0.5]
EVIDENCE = Compare(models=["conv6"], false_reject_rates=RATES, bootstrap_draws=200)


def made_training(folder: Path, settings: Model, seed: int, score: float, doubts: tuple[str, ...] = ()) -> None:
    torch.manual_seed(seed)
    network = build_network(settings, len(CLASSES))
    info = TrainedInfo(settings, CLASSES, Normalization(0.5, 0.1), "mine", fold=0, seed=seed)
    save_network(folder / f"seed{seed}" / "model.safetensors", network.state_dict(), info)
    facts = {"fold": 0, "seed": seed, "valid_macro_f1": score, "best_epoch": 1, "parameters": 1}
    write_json(folder / f"seed{seed}" / "training.json", {**facts, "selection": {"doubts": list(doubts)}})


@pytest.fixture
def job(tmp_path: Path) -> ExportJob:
    """Three trainings of one model, the second the best, and an archive whose frames are of two sizes."""
    members = published(small_dataset(runs_per_class=2, frames_per_run=4))
    settings = LocalDataset(source="local", path="archive.zip", classes=CLASSES)
    ingest(write_zip(tmp_path / "archive.zip", members), tmp_path, "mine", settings, Ingest(frame_size_px=16))
    split_as_published(tmp_path, tmp_path / "split.csv")
    conv6 = Conv6(architecture="conv6", input_size_px=12, channels=[4, 8], hidden=8, epochs=1, learning_rate=0.1)
    for seed, score in enumerate((0.3, 0.5, 0.5)):
        made_training(tmp_path / "trained", conv6, seed, score)
    return ExportJob(settings, tmp_path, tmp_path / "split.csv", tmp_path / "trained", [0, 1, 2], EVIDENCE, 5, 0.05)


def test_the_best_seed_is_exported_with_thresholds_of_its_own_probabilities(job: ExportJob, tmp_path: Path) -> None:
    folder = tmp_path / "exports/conv6"
    export_model(job, folder, {"settings": {}})
    bundle = load_bundle(folder)
    assert (bundle.lineage["seed"], bundle.lineage["valid_macro_f1"]) == (1, 0.5)
    assert (bundle.classes, bundle.good_class, bundle.vote_frames) == (tuple(CLASSES), CLASSES[0], 5)
    assert (bundle.frame_size_px, bundle.input_size_px) == (16, 12)
    named = "card.md card.html latency.json model.json model.onnx parity.json resize.onnx heat.onnx novelty.npz"
    assert {*named.split(), "calibration.json"} <= {path.name for path in folder.iterdir()}
    parity = json.loads((folder / "parity.json").read_text())
    assert set(parity["fp32_against_torch"]) == {"onnxruntime fp32", "openvino fp32"}
    for found in parity["fp32_against_torch"].values():
        assert (found["frames"], found["same_class_share"]) == (24, 1.0)
        assert found["largest_difference"] < 1e-4
    assert (bundle.int8_path is not None) == parity["int8"]["told"].startswith("Kept")

    # `predict` over the frames of valid, as the archive holds them, says what chose the thresholds.
    with zipfile.ZipFile(tmp_path / "archive.zip") as archive:
        archive.extractall(tmp_path / "frames")
    valid = tmp_path / "frames/ss304/valid"
    (folder / "model.int8.onnx").unlink(missing_ok=True)
    described = json.loads((folder / "model.json").read_text())
    described["outputs"].pop("model.int8.onnx", None)
    write_json(folder / "model.json", described)
    command = [Path(sys.executable).with_name("weldbench"), "predict", folder, valid, "--runtime", "onnxruntime"]
    for rate in RATES:
        done = subprocess.run([*command, "--false-rejects", str(rate)], capture_output=True, text=True, check=True)
        rows = list(csv.DictReader(done.stdout.splitlines()))
        assert len(rows) == 24
        labels = json.loads((valid / "valid.json").read_text())
        good = [labels[f"{Path(row['source']).name}/{row['frame']}"] == 0 for row in rows]
        scores = 1 - np.array([float(row[f"p_{CLASSES[0]}"]) for row in rows])
        threshold = bundle.thresholds[rate]
        assert threshold == pytest.approx(threshold_for(scores[good], rate), abs=1e-6)
        rejected = [row["decision"] == "defect" for row in np.array(rows)[good]]
        assert sum(rejected) <= int(rate * len(rejected))


def test_an_export_carries_its_temperature_and_its_promises(job: ExportJob, tmp_path: Path) -> None:
    folder = tmp_path / "exports/conv6"
    compared = {"conv6": job.trained, "other": job.trained}
    export_model(dataclasses.replace(job, compared=compared), folder, {})
    bundle = load_bundle(folder)
    calibration = json.loads((folder / "calibration.json").read_text())
    assert calibration["temperature"] == bundle.temperature
    assert len(calibration["test"]) == 3
    assert [promise.vote_frames for promise in bundle.promises] == [1, 5]
    dataset = open_dataset(tmp_path)
    test = dataset.rows_of(read_split(job.split), "test")
    runs = dataset.manifest["run"].to_numpy()[test]
    defective = len(set(runs[dataset.labels_of(test) != 0]))
    for promise in bundle.promises:
        assert (promise.defective, promise.choices) == (defective, 4)  # two models, two windows
        assert set(promise.runtimes) == {"onnxruntime", "openvino"}
        assert promise.escape == pytest.approx(1 - (0.05 / 4) ** (1 / defective))
    card = (folder / "card.md").read_text()
    assert f"Temperature {bundle.temperature:.3f}" in card
    assert "## What is promised about escapes" in card
    assert "Vote over 5 frames" in card


def test_a_network_without_convolutions_exports_without_heat(job: ExportJob, tmp_path: Path) -> None:
    settings = FullCon6(architecture="full_con6", input_size_px=16, hidden=[8, 8], epochs=1, learning_rate=0.1)
    made_training(tmp_path / "full", settings, 0, 0.4)
    folder = tmp_path / "exports/full_con6"
    folder.mkdir(parents=True)
    (folder / "heat.onnx").write_bytes(b"of an earlier export")
    export_model(ExportJob(**{**vars(job), "trained": tmp_path / "full", "seeds": [0]}), folder, {})
    assert load_bundle(folder).heat_path is None
    assert not (folder / "heat.onnx").exists()
    assert "Heat map: None" in (folder / "card.md").read_text()


@pytest.mark.parametrize(
    ("scores", "doubts", "said"),
    [
        ([0.9, 0.2, 0.2], (), None),  # the mean of the seeds counts, which is equal
        ([0.9, 0.2, 0.1], (), None),
        (
            [0.5, 0.6, 0.7],
            (),
            "Valid prefers full (macro F1 0.600) to the exported conv6 (0.433); to export full, name ",
        ),
        ([0.5, 0.6, 0.7], ("one run",), "Valid, though it is too small to choose by, prefers full (macro F1 0.600) "),
    ],
)
def test_the_card_says_where_valid_prefers_another_model(
    job: ExportJob, tmp_path: Path, scores: list[float], doubts: tuple[str, ...], said: str | None
) -> None:
    settings = FullCon6(architecture="full_con6", input_size_px=16, hidden=[8, 8], epochs=1, learning_rate=0.1)
    for seed, score in enumerate(scores):
        made_training(tmp_path / "full", settings, seed, score, doubts)
    compared = {"conv6": job.trained, "full": tmp_path / "full"}
    export_model(dataclasses.replace(job, compared=compared), tmp_path / "exports/conv6", {})
    card = (tmp_path / "exports/conv6/card.md").read_text()
    assert ("prefers" in card) == bool(said)
    assert (said or "") in card


def test_thresholds_of_a_valid_that_cannot_choose_are_called_uncalibrated(job: ExportJob, tmp_path: Path) -> None:
    settings = FullCon6(architecture="full_con6", input_size_px=16, hidden=[8, 8], epochs=1, learning_rate=0.1)
    for name, doubts in (("sure", ()), ("doubted", ("valid has one run",))):
        made_training(tmp_path / name, settings, 0, 0.4, doubts)
        folder = tmp_path / "exports" / name
        export_model(dataclasses.replace(job, trained=tmp_path / name, seeds=[0]), folder, {})
        bundle = load_bundle(folder)
        rule = Judge.of(bundle, Rule(bundle)).rule_sentence()
        assert ("uncalibrated, as valid has one run" in rule) == bool(doubts)
        card = (folder / "card.md").read_text()
        assert ("The thresholds are uncalibrated: valid has one run." in card) == bool(doubts)
        assert ("Do not rely on the calibrated probabilities: valid has one run." in card) == bool(doubts)


def test_another_answer_than_torch_s_fails_and_names_the_frames(
    job: ExportJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = export.probabilities_in_fp32

    def shifted(*arguments: object) -> np.ndarray:
        probabilities = true(*arguments)
        probabilities[5] = probabilities[5, ::-1]
        return probabilities

    monkeypatch.setattr(export, "probabilities_in_fp32", shifted)
    with pytest.raises(InputError, match="Nothing was exported") as caught:
        export_model(job, tmp_path / "exports/conv6", {})
    dataset = open_dataset(tmp_path)
    table = read_split(job.split)
    path = dataset.manifest["path"][table["row"][table["split"] == "test"].to_numpy()[5]]
    assert f"worst: {path}" in str(caught.value)
    assert not (tmp_path / "exports/conv6/model.json").exists()


def test_an_eight_bit_graph_that_loses_too_much_is_left_out_loudly(
    job: ExportJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("weldbench.deploy.parity.LOST_MACRO_F1", -2.0)
    folder = tmp_path / "exports/conv6"
    export_model(job, folder, {})
    assert load_bundle(folder).int8_path is None
    assert not (folder / "model.int8.onnx").exists()
    assert "the 8-bit graph is left out: in onnxruntime int8, macro F1 falls from" in capsys.readouterr().err
    assert "Left out" in (folder / "card.md").read_text()
    assert "int8" not in (folder / "latency.json").read_text()


def test_another_archive_than_that_of_the_frames_is_refused(job: ExportJob, tmp_path: Path) -> None:
    members = published(small_dataset(runs_per_class=2, frames_per_run=4))
    name = next(name for name in members if "valid" in name and name.endswith(".png"))
    other = next(members[other] for other in members if "train" in other and other.endswith(".png"))
    write_zip(tmp_path / "archive.zip", members | {name: other})
    with pytest.raises(InputError, match="its bytes are not those that were ingested; ingest again"):
        export_model(job, tmp_path / "exports/conv6", {})


def test_a_missing_training_is_told(job: ExportJob, tmp_path: Path) -> None:
    (job.trained / "seed2/training.json").unlink()
    with pytest.raises(InputError, match=r"seed2/training\.json: there is no such file; train"):
        export_model(job, tmp_path / "exports/conv6", {})
