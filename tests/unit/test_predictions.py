import numpy as np
import pandas as pd
import pytest
from made_up_predictions import certain

from weldbench.errors import InputError
from weldbench.evaluation.predictions import class_names, concatenate, read_predictions, select_split

AB = ["a", "b"]


def write(folder, table):
    path = folder / "predictions.csv"
    table.to_csv(path, index=False)
    return path


def test_reading_gives_back_what_was_written(tmp_path):
    table = certain(AB, [0, 1, 1], [0, 1, 0], ["x", "x", "7"])
    frames = select_split(read_predictions(write(tmp_path, table)), "test")
    assert frames.classes == ("a", "b")
    assert frames.labels.tolist() == [0, 1, 1]
    assert frames.correct.tolist() == [True, True, False]
    assert frames.runs.tolist() == ["x", "x", "7"]


def test_classes_and_runs_may_be_called_none_or_na(tmp_path):
    names = ["None", "NA", "null", "n/a"]
    frames = select_split(read_predictions(write(tmp_path, certain(names, [0, 1, 2, 3], [0, 1, 2, 3], names))), "test")
    assert frames.labels.tolist() == [0, 1, 2, 3]
    assert frames.runs.tolist() == names


def test_folds_are_put_behind_one_another():
    pieces = [select_split(certain(AB, [fold], [1], "run", first_row=fold), "test", fold) for fold in (0, 1)]
    together = concatenate(pieces)
    assert together.folds.tolist() == together.rows.tolist() == together.labels.tolist() == [0, 1]
    assert together.take(np.array([False, True])).folds.tolist() == [1]


def test_classes_may_have_any_name_and_keep_their_order():
    assert class_names(certain(["z", "a", "part of it"], [0], [1], "run")) == ("z", "a", "part of it")


def _without(column):
    return lambda table: table.drop(columns=column)


def _with(column, value):
    return lambda table: table.assign(**{column: value})


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (_without("run"), "the columns run are missing"),
        (_without("b"), "1 columns of class probabilities"),
        (_with("label", "c"), "labels without a column of probabilities: c"),
        (_with("label", None), "labels without a column of probabilities: empty ones"),
        (_with("a", "much"), "a probability is no number"),
        (_with("a", np.nan), "negative, infinite or no number"),
        (_with("a", -0.5), "negative, infinite or no number"),
        (_with("a", 0.7), "do not sum to 1"),
        (_with("split", "valid"), "no frame of the test split"),
        (lambda table: table.rename(columns={"split": "part"}), "its column `part` is now `split`"),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path, damage, complaint):
    path = write(tmp_path, damage(certain(AB, [0, 1], [0, 1], "run")))
    with pytest.raises(InputError) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)
    assert complaint in str(caught.value)
    assert "evaluate again" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'a,b\n"1,2\n'])
def test_a_file_that_is_no_table_is_refused(tmp_path, content):
    path = tmp_path / "predictions.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"predictions\.csv"):
        read_predictions(path)


def test_a_missing_file_says_what_to_run(tmp_path):
    with pytest.raises(InputError, match="evaluate that model and seed first"):
        read_predictions(tmp_path / "predictions.csv")


def test_only_the_named_part_is_scored():
    table = pd.concat([certain(AB, [0], [0], "run"), certain(AB, [1], [1], "run", split="valid", first_row=1)])
    assert select_split(table, "valid").labels.tolist() == [1]
