"""The learning curve over training runs: which runs a share has, what a point writes, what the table concludes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from blobs import write_blobs, write_params
from hypothesis import given
from hypothesis import strategies as st
from made_up_predictions import World, certain

from weldbench.config import load_params
from weldbench.data.dataset import read_split, split_id
from weldbench.errors import InputError
from weldbench.evaluation.bootstrap import ModelDraws, Resamples
from weldbench.evaluation.predictions import read_predictions, select_split
from weldbench.evaluation.pretraining import runs_to_reach
from weldbench.reporting.figures.learning_curve import learning_curve_figure
from weldbench.reporting.learning_curve import gather_curve
from weldbench.reporting.tables.learning_curve import learning_curve, write_curve
from weldbench.runtime.hardware import prepare
from weldbench.training.learning_curve import point_job, train_point
from weldbench.training.train import train_model
from weldbench.training.train_share import share_of_train

# Per run the classes of its frames; a defect often follows good frames of the same run.
RUNS = st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=4), min_size=1, max_size=12)
SHARES = st.floats(0.01, 1)


def frames_of(runs: list[list[str]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    lines = [("train", f"run{number}", label) for number, labels in enumerate(runs) for label in labels]
    lines += [("valid", "run of valid", "a"), ("test", "run of test", "b")]
    manifest = pd.DataFrame(lines, columns=["split", "run", "label"]).rename_axis("row").reset_index()
    return manifest[["row", "run", "label"]], manifest[["row", "split"]]


def kept(runs: list[list[str]], share: float, seed: int = 0, fold: int = 0) -> set[str]:
    manifest, split = frames_of(runs)
    rows = share_of_train(manifest, split, share, seed, fold).query("split == 'train'")["row"]
    return set(manifest.loc[rows, "run"])


@given(RUNS, SHARES, SHARES, st.integers(0, 3))
def test_the_runs_of_a_smaller_share_are_among_those_of_a_larger_one(runs, one, other, seed):
    assert kept(runs, min(one, other), seed) <= kept(runs, max(one, other), seed)


@given(RUNS, SHARES, st.integers(0, 3))
def test_every_class_keeps_a_run_and_runs_stay_whole_and_valid_and_test_too(runs, share, seed):
    manifest, split = frames_of(runs)
    chosen = share_of_train(manifest, split, share, seed, fold=0)
    train = manifest.loc[chosen.query("split == 'train'")["row"]]
    assert set(train["label"]) == {label for labels in runs for label in labels}
    for run, frames in train.groupby("run"):
        assert len(frames) == (manifest["run"] == run).sum()
    assert chosen.query("split != 'train'").equals(split.query("split != 'train'"))


@given(RUNS)
def test_the_whole_share_is_the_split_as_it_is(runs):
    manifest, split = frames_of(runs)
    assert share_of_train(manifest, split, 1.0, 0, 0).equals(split)


def test_a_share_takes_its_part_of_each_class_at_random_by_seed_and_fold():
    runs = [["a"]] * 8 + [["a", "b"]] * 4 + [["c"]]
    chosen = kept(runs, 0.25)
    # Runs that show b count for b, which is rarer than a: 2 of 8, 1 of 4, and the only one of c.
    assert [len(chosen & {f"run{n}" for n in numbers}) for numbers in (range(8), range(8, 12), [12])] == [2, 1, 1]
    assert kept(runs, 0.25) == chosen
    assert len({frozenset(kept(runs, 0.25, seed, fold)) for seed in range(4) for fold in range(4)}) > 8


def write_settings(folder: Path, shares: list[float], **models: str) -> Path:
    path = write_params(folder, **models)
    path.write_text(path.read_text().replace("compare:\n", f"compare:\n  train_shares: {shares}\n"))
    return path


def test_a_point_learns_from_its_runs_and_scores_the_test_frames_of_the_whole_split(tmp_path):
    split = write_blobs(tmp_path / "data")
    params = load_params(write_settings(tmp_path, [0.5, 1.0]))
    fabric, output = prepare(params.hardware), tmp_path / "point"
    job = point_job(params, ("full_con6", 0.5, 0, 0), tmp_path / "data", None, None)
    train_point(fabric, job, 0.5, output)
    assert {path.name for path in output.iterdir()} == {"split.csv", "training.json", "predictions.csv"}
    facts = json.loads((output / "training.json").read_text())
    train = read_split(output / "split.csv").query("split == 'train'")["row"]
    assert facts["share"] == 0.5
    assert facts["learned_from"]["total"] == {"frames": len(train), "runs": 2}
    predictions = read_predictions(output / "predictions.csv")
    assert set(predictions["split_id"]) == {split_id(split)}
    for name in ("valid", "test"):
        rows = read_split(split).query(f"split == '{name}'")["row"].tolist()
        assert predictions.loc[predictions["split"] == name, "row"].tolist() == rows


def test_the_point_of_all_runs_is_the_training_of_the_comparison(tmp_path):
    write_blobs(tmp_path / "data")
    params = load_params(write_settings(tmp_path, [1.0]))
    fabric = prepare(params.hardware)
    job = point_job(params, ("full_con6", 1.0, 0, 0), tmp_path / "data", None, None)
    train_point(fabric, job, 1.0, tmp_path / "point")
    train_model(fabric, job, tmp_path / "model")
    point, model = (json.loads((tmp_path / name / "training.json").read_text()) for name in ("point", "model"))
    assert point["valid_macro_f1"] == model["valid_macro_f1"]
    assert point["learned_from"] == model["learned_from"]


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (("conv6", 0.5, 0, 0), "--model conv6: compare.models in params.yaml has full_con6"),
        (("full_con6", 1.5, 0, 0), "--share 1.5"),
        (("full_con6", 0.0, 0, 0), "--share 0"),
        (("full_con6", 0.5, 0, -1), "--seed -1"),
    ],
)
def test_a_point_that_is_none_is_refused(tmp_path, place, told):
    write_blobs(tmp_path / "data")
    with pytest.raises(InputError, match=told):
        point_job(load_params(write_settings(tmp_path, [0.5])), place, tmp_path / "data", None, None)


def draws_of(scores: list[float], spread: float = 0.02) -> list[ModelDraws]:
    """Draws of two classes with these F1, that differ between resamples and between two seeds."""
    noise = np.random.default_rng(0).normal(0, spread, (2000, 2))
    return [
        ModelDraws(np.full(2, score), score + np.array([[spread] * 2, [-spread] * 2]), score + noise * (1 + number))
        for number, score in enumerate(scores)
    ]


def resamples_of_runs(count: int = 12) -> Resamples:
    labels = np.arange(count) % 2
    frames = select_split(certain(["a", "b"], labels, labels, [f"run{number}" for number in range(count)]), "test")
    return Resamples(frames, 2000, 0.95, seed=0)


def needed(scores: list[float], target: float):
    curve = list(zip([4, 8, 16], draws_of(scores), strict=True))
    return runs_to_reach(curve, draws_of([target])[0], resamples_of_runs())


def test_runs_that_are_needed_are_interpolated_along_their_logarithm():
    found = needed([0.5, 0.7, 0.9], 0.6)
    assert found.runs == pytest.approx(4 * 2**0.5)
    assert 4 <= found.low < found.runs < found.high < 16


def test_what_the_fewest_runs_reach_and_what_none_reach_is_only_bounded():
    assert needed([0.8, 0.85, 0.9], 0.6).runs == 4
    above = needed([0.5, 0.55, 0.6], 0.9)
    assert (above.runs, above.low, above.high) == (np.inf, np.inf, np.inf)
    # A little below the target: not reached, but not significantly.
    near = needed([0.5, 0.7, 0.89], 0.9)
    assert near.runs == np.inf
    assert 8 < near.low < 16


@given(st.lists(st.floats(0.1, 0.9), min_size=3, max_size=3), st.floats(0.1, 0.9))
def test_the_interval_holds_the_estimate(scores, target):
    found = needed(scores, target)
    assert found.low <= found.runs <= found.high


def curve_world(tmp_path: Path, scores: dict[str, list[float]], shares: list[float]) -> tuple:
    """Files of a comparison whose models have these skills, one per share; the last share is 1."""
    inits = {"resnet18": "simulated", "resnet18_scratch": "scratch"}
    settings = {model: {"architecture": "resnet18", "init": inits[model]} for model in scores}
    seeds, root = (0, 1), tmp_path / "world"
    for number, share in enumerate(shares):
        world = World(
            dataset="blobs",
            skills={model: of[number] for model, of in scores.items()},
            settings=settings,
            seeds=seeds,
            frames_per_run=12,
            runs_per_class={"train": 8, "valid": 2, "test": 4},
            seed=7,
        )
        own = tmp_path / f"world{number}"
        world.write(own)
        manifest = pd.read_csv(own / "data/blobs/manifest.csv")
        split = read_split(own / "data/blobs/split/fold0/split.csv")
        for training in own.rglob("training.json"):
            facts = json.loads(training.read_text())
            training.write_text(json.dumps(facts | {"augment": {}, "length": {"steps": 40}}))
            if share < 1:
                share_of_train(manifest, split, share, 0, 0).to_csv(training.with_name("split.csv"), index=False)
        for model in scores:
            place = f"learning_curve/share{share}" if share < 1 else "evaluation"
            results = root / "results/blobs" / place / model
            shutil.copytree(own / "results/blobs/evaluation" / model, results)
            trained = results if share < 1 else root / "models/blobs" / model
            shutil.copytree(own / "models/blobs" / model, trained, dirs_exist_ok=True)
        if share == 1:
            shutil.copytree(own / "data", root / "data")
    params = load_params(write_settings(tmp_path, shares))
    compare = params.compare.model_copy(update={"models": list(scores), "bootstrap_draws": 500})
    params = params.model_copy(update={"compare": compare, "seeds": list(seeds)})
    return params, root / "data/blobs", root / "models/blobs", root / "results/blobs"


def test_the_table_tells_how_many_runs_reach_what_all_reach_from_random_weights(tmp_path):
    scores = {"resnet18": [0.8, 0.9, 0.99], "resnet18_scratch": [0.3, 0.5, 0.85]}
    places = curve_world(tmp_path, scores, [0.125, 0.5, 1.0])
    curve = gather_curve(*places)
    assert [point.amount.runs for point in curve.of("resnet18")] == [6, 24, 48]
    write_curve(curve, tmp_path / "out")
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".csv", ".md", ".tex", ".png"}
    told = (tmp_path / "out/learning_curve.md").read_text(encoding="utf-8")
    table = pd.read_csv(tmp_path / "out/learning_curve.csv").set_index(["model", "share"])
    goal = table.loc[("resnet18_scratch", 1.0), "macro_f1"]
    assert f"reach what 48 runs reach from random weights (macro F1 {goal:.3f}); 95 % interval" in told
    assert "With a start from simulated frames" in told
    assert "which no interval counts" in told
    axes = learning_curve_figure(curve).axes[0]
    lines = [line for line in axes.lines if line.get_label() in scores]
    assert [list(line.get_ydata()) for line in lines] == [
        pytest.approx(table.loc[model, "macro_f1"].tolist(), abs=1e-6) for model in scores
    ]


def test_what_is_not_reached_is_said_so_and_same_runs_too(tmp_path):
    scores = {"resnet18": [0.2, 0.2, 0.3], "resnet18_scratch": [0.5, 0.5, 0.99]}
    table = learning_curve(gather_curve(*curve_world(tmp_path, scores, [0.05, 0.1, 1.0])))
    assert "48 runs do not reach what 48 runs reach from random weights" in table.notes[0]
    assert "95 % interval more than 48 runs" in table.notes[0]
    assert "The shares 0.05 and 0.1 are the same 6 runs, as every class keeps one at least." in table.notes


def test_without_two_beginnings_the_note_says_so(tmp_path):
    scores = {"resnet18": [0.5, 0.8]}
    table = learning_curve(gather_curve(*curve_world(tmp_path, scores, [0.5, 1.0])))
    assert table.notes[0].startswith("No architecture has two kinds of starting weights")


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    scores = {"resnet18": [0.5, 0.8]}
    places = curve_world(tmp_path, scores, [0.5, 1.0])
    folder = places[3] / "learning_curve/share0.5/resnet18/fold0/seed1"
    facts = json.loads((folder / "training.json").read_text())
    other = facts | {"settings": facts["settings"] | {"epochs": 3}}
    (folder / "training.json").write_text(json.dumps(other))
    with pytest.raises(InputError, match="trained with different settings"):
        gather_curve(*places)
    (folder / "training.json").write_text(json.dumps(facts))
    split = read_split(folder / "split.csv")
    split[split["row"] != split.query("split == 'train'")["row"].iloc[0]].to_csv(folder / "split.csv", index=False)
    gather_curve(*places)  # a frame less of the same runs
    split.query("split != 'train'").to_csv(folder / "split.csv", index=False)
    with pytest.raises(InputError, match="these are different runs"):
        gather_curve(*places)
    (folder / "training.json").write_text("{}")
    with pytest.raises(InputError, match="it lacks augment"):
        gather_curve(*places)
    (folder / "training.json").unlink()
    with pytest.raises(InputError, match="snakemake --cores all learning_curve"):
        gather_curve(*places)
