from pathlib import Path

import pytest
from archives import frame, write_zip
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from weldbench.config.data import RESERVED, Dataset, problem_with_classes
from weldbench.errors import InputError
from weldbench.evaluation.predictions import FRAME_COLUMNS
from weldbench.ingest.archive import Archive
from weldbench.ingest.layout import read_layout

BAD = {
    "split_id": "a column or a line of the tables",
    "split": "a column",
    "row": "a column",
    "run": "a column",
    "Run": "a column",
    "label": "a column",
    "weight": "a column",
    "Good": "nearly one name",
    "good ": "nearly one name",
    "ｇｏｏｄ": "nearly one name",
    " ": "visible characters",
    "a\nb": "visible characters",
}


def test_the_columns_of_predictions_are_no_classes() -> None:
    assert set(FRAME_COLUMNS) <= set(RESERVED)


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_no_class_can_have_ends_before_anything_is_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValidationError, match=BAD[name]):
        TypeAdapter(Dataset).validate_python({"source": "local", "path": "x", "classes": ["good", name]})
    members = {"good/r/0.png": frame(1), f"{name}/r2/0.png": frame(2)}
    with Archive(write_zip(tmp_path / "a.zip", members)) as archive, pytest.raises(InputError):
        read_layout(archive, None, None)


def test_a_name_that_stands_twice() -> None:
    assert "'crack' is there twice" in (problem_with_classes(["good", "crack", "crack"]) or "")
    assert "'lack of fusion' and 'lack_of_fusion'" in (problem_with_classes(["lack of fusion", "lack_of_fusion"]) or "")
    assert "nearly one name" in (problem_with_classes(["caf\u00e9", "cafe\u0301"]) or "")


@settings(deadline=None)
@given(st.lists(st.text("abcäöé0123456789", min_size=1), min_size=2, unique_by=str.casefold))
def test_other_names_are_free(names: list[str]) -> None:
    assert problem_with_classes(names) is None


@pytest.mark.parametrize("names", [["None", "NA", "nan"], ["0", "1", "2"], ["good", "true"], ["good", "表面欠陥"]])
def test_names_that_look_like_something_else_are_free(names: list[str]) -> None:
    assert problem_with_classes(names) is None
