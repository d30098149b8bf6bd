"""What an export does with what it has not learned: the judged frames, and the table and sentences from them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from archives import CLASSES, published, small_dataset, split_as_published, write_zip

from weldbench.config.data import Ingest, LocalDataset
from weldbench.config.evidence import Compare
from weldbench.config.models import Conv6
from weldbench.config.training import Augment, Hardware, Train
from weldbench.data.dataset import open_dataset
from weldbench.data.normalization import Normalization
from weldbench.deploy.bundle import load_bundle
from weldbench.deploy.decision import Rule
from weldbench.deploy.export import ExportJob, export_model
from weldbench.deploy.novelty import Novelty
from weldbench.deploy.runtimes import open_session
from weldbench.deploy.strangers import FRAMES_OF_KIND, judge_strangers
from weldbench.deploy.strangers_job import StrangersJob
from weldbench.errors import InputError
from weldbench.ingest.ingest import ingest
from weldbench.models.architectures import build_network
from weldbench.models.files import TrainedInfo, save_network
from weldbench.pipeline.records import Record
from weldbench.reporting.tables.unknown import about_failures, write_unknown
from weldbench.reporting.unknown import LEARNED, LEFT_OUT, NO_WELD, Judged, good_welds, read_judged, strangers_of
from weldbench.runtime.atomic import write_json
from weldbench.runtime.hardware import prepare
from weldbench.training.setup import TrainingJob
from weldbench.trust.no_welds import KINDS

SETTINGS = Conv6(architecture="conv6", input_size_px=12, channels=[4, 8], hidden=8, epochs=1, learning_rate=0.01)
HARDWARE = Hardware(device="cpu", precision="fp32", threads=1)
COMPARE = Compare(models=["conv6"], bootstrap_draws=200, false_reject_rates=[0.01, 0.5])
RATES = (0.01, 0.5)


@pytest.fixture(scope="module")
def judged(tmp_path_factory) -> tuple[StrangersJob, Path]:
    folder = tmp_path_factory.mktemp("strangers")
    settings = LocalDataset(source="local", path="archive.zip", classes=CLASSES)
    members = published(small_dataset(runs_per_class=2, frames_per_run=4))
    ingest(write_zip(folder / "archive.zip", members), folder, "mine", settings, Ingest(frame_size_px=16))
    dataset = open_dataset(folder)
    split = folder / "split/fold0/split.csv"
    split_as_published(folder, split)
    network = build_network(SETTINGS, len(CLASSES))
    info = TrainedInfo(SETTINGS, CLASSES, Normalization(0.5, 0.1), "mine", fold=0, seed=0)
    save_network(folder / "trained/seed0/model.safetensors", network.state_dict(), info)
    facts = {"fold": 0, "seed": 0, "valid_macro_f1": 0.5, "best_epoch": 1, "parameters": 1}
    write_json(folder / "trained/seed0/training.json", {**facts, "selection": {"doubts": []}})
    export_model(ExportJob(settings, folder, split, folder / "trained", [0], COMPARE, 5, 0.05), folder / "export", {})
    training = TrainingJob(
        "mine", dataset, split, 0, SETTINGS, Train(models=["conv6"], augment=Augment()), HARDWARE, 0, 0
    )
    job = StrangersJob(load_bundle(folder / "export"), training, RATES, 0.05)
    output = folder / "unknown/conv6"
    record = Record(output / "strangers.json", "unknown", {}, outputs={"frames.csv": output / "frames.csv"})
    judge_strangers(prepare(HARDWARE), job, output, record)
    return job, output


def test_every_defect_is_left_out_once_and_every_kind_without_a_weld_is_judged(judged) -> None:
    job, output = judged
    frames = read_judged(output).frames
    test = job.training.dataset.manifest.query("published_split == 'test'")
    counts = frames.groupby(["left_out", "kind"]).size().to_dict()
    assert counts == {
        ("", "weld"): len(test),
        **{("", kind): FRAMES_OF_KIND for kind in KINDS},
        **{(name, "weld"): len(test) for name in CLASSES[1:]},
    }
    assert set(frames["decision"]) <= {"good", "defect", "unknown"}
    unknown = frames["strangeness"] > frames["threshold"]
    assert (frames.loc[unknown, "decision"] == "unknown").all()
    assert (frames.loc[~unknown, "decision"] != "unknown").all()
    assert {path.name for path in output.iterdir()} == {"frames.csv", "strangers.json"}


def test_the_frames_of_test_are_decided_as_the_export_decides(judged) -> None:
    job, output = judged
    frames = read_judged(output).frames
    whole = frames[(frames["left_out"] == "") & (frames["kind"] == "weld")]
    dataset = job.training.dataset
    rows = dataset.manifest.index[dataset.manifest["published_split"] == "test"].to_numpy()
    says = open_session(job.bundle, "onnxruntime", 1, int8=False).run(np.array(dataset.frames[rows]))
    novelty = Novelty.of(job.bundle)
    assert novelty is not None
    scores = novelty.scores(says.features)
    assert whole["strangeness"].to_numpy() == pytest.approx(scores, abs=1e-5)
    defects = Rule(job.bundle).decide(says.probabilities)
    expected = np.where(scores > novelty.threshold, "unknown", np.where(defects, "defect", "good"))
    assert whole["decision"].tolist() == expected.tolist()


def test_what_it_is_made_from_is_recorded(judged) -> None:
    _, output = judged
    facts = json.loads((output / "strangers.json").read_text(encoding="utf-8"))
    assert facts["made_from"]["code_sha256"]
    assert facts["outputs"].keys() == {"frames.csv"}
    assert facts["seconds_without"].keys() == set(CLASSES[1:])


def test_the_table_the_figure_and_the_sentences_are_written(judged, tmp_path: Path) -> None:
    _, output = judged
    write_unknown({"conv6": read_judged(output)}, COMPARE, tmp_path)
    table = pd.read_csv(tmp_path / "unknown.csv")
    assert table["kind"].value_counts().to_dict() == {LEARNED: 2, LEFT_OUT: len(CLASSES) - 1, NO_WELD: len(KINDS)}
    assert table[["good", "defect", "unknown"]].sum(axis=1).to_numpy() == pytest.approx(1)
    told = (tmp_path / "unknown.md").read_text(encoding="utf-8")
    assert "conv6 calls a frame unknown in" in told
    assert "fails on" in told or "calls less than 10%" in told
    assert (tmp_path / "unknown.png").stat().st_size > 10_000


def made_up(decisions: dict[str, list[str]]) -> Judged:
    """Four runs of two frames for each left-out class, with these decisions; six good runs of test."""
    lines = []
    for name, words in decisions.items():
        labels = ["good_weld"] * 12 + [name] * 8
        for number, (label, word) in enumerate(zip(labels, ["good"] * 12 + words, strict=True)):
            score = 3.0 if word == "unknown" else 0.5 + 0.01 * number
            lines.append((name, "weld", f"run{number // 2}", label, score, 1.0, word))
    columns = ["left_out", "kind", "run", "label", "strangeness", "threshold", "decision"]
    limit = {"share": 0.125, "runs": 7}
    facts = {
        "good_class": "good_weld",
        "init": "simulated",
        "simulated_frames": 9,
        "limit": limit,
        "seconds_without": 1,
    }
    return Judged(pd.DataFrame(lines, columns=columns), facts)


def test_where_it_fails_is_said_first_and_plainly() -> None:
    found = made_up({"burn_through": ["good"] * 6 + ["unknown"] * 2, "contamination": ["defect"] * 3 + ["unknown"] * 5})
    strangers = list(strangers_of(found, COMPARE))
    told = list(about_failures("m", strangers))
    assert told[0].startswith("m fails on burn through (class left out): 75% of its frames are called good (")
    assert told[0].endswith("25% unknown and 0% defect.")
    assert not any("fails on contamination" in sentence for sentence in told)
    assert told[1] == "Of classes left out, m calls 25% (burn through) to 62% (contamination) unknown."


def test_a_model_that_calls_little_good_is_said_not_to_fail() -> None:
    found = made_up({"burn_through": ["unknown"] * 8})
    told = list(about_failures("m", list(strangers_of(found, COMPARE))))
    assert told[0].startswith("m calls less than 10% of the frames of each class left out")


def test_good_welds_with_an_unknown_frame_are_counted_by_weld() -> None:
    frames = pd.DataFrame(
        {
            "left_out": "",
            "kind": "weld",
            "run": ["a", "a", "b", "b", "c", "c"],
            "label": ["good_weld"] * 5 + ["burn_through"],
            "decision": ["good", "unknown", "good", "good", "unknown", "unknown"],
        }
    )
    hits, runs, interval = good_welds(Judged(frames, {"good_class": "good_weld"}), 0.95)
    assert (hits, runs, interval.estimate) == (1, 2, 0.5)


@pytest.mark.parametrize("damage", ["no file", "a column", "facts"])
def test_damaged_files_are_an_error_of_the_user(judged, damage: str, tmp_path: Path) -> None:
    _, output = judged
    for path in output.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    if damage == "no file":
        (tmp_path / "frames.csv").unlink()
    elif damage == "a column":
        pd.read_csv(tmp_path / "frames.csv").drop(columns="decision").to_csv(tmp_path / "frames.csv")
    else:
        write_json(tmp_path / "strangers.json", {})
    with pytest.raises(InputError, match="run `snakemake --cores all unknown`" if damage == "no file" else "damaged"):
        read_judged(tmp_path)
