"""The report's tables, figure and sentences about welds and promises, by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_predictions import predictions

from weldbench.config.evidence import Compare
from weldbench.evaluation.comparison import Comparison
from weldbench.evaluation.predictions import Predictions, concatenate, select_split
from weldbench.reporting.figures.style import save
from weldbench.reporting.figures.welds import welds as welds_figure
from weldbench.reporting.promises_in_words import about_promises
from weldbench.reporting.tables.promises import promises
from weldbench.reporting.tables.welds import welds
from weldbench.trust.rules import judged_welds

CLASSES = ("good", "hole")
FRAMES = 5


def said(defective: list[float], good: list[float], fold: int = 0) -> Predictions:
    """Runs of five frames, each with one value of 1 - P(good)."""
    scores = np.repeat([*defective, *good], FRAMES)
    labels = np.repeat([1] * len(defective) + [0] * len(good), FRAMES)
    runs = [f"{fold}-{number // FRAMES:03d}" for number in range(len(scores))]
    table = predictions(CLASSES, labels, np.stack([1 - scores, scores], axis=1), runs)
    return select_split(table, "test", fold)


def compared(**models: Predictions) -> Comparison:
    test = {model: (frames,) for model, frames in models.items()}
    return Comparison(CLASSES, tuple(models), (0,), test, test)


def settings(comparison: Comparison, **changes) -> Compare:
    return Compare(models=list(comparison.models), **changes)


def told(comparison: Comparison, tmp_path: Path, vote_frames: int = 3, **changes) -> str:
    promises(comparison, vote_frames, settings(comparison, **changes)).write(tmp_path)
    return about_promises(pd.read_csv(tmp_path / "promises.csv", keep_default_na=False, na_values=[""]))


def test_welds_are_counted_at_every_threshold() -> None:
    table = welds(compared(one=said([0.2, 0.6, 0.95, 0.95], [0.05, 0.8])), vote_frames=3, confidence=0.95)
    at = table.data.set_index(["vote_frames", "threshold"])
    for window in (1, 3):  # frames of a run are alike, so the vote changes nothing
        assert at.loc[(window, 0.1), ["escaped", "falsely_rejected"]].tolist() == [0, 1]
        assert at.loc[(window, 0.5), ["escaped", "falsely_rejected"]].tolist() == [1, 1]
        assert at.loc[(window, 0.9), ["escaped", "falsely_rejected"]].tolist() == [2, 0]
    assert at.loc[(1, 0.1), "escaped_high"] == pytest.approx(1 - 0.025**0.25)
    row = table.shown[table.shown["threshold"] == "0.5"].iloc[0]
    assert row[["escaped", "share", "falsely rejected", "share of good"]].tolist() == [
        "1 of 4",
        "0.250",
        "1 of 2",
        "0.500",
    ]


def test_from_few_runs_the_lowest_promise_is_made_and_what_is_wanted_is_priced(tmp_path: Path) -> None:
    comparison = compared(one=said([0.4] * 12, [0.1, 0.45]), other=said([0.6] * 12, [0.1, 0.45]))
    table = promises(comparison, 1, settings(comparison))
    # Two rules: each promise at 97.5 %.
    assert table.data["promised_escape"].tolist() == pytest.approx([1 - 0.025 ** (1 / 12)] * 2)
    assert table.data["threshold"].tolist() == [0.399999, 0.599999]
    assert table.data["falsely_rejected"].tolist() == [1, 0]
    assert table.data["check_escaped"].tolist() == [0, 0]
    assert table.notes[1] == (
        "With 12 defective runs nothing below 22.1 % can be promised of a rule that was chosen before (26.5 % for one "
        "chosen from these 2). For 5 % at 95 % it takes 59 runs without an escape (72 for one chosen from these 2)."
    )
    text = told(comparison, tmp_path, vote_frames=1)
    assert "at most 26.5 % escape, at a threshold that is set for it. other, with no vote and a threshold of " in text
    assert "0.599999 of 1 - P(good), keeps it and" in text
    assert "rejects the fewest good welds: 0 of the 2 good welds of test (0 % to 84.2 % of all good welds" in text
    assert "at most 5 % escape cannot be promised from so few: it takes 72 defective welds in test" in text


def test_one_rule_needs_no_correction_and_with_59_runs_the_wanted_promise_is_made(tmp_path: Path) -> None:
    comparison = compared(one=said([0.25] + [0.75] * 58, [0.1]))
    table = promises(comparison, 1, settings(comparison))
    assert table.data.loc[0, ["promised_escape", "threshold", "escaped"]].tolist() == [0.05, 0.249999, 0]
    assert "chosen from these" not in table.notes[1]
    text = told(comparison, tmp_path, vote_frames=1)
    assert "at most 5 % escape, at a threshold that is set for it. one, with no vote" in text
    assert "cannot be promised" not in text
    wanted = promises(comparison, 1, settings(comparison, escape_rate=0.1))
    assert wanted.data.loc[0, ["promised_escape", "threshold", "escaped"]].tolist() == [0.1, 0.749999, 1]


def test_of_models_at_the_same_price_the_leader_is_spoken_of() -> None:
    comparison = compared(one=said([0.4] * 12, [0.1]), other=said([0.6] * 12, [0.1]))
    table = promises(comparison, 1, settings(comparison)).data
    assert table["falsely_rejected"].tolist() == [0, 0]
    assert "one, with no vote" in about_promises(table, leader="one")
    assert "other, with no vote" in about_promises(table, leader="other")
    assert "one, with no vote" in about_promises(table.assign(falsely_rejected=[0, 1]), leader="other")


def test_welds_that_have_changed_are_told(tmp_path: Path) -> None:
    text = told(compared(one=said([0.9] * 30 + [0.2] * 30, [0.1])), tmp_path)
    assert "the later and the earlier welds of test differ more than by chance" in text
    assert "30 of 30 (13.6 %): more than promised, 0 of 30" in (tmp_path / "promises.md").read_text(encoding="utf-8")
    assert "differ more" not in told(compared(one=said([0.9] * 60, [0.1])), tmp_path)


def test_a_vote_is_a_rule_of_its_own_and_counts_for_the_correction() -> None:
    comparison = compared(one=said([0.3] * 20, [0.1]))
    assert promises(comparison, 3, settings(comparison)).data["choices"].tolist() == [2, 2]
    assert promises(comparison, 1, settings(comparison)).data["choices"].tolist() == [1]


@pytest.mark.parametrize("good", [[0.1], []])
def test_a_model_that_must_reject_everything_does_not_speak_for_another(tmp_path: Path, good: list[float]) -> None:
    text = told(compared(blind=said([0.0] * 4, good), seeing=said([0.5] * 4, good)), tmp_path, vote_frames=1)
    assert "seeing, with no vote and a threshold of 0.499999" in text
    assert "every weld" not in text


@pytest.mark.parametrize(
    ("frames", "cell", "words"),
    [
        pytest.param(said([], [0.1, 0.2]), "no defective test run", "no defective weld", id="no defective run"),
        pytest.param(said([0.4] * 4, []), "0 of 0", "Test has no good weld, so what it costs", id="no good run"),
        pytest.param(said([0.0] * 4, [0.0]), "none: rejects all", "but by rejecting every weld", id="hopeless"),
        pytest.param(
            said([0.4], [0.1]), "too few runs", "From the one defective weld of test it follows", id="one defective run"
        ),
        pytest.param(
            replace(said([0.4] * 4, [0.1]), has_good=False),
            "no good class",
            "no class of good welds",
            id="no good class",
        ),
    ],
)
def test_what_cannot_be_said_is_said_in_words(tmp_path: Path, frames: Predictions, cell: str, words: str) -> None:
    comparison = compared(one=frames)
    assert words in told(comparison, tmp_path)
    text = (tmp_path / "promises.md").read_text(encoding="utf-8")
    assert cell in text
    table = welds(comparison, 3, 0.95)
    table.write(tmp_path)
    for path in tmp_path.iterdir():
        assert "nan" not in path.read_text(encoding="utf-8"), path.name
    for name in ("welds", "promises"):
        data = pd.read_csv(tmp_path / f"{name}.csv")
        empty = data.drop(columns="note").isna().any(axis=1)
        assert data.loc[empty, "note"].notna().all()
    save(welds_figure(comparison, 3, 0.95), tmp_path / "welds.png")
    assert (tmp_path / "welds.png").stat().st_size > 1000


def test_the_figure_draws_the_counts_of_the_table() -> None:
    comparison = compared(one=said([0.2, 0.6, 0.95, 0.95], [0.05, 0.8]))
    lines = welds_figure(comparison, 3, 0.95).axes[0].lines
    assert len(lines) == 4  # two losses, with and without a vote
    thresholds = np.asarray(lines[0].get_xdata())
    middle = int(np.argmin(np.abs(thresholds - 0.5)))
    assert [float(np.asarray(line.get_ydata())[middle]) for line in lines] == [0.25, 0.5, 0.25, 0.5]


def test_only_the_first_fold_and_the_training_of_an_export_count() -> None:
    weak, strong = said([0.4] * 3, [0.45]), said([0.9] * 3, [0.1])
    valid = tuple(concatenate([frames, strong]) for frames in (weak, strong))
    other = said([0.5] * 7, [0.2], fold=1)
    test = tuple(concatenate([frames, other]) for frames in (weak, strong))
    comparison = Comparison(CLASSES, ("one",), (0, 1), {"one": test}, {"one": valid})
    (found,) = judged_welds(comparison, 1).values()
    assert found.defective.sum() == 3
    assert sorted(found.scores.round(6)) == [0.1, 0.9, 0.9, 0.9]
    note = promises(comparison, 1, settings(comparison)).notes[-2]
    assert "the first fold's training with the best macro F1 on valid" in note
    assert "Only runs that the first fold tests count" in note
