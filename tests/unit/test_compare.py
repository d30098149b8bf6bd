"""From predictions to tables and figures, for worlds of every kind."""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from made_up_predictions import CLASSES, World, certain, conclude, read_all
from sklearn.metrics import precision_score

from weldbench.config.evidence import Compare
from weldbench.data.dataset import split_id
from weldbench.errors import InputError
from weldbench.evaluation.comparison import Comparison
from weldbench.evaluation.predictions import Predictions, select_split
from weldbench.evaluation.scoring import score_comparison
from weldbench.reporting.compare import write_figures, write_tables
from weldbench.reporting.figures.runs import strips
from weldbench.reporting.figures.scores import macro_f1, reliability
from weldbench.reporting.figures.training import cost
from weldbench.reporting.outputs import FIGURE_FORMAT, TABLE_FORMATS, TABLES, TIMED, figure_names
from weldbench.reporting.tables.by_class import per_class
from weldbench.reporting.tables.by_model import summary
from weldbench.reporting.tables.by_run import runs as runs_table
from weldbench.reporting.tables.by_run import temporal_vote

PUBLISHED = Path(__file__).parents[2] / "reference" / "published.yaml"
AL5083 = [*CLASSES[:4], "misalignment", "lack_of_penetration"]

WORLDS = {
    "plain": World(),
    "one_seed": World(seeds=(3,)),
    "one_model": World(skills={"conv6": 0.8}),
    "one_run_per_class": World(runs_per_class={"train": 1, "valid": 1, "test": 1}),
    "one_run_in_one_class": World(single_run_class="lack_of_shielding_gas"),
    "a_class_without_test_frames": World(absent_test_class="burn_through"),
    "a_class_never_predicted": World(never_predicted={"conv6": "lack_of_shielding_gas"}),
    "no_good_test_frames": World(absent_test_class="good_weld"),
    "other_classes": World(dataset="al5083", classes=AL5083),
    "two_classes": World(dataset="mine", classes=["good", "bad | worse_&_50%"]),
    "twelve_classes": World(dataset="mine", classes=[f"class_{number}" for number in range(12)], seeds=(0,)),
    "nine_models": World(skills={f"model{number}": 0.5 + number / 20 for number in range(9)}, seeds=(0,)),
    "flawless": World(skills={"conv6": 0.999999, "resnet18": 0.999999}, margin=40.0),
    "valid_cannot_choose": World(valid_doubts=["valid holds no frame of 2 of the 6 classes of train"], seeds=(0,)),
    "three_beginnings": World(
        skills={"resnet18": 0.9, "frozen": 0.8, "resnet18_scratch": 0.6},
        settings={
            "resnet18": {"init": "simulated"},
            "frozen": {"architecture": "resnet18", "init": "imagenet"},
            "resnet18_scratch": {"architecture": "resnet18", "init": "scratch"},
        },
        absent_test_class="burn_through",
    ),
    "two_folds": World(folds=(0, 1), seeds=(0, 1)),
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The folder of tables of a world, by its name, made once."""
    made = {}

    def folder(name: str) -> Path:
        if name not in made:
            root = tmp_path_factory.mktemp(name)
            write_tables(conclude(WORLDS[name], root), root / "tables")
            made[name] = root / "tables"
        return made[name]

    return folder


def comparison_of(folder: Path, table: str = "comparison") -> pd.DataFrame:
    return pd.read_csv(folder / f"{table}.csv")


@pytest.mark.parametrize("name", WORLDS)
def test_every_table_is_written_without_nan(tables, name):
    folder = tables(name)
    assert {path.name for path in folder.iterdir()} == {f"{t}.{suffix}" for t in TABLES for suffix in TABLE_FORMATS}
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(nan|None|NaT|inf|<NA>)\b", text), path.name


@pytest.mark.parametrize("name", WORLDS)
def test_markdown_and_latex_hold_the_same_table(tables, name):
    for table in TABLES:
        markdown = (tables(name) / f"{table}.md").read_text(encoding="utf-8")
        latex = (tables(name) / f"{table}.tex").read_text(encoding="utf-8")
        lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in markdown.splitlines() if line.startswith("|")]
        rows = [line.removesuffix(r" \\") for line in latex.splitlines() if line.endswith(r" \\")]
        assert len({len(line) for line in lines}) == 1
        assert len(rows) == len(lines) - 1
        for row, line in zip(rows, [lines[0], *lines[2:]], strict=True):
            cells = re.split(r"(?<!\\)&", row)
            assert len(cells) == len(line)
            numbers = [re.findall(r"\d+\.\d+", cell) for cell in cells]
            assert numbers == [re.findall(r"\d+\.\d+", cell) for cell in line]


@pytest.mark.parametrize("name", WORLDS)
def test_an_empty_cell_has_its_reason_beside_it(tables, name):
    table = comparison_of(tables(name))
    without = table[table[["f1", "f1_low", "f1_high"]].isna().any(axis=1)]
    assert (without["note"].fillna("") != "").all()


def test_the_macro_average_is_the_mean_of_the_classes_over_seeds(tables):
    table = comparison_of(tables("plain"))
    ours = table[table["f1_std"].notna()]
    for _, rows in ours.groupby("model"):
        assert rows["f1"].iloc[-1] == pytest.approx(rows["f1"].iloc[:-1].mean(), abs=1e-5)
        assert rows["class"].iloc[-1] == "macro average"
        assert (rows["f1_low"] < rows["f1"]).all()
        assert (rows["f1"] < rows["f1_high"]).all()


def test_published_values_stand_beside_ours_with_their_source(tables):
    text = (tables("plain") / "comparison.md").read_text(encoding="utf-8")
    macro = next(line for line in text.splitlines() if line.startswith("| macro average"))
    assert [cell.strip() for cell in macro.split("|")[-4:-1]] == ["0.56", "0.78", "0.97"]
    assert "\n- –: not published.\n" in text
    assert "scored on ss304, ours on weldsim: other data, not comparable" in text
    assert "Source: Rygol" in text


def test_other_classes_have_no_published_values(tables):
    for name in ("other_classes", "two_classes"):
        text = (tables(name) / "comparison.md").read_text(encoding="utf-8")
        assert "published " not in text.partition("\n\n")[2].partition("\n\n")[0]
        assert "No results are known" in text
    assert "no results are known" in (tables("two_classes") / "published.md").read_text(encoding="utf-8")
    of_al5083 = (tables("other_classes") / "published.md").read_text(encoding="utf-8")
    assert "accuracy 0.793" in of_al5083
    assert "0.56 and 0.78" not in of_al5083


@pytest.mark.parametrize(
    ("name", "table", "words"),
    [
        ("one_seed", "comparison", "One seed only: no standard deviation over seeds."),
        ("one_model", "comparison", "One model: there is no best."),
        ("one_model", "pairs", "one model only: nothing to compare"),
        ("one_run_per_class", "comparison", "one test run per class: no interval"),
        ("one_run_per_class", "pairs", "no test possible"),
        *(
            ("one_run_in_one_class", table, " are too narrow, for only one test run shows lack_of_shielding_gas.")
            for table in ("comparison", "comparison_balanced", "summary", "pairs", "operating_points")
        ),
        ("one_run_in_one_class", "comparison", "No test is possible (one test run): lack_of_shielding_gas."),
        ("one_run_in_one_class", "comparison", "(only one test run shows lack_of_shielding_gas): macro average."),
        ("one_run_in_one_class", "pairs", "No test over runs is possible where there is no interval, or one that"),
        ("one_seed", "comparison", "Bold: better than every other model (p over runs below 0.05, Holm"),
        ("plain", "comparison", "Bold: better than every other model (p over runs and seeds below 0.05, Holm"),
        ("a_class_without_test_frames", "comparison", "no test frames"),
        ("a_class_without_test_frames", "per_class", "Without test frames, and left out of averages: burn_through."),
        ("a_class_never_predicted", "per_class", "conv6 never predicts lack_of_shielding_gas: no precision (0 in the"),
        ("no_good_test_frames", "operating_points", "no threshold"),
        ("flawless", "comparison", "the same in every run: no interval"),
        ("plain", "operating_points", "valid has 60 good frames, too few for 0.1 %"),
        ("plain", "temporal_vote", "No test run changes its class"),
        *(
            ("valid_cannot_choose", table, "last epoch were kept, as valid cannot choose: valid holds no frame of 2 of")
            for table in ("comparison", "comparison_balanced", "cost")
        ),
        ("valid_cannot_choose", "operating_points", "(uncalibrated)"),
        ("valid_cannot_choose", "operating_points", "Uncalibrated: valid lacks classes, or runs of them"),
    ],
)
def test_what_cannot_be_said_is_said_in_words(tables, name, table, words):
    assert words in (tables(name) / f"{table}.md").read_text(encoding="utf-8")


def test_bold_stands_only_where_a_test_says_better(tables):
    clear = (tables("plain") / "comparison.md").read_text(encoding="utf-8")
    assert re.search(r"\| macro average .*\*\*0\.\d{3} ± ", clear)
    alone = (tables("one_run_in_one_class") / "comparison.md").read_text(encoding="utf-8")
    assert "**" not in next(line for line in alone.splitlines() if line.startswith("| macro average"))
    for name in ("one_run_per_class", "flawless", "one_model"):
        rows = (tables(name) / "comparison.md").read_text(encoding="utf-8").split("\n\n")[1]
        assert "**" not in rows


def test_published_results_name_our_counterpart_and_what_still_differs(tables):
    table = pd.read_csv(tables("plain") / "published.csv", keep_default_na=False)
    assert table["our_model"].tolist()[:4] == ["full_con6", "conv6", "resnet18", ""]
    assert "data: ss304, ours weldsim; train frames: 4,729 (assumed), ours 540;" in table["differences"][0]
    assert ["differences" for text in table.loc[table["our_model"] == "", "differences"] if text] == []
    ours = pd.read_csv(tables("plain") / "summary.csv").set_index("model")["macro_f1"]
    assert float(table["our_macro_f1"][1]) == pytest.approx(ours["conv6"].iloc[0], abs=1e-6)


@pytest.mark.parametrize(
    ("balance", "cap", "expected"), [("none", 1000, 540), ("undersample", 20, 120), ("oversample", 1000, 540)]
)
def test_a_published_training_is_compared_by_the_frames_that_ours_learned_from(tmp_path, balance, cap, expected):
    root = tmp_path / "world"
    world = World(skills={"conv6": 0.8}, seeds=(0,), balance={"conv6": balance}, cap=cap)
    findings = conclude(world, root)
    write_tables(findings, root / "tables")
    text = pd.read_csv(root / "tables/published.csv", keep_default_na=False).set_index("our_model")["differences"]
    assert f"train frames: 4,729 (assumed), ours {expected};" in text["conv6"]


def test_columns_of_published_results_that_hold_nothing_are_left_out(tables):
    for name, without in (("nine_models", {"ours", "differences"}), ("plain", set())):
        lines = (tables(name) / "published.md").read_text(encoding="utf-8").splitlines()
        columns, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
        assert not without & set(columns)
        assert all(set(cells) != {"–"} for cells in zip(*rows, strict=True))
        assert not pd.read_csv(tables(name) / "published.csv").isna().all().any()
    assert "No model compared here has the architecture" in (tables("nine_models") / "published.md").read_text()


def test_a_run_that_stands_alone_is_told_beside_the_numbers(tables):
    lone = "only one test run shows lack_of_shielding_gas"
    summary, pairs, factory = (
        comparison_of(tables("one_run_in_one_class"), table) for table in ("summary", "pairs", "operating_points")
    )
    assert set(summary["note"]) == set(factory["note"]) == {f"too narrow, for {lone}"}
    assert set(pairs["note"]) == {lone}
    assert pairs["p_runs"].isna().all()
    assert pairs["low"].notna().all()


def test_nothing_is_said_of_a_valid_that_can_choose(tables):
    folder = tables("plain")
    for table in ("comparison", "cost", "operating_points"):
        told = (folder / f"{table}.md").read_text(encoding="utf-8")
        assert "last epoch" not in told
        assert "ncalibrated" not in told
    assert comparison_of(folder, "operating_points")["calibrated"].all()
    assert not comparison_of(tables("valid_cannot_choose"), "operating_points")["calibrated"].any()


def test_a_random_split_is_told_below_the_comparison(tmp_path):
    world = World(seeds=(0,), skills={"conv6": 0.8})
    world.write(tmp_path)
    told = {}
    for strategy in ("published", "random"):
        audit = tmp_path / "data/weldsim/split/fold0/audit.json"
        audit.write_text(json.dumps(json.loads(audit.read_text()) | {"strategy": strategy}))
        write_tables(read_all(world, tmp_path), tmp_path / strategy)
        told[strategy] = (tmp_path / strategy / "comparison.md").read_text("utf-8")
    assert "- The split is random, not by run: near copies of train frames are in test" in told["random"]
    assert "random" not in told["published"]


def test_the_line_below_a_table_changes_with_the_split_and_the_augmentation(tmp_path):
    world = World(seeds=(0,), skills={"conv6": 0.8})
    world.write(tmp_path)
    lines = {read_all(world, tmp_path).lineage}
    run = tmp_path / "models/weldsim/conv6/fold0/seed0/training.json"
    run.write_text(json.dumps(json.loads(run.read_text()) | {"augment": {"noise": 0.3}}))
    lines.add(read_all(world, tmp_path).lineage)
    split = tmp_path / "data/weldsim/split/fold0/split.csv"
    former = split_id(split)
    split.write_text(split.read_text().replace(",train\n", ",valid\n", 1))
    assert split_id(split) != former
    predictions = tmp_path / "results/weldsim/evaluation/conv6/fold0/seed0/predictions.csv"
    predictions.write_text(predictions.read_text().replace(former, split_id(split)))
    lines.add(read_all(world, tmp_path).lineage)
    assert len(lines) == 3


def test_table_1_and_the_costs_tell_what_each_model_learned_from(tmp_path):
    world = World(balance={"full_con6": "undersample", "conv6": "undersample"}, cap=9, seeds=(0,))
    write_tables(conclude(world, tmp_path), tmp_path / "tables")
    capped, every = "at most 9 frames of each class of train", "all frames of train"
    table = comparison_of(tmp_path / "tables", "distribution").set_index(["set", "class"])
    assert table.loc[[(f"learned from {capped}", "contamination")], ["frames", "runs"]].to_numpy().tolist() == [[9, 1]]
    assert table.loc[[(f"learned from {every}", "contamination")], ["frames", "runs"]].to_numpy().tolist() == [[90, 3]]
    text = (tmp_path / "tables/distribution.md").read_text(encoding="utf-8")
    assert f"- full_con6, conv6 learned from {capped}.\n- resnet18 learned from {every}.\n" in text
    costs = comparison_of(tmp_path / "tables", "cost").set_index("model")
    assert costs["learned_from"].to_dict() == {"full_con6": capped, "conv6": capped, "resnet18": every}
    assert costs["frames_learned_from"].to_dict() == {"full_con6": 54, "conv6": 54, "resnet18": 540}


def test_a_cap_that_no_class_reaches_leaves_all_frames(tmp_path):
    world = World(balance={"full_con6": "undersample"}, cap=91, seeds=(0,))
    write_tables(conclude(world, tmp_path), tmp_path / "tables")
    assert set(comparison_of(tmp_path / "tables", "cost")["learned_from"]) == {"all frames of train"}


def test_seeds_of_one_model_that_learned_from_other_frames_are_refused(tmp_path):
    world = World(seeds=(0, 1), skills={"conv6": 0.8})
    world.write(tmp_path)
    path = tmp_path / "models/weldsim/conv6/fold0/seed1/training.json"
    path.write_text(path.read_text().replace('"frames": 90', '"frames": 80', 1))
    with pytest.raises(InputError, match="trained with different learned_from"):
        read_all(world, tmp_path)


def test_figures_and_tables_of_an_earlier_run_go(tmp_path):
    world = World(seeds=(0,), skills={"conv6": 0.8})
    findings = conclude(world, tmp_path / "world")
    for name in ("confusion_resnet18.png", "sentence.md"):
        (tmp_path / name).write_text("of an earlier run")
    write_figures(findings, tmp_path)
    assert "confusion_conv6.png" in {path.name for path in tmp_path.iterdir()}
    write_tables(findings, tmp_path / "tables")
    (tmp_path / "tables" / "retired.md").write_text("of an earlier run")
    write_tables(findings, tmp_path / "tables")
    left = {path.name for folder in (tmp_path, tmp_path / "tables") for path in folder.iterdir()}
    assert not left & {"confusion_resnet18.png", "sentence.md", "retired.md"}


@pytest.mark.parametrize(("name", "dashed"), [("plain", False), ("one_run_in_one_class", True)])
def test_figures_dash_an_interval_that_is_too_narrow_and_say_so(tmp_path, name, dashed):
    findings = conclude(WORLDS[name], tmp_path)
    compared = macro_f1([findings.scored], findings.published, findings.trainings.settings).axes[0]
    costs = cost(findings.scored, findings.trainings).axes[0]
    for axes, words in ((compared, compared.get_xlabel()), (costs, costs.get_ylabel())):
        intervals = [line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linestyle() != "None"]
        assert len(intervals) == len(findings.scored.comparison.models)
        assert {line.get_linestyle() for line in intervals} == {"--" if dashed else "-"}
        assert ("too narrow" in words) == dashed


def test_averages_of_precision_count_a_class_that_is_never_predicted_and_none_without_frames(tmp_path):
    labels = [0, 0, 0, 1, 1, 2]
    # Of one: a 3 of 5, b 1 of 1, c never. Of other, all that it says of a, b and c is right; of d there are no frames.
    predicted = {"one": [0, 0, 0, 1, 0, 0], "other": [0, 0, 3, 1, 1, 2]}
    test = {m: (select_split(certain("abcd", labels, said, list("uvwxyz")), "test"),) for m, said in predicted.items()}
    comparison = Comparison(tuple("abcd"), tuple(test), (0,), test, {})
    per_class(score_comparison("six frames", comparison, Compare(models=list(test), bootstrap_draws=50))).write(
        tmp_path
    )
    table = comparison_of(tmp_path, "per_class").set_index(["model", "class"])["precision"]
    macro = {model: table[model, "macro average"] for model in test}
    assert macro == pytest.approx({"one": (3 / 5 + 1 + 0) / 3, "other": 1.0}, abs=1e-6)
    for model, said in predicted.items():
        theirs = precision_score(labels, said, labels=[0, 1, 2], average="macro", zero_division=0)
        assert macro[model] == pytest.approx(theirs, abs=1e-6)
    cells = [line.split("|") for line in (tmp_path / "per_class.md").read_text(encoding="utf-8").splitlines()]
    shown = {(cell[1].strip(), cell[2].strip()): cell[4].strip() for cell in cells if len(cell) > 4}
    assert shown["one", "c"] == "never predicted"
    assert shown["one", "d"] == shown["other", "d"] == "no test frames"


def test_scores_of_each_class_stand_with_their_deviation_over_seeds(tmp_path):
    said = [0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1]
    seeds = tuple(select_split(certain("ab", [0, 0, 0, 0, 1, 1], each, list("uvwxyz")), "test") for each in said)
    comparison = Comparison(("a", "b"), ("one",), (0, 1, 2), {"one": seeds}, {})
    per_class(score_comparison("six frames", comparison, Compare(models=["one"], bootstrap_draws=50))).write(tmp_path)
    row = next(line for line in (tmp_path / "per_class.md").read_text("utf-8").splitlines() if "| a " in line)
    # Of a: precision 1 in all seeds; recall 3/4, 2/4, 1; F1 6/7, 4/6, 1.
    assert "| 1.000 ± 0.000 | 0.750 ± 0.250 | 0.841 ± 0.167 |" in re.sub(" +", " ", row)


def test_a_vote_is_told_what_flawless_predictions_would_reach_with_it():
    labels, runs = [1, 1, 1, 0, 0, 0, 0, 0, 0, 1], list("xxxxxxxxxy")
    test = {"good": (select_split(certain("ab", labels, labels, runs), "test"),)}
    scored = score_comparison("ten frames", Comparison(("a", "b"), ("good",), (0,), test, {}), Compare(models=["good"]))
    table = temporal_vote(scored, [1, 3])
    # Over three frames, flawless predictions are one frame late: F1 10/11 of a, 8/9 of b.
    assert table.notes[2].endswith("flawless predictions would have a macro F1 of 1.000 with 1, 0.899 with 3 frames.")
    assert table.shown["good"].tolist() == ["1.000 (0 frames)", "0.899 (1 frame)"]
    films = runs_table(scored, 3).data
    assert films["class"].tolist() == ["b then a", "b"]


@pytest.mark.parametrize(("said", "told"), [([0] * 6, "1 of 2 changes missed"), ([0, 0, 1, 1, 0, 0], "0 frames")])
def test_where_half_of_the_changes_are_missed_there_is_no_median_delay(said, told):
    test = {"one": (select_split(certain("ab", [0, 0, 1, 1, 0, 0], said, list("xxxxxx")), "test"),)}
    scored = score_comparison("six frames", Comparison(("a", "b"), ("one",), (0,), test, {}), Compare(models=["one"]))
    assert temporal_vote(scored, [1]).shown["one"][0].endswith(f"({told})")


def test_the_reliability_figure_and_the_summary_give_the_same_calibration_error(tmp_path):
    findings = conclude(WORLDS["plain"], tmp_path)
    table = summary([findings.scored]).data.set_index("model")["expected_calibration_error"]
    for handle in reliability(findings.scored).legends[0].get_texts():
        model = handle.get_text().split()[0]
        assert handle.get_text() == f"{model} (calibration error {table[model]:.3f}, the mean over seeds)"


def test_the_paper_s_balanced_subset_is_taken_for_the_paper_s_data(tmp_path):
    world = World(dataset="ss304", seeds=(0,), frames_per_run=300, skills={"conv6": 0.8})
    findings = conclude(world, tmp_path)
    assert findings.balanced.support.tolist() == [769, 731, 576, 744, 102, 249]
    assert findings.scored.support.tolist() == [900] * 6


def test_other_data_are_balanced_by_the_cap_of_the_settings(tmp_path):
    world = World(dataset="mine", seeds=(0,), skills={"conv6": 0.8})
    findings = conclude(world, tmp_path, balanced_cap=25)
    assert findings.balanced.support.tolist() == [25] * 6


def cost_table(root: Path, *recorded: dict) -> tuple[pd.DataFrame, str]:
    """Return cost.csv and cost.md where resnet18's training.json holds other facts, per seed."""
    world = World(frames_per_run=4, seeds=(0, 1), skills={"conv6": 0.8, "resnet18": 0.9})
    world.write(root)
    for seed, facts in enumerate(recorded):
        path = root / f"models/weldsim/resnet18/fold0/seed{seed}/training.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | facts))
    write_tables(read_all(world, root), root / "tables")
    return comparison_of(root / "tables", "cost"), (root / "tables/cost.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("init", "start"),
    [("simulated", "a backbone trained on simulated frames"), ("imagenet", "ImageNet's weights")],
)
def test_weights_that_were_learned_before_stand_beside_the_seconds_and_are_not_in_them(tmp_path, init, start):
    table, text = cost_table(tmp_path, *2 * [{"settings": {"init": init}}])
    assert table["starts_from"].tolist() == ["random weights", start]
    assert f"- Seconds to train leave out what it took to make {start}, which trainings share.\n" in text
    assert "different devices" not in text
    assert "- All trained on cpu.\n" in text


def test_times_of_different_devices_are_called_not_comparable(tmp_path):
    table, text = cost_table(tmp_path, {"device": "NVIDIA B"}, {"device": "NVIDIA A"})
    assert table["device"].tolist() == ["cpu", "NVIDIA A and NVIDIA B"]
    assert "- Trained on different devices: NVIDIA A, NVIDIA B, cpu; times are not comparable.\n" in text
    assert "leave out" not in text


def flawless(runs: int) -> Predictions:
    """One frame of each of so many runs, all of them right."""
    names = np.array([f"r{number:04d}" for number in range(runs)])
    labels, rows = np.zeros(runs, dtype=int), np.arange(runs)
    return Predictions(("good", "bad"), labels, np.tile([1.0, 0.0], (runs, 1)), names, folds=labels, rows=rows)


@pytest.mark.parametrize("runs", [3, 100])
def test_every_run_has_a_strip(runs):
    (axes,) = strips(flawless(runs), "conv6", 0).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == flawless(runs).runs.tolist()
    assert " runs" not in axes.get_title(loc="left")


def test_of_very_many_runs_a_hundred_have_a_strip_and_the_figure_says_so():
    figure = strips(flawless(2000), "conv6", 0)
    (axes,) = figure.axes
    assert figure.get_figheight() == pytest.approx(1.5 + 0.34 * 100)
    assert [label.get_text() for label in axes.get_yticklabels()] == [f"r{number:04d}" for number in range(0, 2000, 20)]
    assert "\n100 of 2,000 runs" in axes.get_title(loc="left")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a_class_without_test_frames"])
def test_every_figure_is_written_and_not_blank(tmp_path, name):
    world = WORLDS[name]
    write_figures(conclude(world, tmp_path), tmp_path / "figures")
    names = figure_names(world.skills)
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {f"{n}.{FIGURE_FORMAT}" for n in names}
    for path in (tmp_path / "figures").iterdir():
        assert np.ptp(matplotlib.image.imread(path)[..., :3]) > 0.5, path.name


@pytest.mark.parametrize(
    "missing",
    [
        "results/weldsim/evaluation/conv6/fold0/seed0/predictions.csv",
        "models/weldsim/conv6/fold0/seed0/training.json",
        "models/weldsim/conv6/fold0/seed0/history.csv",
        "data/weldsim/split/fold0/split.csv",
        "data/weldsim/split/fold0/audit.json",
        "data/weldsim/manifest.csv",
        "data/weldsim/inventory.json",
    ],
)
def test_a_missing_file_is_named(tmp_path, missing):
    World(frames_per_run=3, seeds=(0,), skills={"conv6": 0.9}).write(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(InputError, match=missing):
        read_all(World(seeds=(0,), skills={"conv6": 0.9}), tmp_path)


@pytest.mark.slow
def test_the_same_predictions_give_the_same_bytes_but_for_times(tmp_path):
    hashes = []
    for attempt, draws in enumerate((0, 1)):
        root = tmp_path / str(attempt)
        world = World(seed=5, seeds=(0, 1), skills={"conv6": 0.8, "resnet18": 0.9})
        findings = conclude(world, root)
        if draws:
            findings.trainings.runs["seconds"] *= 3
        write_tables(findings, root / "tables")
        write_figures(findings, root / "figures")
        files = sorted([*(root / "tables").iterdir(), *(root / "figures").iterdir()])
        hashes.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files})
    differing = {name.partition(".")[0] for name in hashes[0] if hashes[0][name] != hashes[1][name]}
    assert differing == set(TIMED)


def test_every_table_names_data_settings_and_lock_and_only_a_change_of_them_changes_the_line(tmp_path):
    def line(root: Path, table: str = "comparison.md") -> str:
        return (root / "tables" / table).read_text(encoding="utf-8").splitlines()[-1]

    def made(name: str, confidence: float = 0.95, **world) -> str:
        root = tmp_path / name
        small = World(frames_per_run=2, skills={"conv6": 0.8}, seeds=(0,), **world)
        write_tables(conclude(small, root, confidence=confidence), root / "tables")
        assert len({line(root, path.name) for path in (root / "tables").glob("*.md")}) == 1
        return line(root)

    first = made("first")
    assert re.fullmatch(
        r"- Lineage: data \w{12}, settings \w{12}, lock \w{12}; lineage\.json has the commit .*\.", first
    )
    assert made("again") == first
    assert made("other settings", confidence=0.9) != first
    assert made("other data", runs_per_class={"train": 2, "valid": 2, "test": 2}) != first


def test_simulated_frames_are_counted_among_what_a_model_learned_from(tmp_path):
    world = replace(WORLDS["plain"], simulated_frames={"resnet18": 960})
    findings = conclude(world, tmp_path)
    write_tables(findings, tmp_path / "tables")
    table = pd.read_csv(tmp_path / "tables/cost.csv").set_index("model")["learned_from"]
    assert table["resnet18"].endswith(" of train and 960 simulated frames")
    assert not table.drop("resnet18").str.contains("simulated").any()
