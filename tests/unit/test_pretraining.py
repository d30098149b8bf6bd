"""What pretraining is worth: which models are compared, what the difference is, and what else differs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_predictions import World, certain, conclude

from weldbench.evaluation.bootstrap import Resamples
from weldbench.evaluation.predictions import Predictions, select_split
from weldbench.evaluation.pretraining import Beginnings, beginnings, gains
from weldbench.reporting.figures.pretraining import pretraining as pretraining_figure
from weldbench.reporting.narrative import about_pretraining
from weldbench.reporting.tables.differences import other_settings
from weldbench.reporting.tables.pretraining import pretraining

ROOT = Path(__file__).parents[2]
RESNET = {"architecture": "resnet18"}
PAIR = Beginnings("resnet18", "resnet18", "resnet18_scratch", "simulated", "scratch")


def pairs_of(**inits: str) -> list[tuple[str, str]]:
    settings = {name: RESNET | {"init": init} for name, init in inits.items()}
    return [(pair.model, pair.reference) for pair in beginnings({"conv6": {"init": "scratch"}, **settings})]


def test_each_beginning_is_compared_with_random_weights_in_whatever_order_they_stand():
    assert pairs_of(a="scratch", b="simulated", c="imagenet") == [("b", "a"), ("c", "a")]
    assert pairs_of(b="simulated", c="imagenet", a="scratch") == [("b", "a"), ("c", "a")]


def test_without_random_weights_the_first_beginning_is_the_reference():
    assert pairs_of(b="simulated", c="imagenet", d="imagenet") == [("c", "b"), ("d", "b")]


def test_two_models_from_random_weights_are_both_references_and_not_compared_with_each_other():
    assert pairs_of(a="scratch", b="imagenet", c="scratch") == [("b", "a"), ("b", "c")]


@pytest.mark.parametrize("inits", [{}, {"a": "scratch"}, {"a": "imagenet", "b": "imagenet"}])
def test_one_beginning_makes_no_pair(inits):
    assert pairs_of(**inits) == []


def test_other_architectures_are_not_compared_and_old_records_are_known_by_their_names():
    settings = {"resnet18": {}, "resnet34": {"init": "imagenet"}, "mine": RESNET | {"init": "imagenet"}}
    assert [(pair.model, pair.reference) for pair in beginnings(settings)] == [("mine", "resnet18")]


def said(labels: list[int], predicted: list[int], runs: str) -> tuple[Predictions, ...]:
    return (select_split(certain(["good", "bad", "worse"], labels, predicted, list(runs)), "test"),)


def test_the_difference_is_that_of_each_class_and_of_their_mean():
    labels, runs = [0, 0, 0, 0, 1, 1, 1, 1], "aabbccdd"
    trained = {"resnet18": said(labels, labels, runs), "resnet18_scratch": said(labels, [0, 0, 0, 1, 1, 1, 0, 0], runs)}
    resamples = Resamples(trained["resnet18"][0], 500, 0.95, seed=0)
    draws = {model: resamples.draw(frames) for model, frames in trained.items()}
    good, bad, worse, macro = gains([PAIR], draws, resamples)
    # From random weights: 3 of 4 good frames right, and 2 of 4 bad ones; 5 frames are called good, 3 bad.
    assert (good.model_f1, good.reference_f1) == (1, pytest.approx(2 * 3 / (4 + 5)))
    assert bad.difference.estimate == pytest.approx(1 - 2 * 2 / (4 + 3))
    assert macro.difference.estimate == pytest.approx(1 - (6 / 9 + 4 / 7) / 2)
    assert macro.number is None
    assert (worse.difference.reason, worse.p) == ("no test frames", None)
    # Holm's correction: macro F1 is a single test, the two classes are two.
    alone = [resamples.difference(draws["resnet18"], draws["resnet18_scratch"], number)[1] for number in (0, 1, None)]
    assert macro.p == alone[2]
    assert sorted((good.p, bad.p)) == pytest.approx(
        [min(1, 2 * min(alone[:2])), min(1, max(2 * min(alone[:2]), max(alone[:2])))]
    )


def test_other_settings_are_told_with_both_values_and_the_beginning_is_not_one_of_them():
    one = {
        "name": "a",
        "init": "simulated",
        "epochs": 10,
        "learning_rate": 3e-4,
        "cap": None,
        "augment": {"flip": True},
    }
    other = {"name": "b", "init": "scratch", "epochs": 10, "learning_rate": 1e-3, "cap": 7, "augment": {"flip": False}}
    assert other_settings(one, other) == [
        "learning rate 0.0003 and 0.001",
        "cap none and 7",
        "augmentation flip True and False",
    ]
    assert other_settings(one, one | {"init": "scratch", "name": "b"}) == []
    assert other_settings({"sampler": "balanced"}, {}) == ["sampler balanced and not recorded"]


@given(st.dictionaries(st.sampled_from(["epochs", "cap", "freeze", "hidden"]), st.integers(0, 3)), st.data())
def test_other_settings_name_exactly_what_differs(one, data):
    other = data.draw(st.fixed_dictionaries({key: st.integers(0, 3) for key in one}))
    assert len(other_settings(one, other)) == sum(one[key] != other[key] for key in one)


def two_beginnings(**settings) -> World:
    own = {"resnet18": {"init": "simulated"}, "resnet18_scratch": RESNET | {"init": "scratch"} | settings}
    return World(skills={"conv6": 0.7, "resnet18": 0.97, "resnet18_scratch": 0.5}, settings=own, frames_per_run=12)


def test_the_table_says_what_was_gained_and_what_else_was_not_equal(tmp_path):
    findings = conclude(two_beginnings(epochs=30), tmp_path)
    table = pretraining(findings.scored, findings.trainings)
    assert table.shown["pair"].unique().tolist() == ["resnet18 (simulated frames) – resnet18_scratch (random weights)"]
    macro = table.data.set_index("class").loc["macro average"]
    expected = findings.scored.macro_f1["resnet18"].estimate - findings.scored.macro_f1["resnet18_scratch"].estimate
    assert macro["difference"] == pytest.approx(expected)
    assert any("epochs not recorded and 30" in note for note in table.notes)
    assert any("knows the simulator" in note for note in table.notes)
    sentence = about_pretraining(table.data)
    assert f"resnet18 has a macro F1 {expected:.3f} higher than resnet18_scratch" in sentence
    assert "the same architecture from random weights" in sentence


def test_frames_and_kept_weights_that_differ_are_told_too(tmp_path):
    world = two_beginnings()
    world.balance, world.cap = {"resnet18": "undersample"}, 5
    findings = conclude(world, tmp_path)
    findings.trainings.runs.loc[findings.trainings.runs["model"] == "resnet18", "selected_by"] = "last"
    (told,) = (note for note in pretraining(findings.scored, findings.trainings).notes if "differ in more" in note)
    assert "balance undersample and none" in told
    assert "frames of train 30 and 216" in told
    assert "weights of the last epoch and of the best epoch on valid" in told


def test_where_nothing_else_differs_the_table_says_so(tmp_path):
    world = two_beginnings()
    world.settings["resnet18"] |= RESNET
    findings = conclude(world, tmp_path)
    notes = pretraining(findings.scored, findings.trainings).notes
    assert "By their records, resnet18 and resnet18_scratch differ in their starting weights alone." in notes


def test_without_two_beginnings_table_figure_and_narrative_exist_and_say_so(tmp_path):
    findings = conclude(World(skills={"conv6": 0.8, "resnet18": 0.9}, frames_per_run=6), tmp_path)
    table = pretraining(findings.scored, findings.trainings)
    assert table.data.empty
    assert "no architecture is compared with two kinds of starting weights" in table.markdown()
    assert about_pretraining(table.data) == ""
    (text,) = pretraining_figure(findings.scored, findings.trainings).texts
    assert "no architecture is compared with two" in text.get_text()


def test_the_figure_has_a_line_for_every_interval(tmp_path):
    findings = conclude(two_beginnings(), tmp_path)
    table = pretraining(findings.scored, findings.trainings)
    (axes,) = pretraining_figure(findings.scored, findings.trainings).axes
    lines = [line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_xdata()[0] != line.get_xdata()[1]]
    drawn = np.sort([line.get_xdata() for line in lines], axis=0)
    assert drawn == pytest.approx(np.sort(table.data[["low", "high"]].dropna().to_numpy(), axis=0))


def row(name: str, difference: float, p: float, **rest) -> dict:
    fixed = {"model": "a", "starts_from": "ImageNet", "reference": "b", "reference_starts_from": "random weights"}
    ends = {"low": difference - 0.1, "high": difference + 0.1}
    return fixed | ends | {"class": name, "difference": difference, "p": p, "confidence": 0.95, "note": ""} | rest


def test_the_narrative_tells_losses_and_what_no_test_supports():
    rows = [row("hole", -0.5, 0.001), row("good", 0.05, 0.6), row("macro average", -0.225, 0.2)]
    assert about_pretraining(pd.DataFrame(rows)) == (
        "Starting from ImageNet, a has a macro F1 0.225 lower than b, the same architecture from random weights "
        "(95 % interval -0.325 to -0.125, p 0.200: not significant). F1 differs significantly in hole (-0.500)."
    )
    untested = row("macro average", 0.2, np.nan, note="only one test run shows hole")
    told = about_pretraining(pd.DataFrame([row("good", 0.05, np.nan), untested]))
    assert "(95 % interval +0.100 to +0.300, too narrow, for only one test run shows hole: no test possible)" in told
    without = row("macro average", 0.2, np.nan, low=np.nan, high=np.nan, note="one test run per class")
    assert "(one test run per class: no interval, no test possible)" in about_pretraining(pd.DataFrame([without]))
