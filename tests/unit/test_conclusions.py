"""From predictions to tables and figures, for worlds of every kind."""

import hashlib
import re
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from predictions_factory import CLASSES, World

from weldbench.conclusions import gather, write_figures, write_tables
from weldbench.config.evidence import Compare
from weldbench.errors import InputError
from weldbench.outputs import FIGURE_FORMAT, TABLE_FORMATS, TABLES, TIMED, figure_names

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
    "two_folds": World(folds=(0, 1), seeds=(0, 1)),
}


def conclude(world: World, root: Path, **changes):
    world.write(root)
    return read_all(world, root, **changes)


def read_all(world: World, root: Path, **changes):
    settings = Compare(models=list(world.skills), bootstrap_draws=500, **changes)
    return gather(
        world.dataset,
        settings,
        seeds=world.seeds,
        folds=world.folds,
        data=root / "data" / world.dataset,
        trained=root / "models" / world.dataset,
        evaluation=root / "results" / world.dataset / "evaluation",
        published=PUBLISHED,
        lock=PUBLISHED.parents[1] / "requirements.lock",
    )


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
    ours = table[table["f1_deviation"].notna()]
    for _, rows in ours.groupby("model"):
        assert rows["f1"].iloc[-1] == pytest.approx(rows["f1"].iloc[:-1].mean(), abs=1e-5)
        assert rows["class"].iloc[-1] == "macro average"
        assert (rows["f1_low"] < rows["f1"]).all()
        assert (rows["f1"] < rows["f1_high"]).all()


def test_published_values_stand_beside_ours_with_their_source(tables):
    text = (tables("plain") / "comparison.md").read_text(encoding="utf-8")
    macro = next(line for line in text.splitlines() if line.startswith("| macro average"))
    assert [cell.strip() for cell in macro.split("|")[-4:-1]] == ["0.56", "0.78", "0.97"]
    assert "not published" in text
    assert "scored on ss304, ours on weldsim: other data, not comparable" in text
    assert "Source: Rygol" in text


def test_other_classes_have_no_published_values(tables):
    for name in ("other_classes", "two_classes"):
        text = (tables(name) / "comparison.md").read_text(encoding="utf-8")
        assert "published " not in text.partition("\n\n")[2].partition("\n\n")[0]
        assert "No results are known" in text
        assert "No results are known" in (tables(name) / "published.md").read_text(encoding="utf-8").replace(
            "no r", "No r"
        )


@pytest.mark.parametrize(
    ("name", "table", "words"),
    [
        ("one_seed", "comparison", "One seed only: no deviation over seeds."),
        ("one_model", "comparison", "One model: there is no best."),
        ("one_model", "pairs", "one model only: nothing to compare"),
        ("one_run_per_class", "comparison", "one test run per class: no interval"),
        ("one_run_per_class", "pairs", "no test possible"),
        ("one_run_in_one_class", "comparison", "is too narrow: lack_of_shielding_gas"),
        ("a_class_without_test_frames", "comparison", "no test frames"),
        ("a_class_without_test_frames", "per_class", "Without test frames, and left out of averages: burn_through."),
        ("a_class_never_predicted", "per_class", "conv6 never predicts lack_of_shielding_gas: no precision, and F1 0."),
        ("no_good_test_frames", "factory", "no threshold"),
        ("flawless", "comparison", "the same in every run: no interval"),
        ("plain", "factory", "valid has 60 good frames, too few for 0.1 %"),
        ("plain", "film_vote", "No test run changes its class"),
    ],
)
def test_what_cannot_be_said_is_said_in_words(tables, name, table, words):
    assert words in (tables(name) / f"{table}.md").read_text(encoding="utf-8")


def test_bold_stands_only_where_a_test_says_better(tables):
    clear = (tables("plain") / "comparison.md").read_text(encoding="utf-8")
    assert re.search(r"\| macro average .*\*\*0\.\d{3} ± ", clear)
    for name in ("one_run_per_class", "flawless", "one_model"):
        rows = (tables(name) / "comparison.md").read_text(encoding="utf-8").split("\n\n")[1]
        assert "**" not in rows


def test_the_paper_s_balanced_subset_is_taken_for_the_paper_s_data(tmp_path):
    world = World(dataset="ss304", seeds=(0,), frames_per_run=300, skills={"conv6": 0.8})
    findings = conclude(world, tmp_path)
    assert findings.balanced.support.tolist() == [769, 731, 576, 744, 102, 249]
    assert findings.scoring.support.tolist() == [900] * 6


def test_other_data_are_balanced_by_the_cap_of_the_settings(tmp_path):
    world = World(dataset="mine", seeds=(0,), skills={"conv6": 0.8})
    findings = conclude(world, tmp_path, balanced_cap=100, per_dataset={"mine": {"balanced_cap": 25}})
    assert findings.balanced.support.tolist() == [25] * 6


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
        "models/weldsim/conv6/fold0/seed0/run.json",
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
    assert re.fullmatch(r"- Lineage: data \w{12}, settings \w{12}, lock \w{12}; the commit, .*lineage\.json\.", first)
    assert made("again") == first
    assert made("other settings", confidence=0.9) != first
    assert made("other data", runs_per_class={"train": 2, "valid": 2, "test": 2}) != first
