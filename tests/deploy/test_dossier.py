"""The dossier of an export: computed from the data, right for any dataset, and a page that stands alone."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from in_browser import probed
from tiny_export import PROMISE, save_tiny_export

from weldbench.config.data import SS304_CLASSES, Dataset, KaggleDataset, LocalDataset, SimulatedDataset
from weldbench.config.evidence import Compare
from weldbench.data.run_name import process_facts
from weldbench.deploy.bundle import load_bundle
from weldbench.deploy.dossier.annex import annex_iv
from weldbench.deploy.dossier.dossier import Facts, card
from weldbench.deploy.dossier.evidence import TABLES, with_evidence
from weldbench.deploy.dossier.frames import PROCESS_FACTS
from weldbench.deploy.dossier.imperfections import imperfection_of
from weldbench.deploy.dossier.methods import methods
from weldbench.deploy.dossier.page import dossier_page
from weldbench.deploy.dossier.recorded import Recorded
from weldbench.deploy.dossier.text import Section, plain
from weldbench.errors import InputError
from weldbench.evaluation.predictions import Predictions
from weldbench.ingest.known_datasets import AL5083_CLASSES

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "notebooks/report_template"
OWN = LocalDataset(source="local", path="/data/welds")
KEPT = {"told": "Kept: on valid it loses no more than is allowed.", "runtimes": {}}
PARITY = {
    "fp32_against_torch": {"onnxruntime fp32": {"frames": 24, "same_class_share": 1.0, "largest_difference": 2e-7}},
    "heat": "Heat map: Grad-CAM of the predicted class.",
    "int8": KEPT,
}
LATENCY = {
    "machine": "one processor",
    "threads": 1,
    "frame": "320 x 175 pixels, decoded",
    "milliseconds_per_frame": {"onnxruntime fp32": {"batch 1": 1.5, "batch 32": 1.1}},
}
ENDS = {"estimate": 0.2, "low": 0.1, "high": 0.3}
CALIBRATION = {
    "temperature": 1.5,
    "confidence": 0.95,
    "test": [{"measure": "brier_score", "before": ENDS, "after": ENDS, "change": {**ENDS, "low": None, "high": None}}],
}
TRAINING = {
    "architecture": "conv6",
    "parameters": 100,
    "seconds": 12.0,
    "peak_memory_mb": 900,
    "device": "one processor",
    "settings": {"init": "scratch", "epochs": 3},
    "selection": {"doubts": [], "reason": "The weights of the best epoch are kept."},
    "learned_from": {},
}


@dataclass
class World:
    """Made-up welds: runs of each class in each split, and which of their frames in test the model gets wrong.

    Attributes:
        wrong: Class -> how many frames of its first run in test are taken for the next class.
    """

    classes: Sequence[str] = ("good_weld", "burn_through", "lack_of_shielding_gas")
    good_class: str | None = "good_weld"
    settings: Dataset = OWN
    runs_per_class: int = 3
    frames_per_run: int = 4
    wrong: Mapping[str, int] = field(default_factory=dict)
    run_name: str = "{split} {label} {run} 200A 5mm Plate"
    names: Mapping[str, str] = field(default_factory=dict)
    audit: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    def frames(self) -> pd.DataFrame:
        lines = [
            (
                split,
                self.names.get(name := self.run_name.format(split=split, label=label, run=run), name),
                label,
                320,
                175,
            )
            for split in ("train", "valid", "test")
            for label in self.classes
            for run in range(self.runs_per_class)
            for _ in range(self.frames_per_run)
        ]
        return pd.DataFrame(lines, columns=["split", "run", "label", "width_px", "height_px"])

    def said(self) -> Predictions:
        test = self.frames().query("split == 'test'")
        labels = np.array([self.classes.index(label) for label in test["label"]])
        predicted = labels.copy()
        for name, count in self.wrong.items():
            label = self.classes.index(name)
            predicted[np.flatnonzero(labels == label)[:count]] = (label + 1) % len(self.classes)
        probabilities = np.where(np.eye(len(self.classes))[predicted] == 1, 0.9, 0.1 / (len(self.classes) - 1))
        rows, zeros = np.arange(len(labels)), np.zeros(len(labels), np.int64)
        has_good = self.good_class is not None
        return Predictions(tuple(self.classes), labels, probabilities, test["run"].to_numpy(str), zeros, rows, has_good)

    def recorded(self) -> Recorded:
        used = self.frames()
        each = dict.fromkeys(self.classes, self.runs_per_class * self.frames_per_run)
        counts = dict.fromkeys(("train", "valid", "test"), each)
        inventory = {
            "classes": list(self.classes),
            "good_class": self.good_class,
            "frames": len(used),
            "frame_height_px": 96,
            "frame_width_px": 96,
            "counts": counts,
            "runs": {run: process_facts(run) for run in used["run"].unique()},
            "rejected": [],
            "notes": [],
        }
        none = dict.fromkeys(self.classes, 0)
        audit = {
            "strategy": "published",
            "after": counts,
            "dropped": dict.fromkeys(counts, none),
            "runs_per_class": {split: dict.fromkeys(self.classes, self.runs_per_class) for split in counts},
            "leaks": {
                "shared_runs": {"runs": 0},
                "identical_frames": {"pairs": 0},
                "near_identical_frames": {"pairs": 0},
            },
            "probably_one_recording": {"recordings": 0},
            "notes": [],
        }
        return Recorded(self.settings, inventory, {**audit, **self.audit}, used)

    def facts(self, folder: Path) -> Facts:
        has_good = self.good_class is not None
        save_tiny_export(folder, novelty=True, promises=(PROMISE,) if has_good else ())
        lineage = {"fold": 0, "seed": 1, "valid_macro_f1": 0.5, "best_epoch": 1, "parameters": 100, "sha256": "a" * 64}
        bundle = replace(
            load_bundle(folder),
            model="conv6",
            dataset="mine",
            classes=tuple(self.classes),
            good_class=self.good_class,
            thresholds={0.01: 0.5} if has_good else {},
            lineage={**lineage, "valid_doubts": []},
        )
        settings = Compare(models=["conv6"], false_reject_rates=[0.01], bootstrap_draws=500)
        made_from = {"inputs": {"split.csv": "b" * 64}, "code_sha256": "c" * 64, "versions": {"torch": "2"}}
        return Facts(
            bundle, self.recorded(), {**TRAINING, **self.training}, self.said(), settings, PARITY, LATENCY, CALIBRATION,
            "", made_from,
        )  # fmt: skip

    def card(self, folder: Path) -> str:
        return card(self.facts(folder))


def section(text: str, title: str) -> str:
    return next(part for part in re.split(r"^## ", text, flags=re.MULTILINE) if part.startswith(title))


def cells(text: str, first: str) -> list[str]:
    """Cells of the row that begins with a cell."""
    row = next(line for line in text.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in row.strip("|").split(" | ")]


def test_scores_are_those_of_the_predictions(tmp_path: Path) -> None:
    found = section(World(wrong={"burn_through": 3}).card(tmp_path), "Results on test")
    # 12 frames a class; 3 of burn_through are taken for lack_of_shielding_gas.
    _, frames, runs, precision, recall, f1 = cells(found, "burn_through")
    assert (frames, runs) == ("12", "3")
    assert precision.startswith("1.000")
    assert recall.startswith("0.750 (0.")
    assert f1.startswith("0.857 (0.")
    assert cells(found, "lack_of_shielding_gas")[3].startswith("0.800 (0.")
    macro = (1 + 2 * 0.75 / 1.75 + 2 * 0.8 / 1.8) / 3
    assert f"macro F1 of **{macro:.3f} (" in found
    assert "3 frames of burn_through taken for lack_of_shielding_gas" in found
    other = section(World(wrong={"burn_through": 4}).card(tmp_path), "Results on test")
    assert cells(other, "burn_through")[4].startswith("0.667 (")


def test_every_number_of_test_has_an_interval_or_says_why_it_has_none(tmp_path: Path) -> None:
    text = World(wrong={"burn_through": 3, "good_weld": 1}).card(tmp_path)
    for title in ("Results on test", "Decision"):
        rows = [line for line in section(text, title).splitlines() if line.startswith("| ") and "---" not in line]
        numbers = [
            cell for row in rows for cell in row.strip("|").split(" | ") if re.match(r"\s*[\d.,]+( %)? \(", cell)
        ]
        assert len(numbers) >= 4
        assert [cell for cell in numbers if " to " not in cell and "no interval" not in cell] == []


def test_escapes_are_counted_in_frames_and_in_welds(tmp_path: Path) -> None:
    # A frame that is taken for the next class of defect is no escape; one of the last class is taken for good_weld.
    found = section(World(wrong={"lack_of_shielding_gas": 4}).card(tmp_path), "Decision")
    assert "| 1 % | 0.500000 | 0 % " in found
    assert "16.7 % (" in found  # 4 of 24 defective frames
    assert "| 1 % | none | 6 | 1 (0.421 % to 64.1 %) | 3 | 0 (0 % to 70.8 %) |" in found
    assert cells(found, "lack_of_shielding_gas")[1].startswith("33.3 % (")


def test_what_the_runs_say_of_the_welds_stands_with_how_many_say_it(tmp_path: Path) -> None:
    names = {
        "test burn_through 1 200A 5mm Plate": "test 250A w.s.16cm.m g.f.10L.m 3mm Plate",
        "train burn_through 1 200A 5mm Plate": "train w.s.11.5cm.m",
    }
    found = section(World(names=names).card(tmp_path), "What it has seen")
    assert "| welding current | 200 A (8 of 9) | 200 A (9 of 9) | 200, 250 A (9 of 9) |" in found
    assert "| plate thickness | 5 mm (8 of 9) | 5 mm (9 of 9) | 3, 5 mm (9 of 9) |" in found
    assert "| travel speed | 11.5 cm/min (1 of 9) | not known from the data (0 of 9) | 16 cm/min (1 of 9) |" in found
    assert "Test goes beyond what train says of welding current: 250 A (1 run)" in found
    assert "Test goes beyond what train says of flow of shielding gas: 10 L/min (1 run)" in found
    assert "Voltage, level of travel speed on the tractor and lens: not known from the data." in found
    assert "| size of a frame as filmed | 320 x 175 pixels |" in found
    assert cells(found, "test 250A w.s.16cm.m g.f.10L.m 3mm Plate")[1:] == ["test", "4", "burn_through"]


def test_the_table_of_welds_knows_every_fact_that_a_name_can_tell() -> None:
    name = "160708-140302-50mmLens 200A 12V w.s.16cm.m w.s.lev3 g.f.15L.m 5mm Plate"
    assert process_facts(name).keys() == {*PROCESS_FACTS, "recorded"}


def test_a_dataset_of_its_own_is_told_without_a_guess(tmp_path: Path) -> None:
    world = World(classes=("fine", "spooling"), good_class="fine", run_name="{split}-{label}-{run}")
    text = world.card(tmp_path)
    assert cells(section(text, "The classes"), "spooling")[1] == "not mapped"
    assert cells(section(text, "The classes"), "fine")[1] == "none: the weld is good"
    seen = section(text, "What it has seen")
    assert "| welding current" not in seen
    assert "Welding current, voltage, travel speed" in seen
    assert "not known from the data" in seen
    assert cells(section(text, "Licenses"), "frames")[1].startswith("not known from the data")
    assert "only its owner can say" in section(text, "The data")
    assert "simulat" not in section(text, "The data")


def test_without_a_good_class_nothing_is_said_of_escapes(tmp_path: Path) -> None:
    text = World(classes=("hole", "dirt"), good_class=None).card(tmp_path)
    assert "No threshold could be chosen" in section(text, "Decision")
    assert "Nothing, as the data has no class of good welds." in section(text, "What is promised")
    assert "neither escapes nor false rejects can be measured" in section(text, "Do these measures")
    assert "What is promised? **nothing**" in text


def test_simulated_frames_are_called_so_first(tmp_path: Path) -> None:
    text = World(settings=SimulatedDataset(source="simulated")).card(tmp_path)
    assert "nothing here is about real welds" in text.partition("## ")[0]
    assert "no camera took these frames" in section(text, "The data")
    assert "nothing here is about real welds" not in World().card(tmp_path)


def test_a_random_split_is_warned_of(tmp_path: Path) -> None:
    text = World(audit={"strategy": "random"}).card(tmp_path)
    assert "every score is too high" in section(text, "Splits and their audit")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            KaggleDataset(source="kaggle", handle="danielbacioiu/tig-aluminium-5083"),
            ["CC BY-SA 4.0", "CC BY-NC-SA 4.0"],
        ),
        (
            KaggleDataset(source="kaggle", handle="danielbacioiu/tig-stainless-steel-304"),
            ["not recorded here", "Kaggle"],
        ),
        (KaggleDataset(source="kaggle", handle="some/one"), ["not known from the data", "some/one"]),
        (SimulatedDataset(source="simulated"), ["MIT"]),
        (OWN, ["not known from the data"]),
    ],
)
def test_the_license_of_the_frames_is_told_as_far_as_it_is_known(
    tmp_path: Path, settings: Dataset, expected: list[str]
) -> None:
    told = cells(section(World(settings=settings).card(tmp_path), "Licenses"), "frames")[1]
    assert [words for words in expected if words not in told] == []


def test_a_public_dataset_given_as_a_zip_is_known_by_its_counts() -> None:
    counts = {
        "train": dict(zip(AL5083_CLASSES, [8758, 1783, 6325, 4028, 2953, 2819], strict=True)),
        "test": dict(zip(AL5083_CLASSES, [2189, 351, 2078, 1007, 729, 234], strict=True)),
    }
    found = Recorded(OWN, {"classes": AL5083_CLASSES, "counts": counts}, {}, pd.DataFrame())
    assert found.public == "Al5083"
    counts["test"]["misalignment"] -= 1
    assert found.public is None


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ({"settings": {"init": "scratch"}}, ["none: random numbers"]),
        ({"settings": {"init": "simulated"}}, ["MIT"]),
        ({"settings": {"init": "imagenet"}, "architecture": "efficientnet_lite0"}, ["Apache-2.0", "not commercial"]),
        ({"settings": {"init": "imagenet"}, "architecture": "resnet18"}, ["BSD", "not commercial"]),
    ],
)
def test_the_license_of_the_weights_is_that_of_what_the_training_started_from(
    tmp_path: Path, training: dict, expected: list[str]
) -> None:
    told = section(World(training=training).card(tmp_path), "Licenses")
    assert [words for words in expected if words not in told] == []


def test_classes_of_the_public_datasets_are_mapped_where_a_name_fits() -> None:
    found = {name: imperfection_of(name, "good_weld")[0] for name in (*SS304_CLASSES, *AL5083_CLASSES)}
    assert {name: words[:3] for name, words in found.items() if words[0].isdigit()} == {
        "burn_through": "510",
        "lack_of_fusion": "401",
        "misalignment": "507",
        "lack_of_penetration": "402",
    }
    for state in ("lack_of_shielding_gas", "high_travel_speed"):
        assert "a state of the process" in found[state]
    assert found["contamination"] == "none that fits"


def test_every_point_of_annex_iv_says_what_is_here_and_what_is_left(tmp_path: Path) -> None:
    text = World().card(tmp_path)
    own = section(text, "What a factory must write itself")
    rows = [line.strip("|").split(" | ") for line in own.splitlines() if re.match(r"\| \d", line)]
    assert {row[0].strip()[0] for row in rows} == set("123456789")
    assert all(len(row) == 4 and row[3].strip() for row in rows)
    assert "claims no conformity" in own
    for point in ("2 (e)", "2 (h)", "7", "8"):
        assert re.search(rf"^\| {re.escape(point)} \|", own, re.MULTILINE)
    assert [row[2].strip() for row in rows if row[0].strip() in ("7", "8", "2 (h)")] == ["nothing"] * 3
    named = {point for points in re.findall(r"\(Annex IV: (.+)\)$", text, re.MULTILINE) for point in points.split(", ")}
    assert named <= {row[0].strip() for row in rows}
    shown = annex_iv([Section("One", "2 (a)", []), Section("Other", "2 (a), 9", [])]).markdown
    assert "| 2 (a) | methods and steps of development | One; Other |" in shown


def test_what_checks_a_method_is_there() -> None:
    paths = re.findall(r"(?:tests|benchmarks)/[\w/]+\.py", methods().markdown)
    assert len(paths) >= 10
    assert [path for path in paths if not (ROOT / path).is_file()] == []


UNKNOWN = (
    "**What the exported models do**\n\n| model   | frames of   | called good   |\n|:---|:---|:---|\n"
    "| conv6   | burn_through (class left out) | 3.0% |\n| other | burn_through (class left out) | 9.0% |\n\n"
    "- conv6 fails on noise.\n- other fails on wood.\n- Intervals have 95 % confidence.\n"
)


def test_the_drills_stand_where_the_dossier_missed_them_and_about_this_model_alone(tmp_path: Path) -> None:
    export = tmp_path / "conv6"
    text = World().card(export)
    (export / "card.md").write_text(text)
    assert text.count("Not measured by this run") == len(TABLES)
    for names in TABLES.values():
        for name in names:
            (tmp_path / f"{name}.md").write_text(UNKNOWN.replace("What the", f"Table {name}: what the"))
    found = with_evidence(export, tmp_path)
    assert "Not measured" not in found
    learned = section(found, "What was never learned")
    assert "| conv6   | burn_through (class left out) | 3.0% |" in learned
    assert "- conv6 fails on noise." in learned
    assert "- Intervals have 95 % confidence." in learned
    assert "other" not in learned.partition("Table unknown")[2]
    assert "Table robustness_escapes" in section(found, "Another lamp")
    assert "Table review" in section(found, "Labels in doubt")
    page = dossier_page(found, "mine", TEMPLATE)
    assert "Table unknown: what the exported models do</caption>" in page
    (tmp_path / "review.md").unlink()
    with pytest.raises(InputError, match=r"review\.md: there is no such file; run `snakemake --cores all trust`"):
        with_evidence(export, tmp_path)


HOSTILE = ("gut|schön", "*a* <script>alert(1)</script>", "_b_ `c` $d$ &lt; [e](f)", "good_weld~~x~~")


def test_names_from_the_data_stand_as_they_are(tmp_path: Path) -> None:
    world = World(classes=HOSTILE, good_class=HOSTILE[0], run_name="{split}|{run}_ <b> {label}")
    page = dossier_page(world.card(tmp_path), "mine", TEMPLATE)
    for name in HOSTILE:
        assert f"<td>{html.escape(name, quote=False)}</td>" in page.replace("&quot;", '"')
    assert "<script" not in page
    assert html.escape("test|0_ <b> gut|schön", quote=False) in page


def test_plain_text_is_one_line() -> None:
    assert plain("a\n\n## b\tc") == "a ## b c"
    assert [plain(text) for text in ("> a", "# a", "- a", "-0.5", "0.4 -> 0.3")] == [
        "\\> a",
        "\\# a",
        "\\- a",
        "-0.5",
        "0.4 -> 0.3",
    ]


@pytest.mark.parametrize("width", [400, 1000, 1400])
def test_the_page_in_a_browser(tmp_path: Path, width: int) -> None:
    text = World(settings=SimulatedDataset(source="simulated"), wrong={"burn_through": 3}, runs_per_class=5).card(
        tmp_path / "export"
    )
    page = tmp_path / "card.html"
    page.write_text(dossier_page(text, "mine", TEMPLATE), encoding="utf-8")
    found, log = probed(tmp_path, page, width)
    assert (found["width"], found["requests"]) == (width, [])
    assert found["overflow"] <= 0
    assert found["contrast"] >= 4.5
    assert found["smallest_px"] >= 12
    assert "CONSOLE" not in log
    titles = re.findall(r"^## (.+?)(?: \(Annex IV.*)?$", text, re.MULTILINE)
    assert found["headings"] == ["conv6, trained on mine", *titles]


def test_the_page_stands_alone_and_leaves_no_markdown(tmp_path: Path) -> None:
    text = World(wrong={"burn_through": 3}).card(tmp_path)
    page = dossier_page(text, "mine", TEMPLATE)
    main = page.partition("<main>")[2]
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)
    shown = re.sub(r"<[^>]+>", "\n", main)
    assert not re.search(r"\*\*|^\s*\||^#|`|\bnan\b|\\", shown, re.MULTILINE)
    # Every table of the text is one of the page, and every sentence stands there.
    assert main.count("<table") == len(re.findall(r"^\| ---", text, re.MULTILINE))
    assert "<dt>How good is it on test?</dt>" in main
