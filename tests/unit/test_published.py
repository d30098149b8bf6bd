from pathlib import Path

import pytest

from weldbench.config.data import SS304_CLASSES
from weldbench.errors import InputError
from weldbench.evaluation.published import read_published

FILE = Path(__file__).parents[2] / "reference" / "published.yaml"


@pytest.fixture(scope="module")
def published():
    return read_published(FILE)


def test_the_quoted_numbers_are_there(published):
    macro = {result.beside: result.macro_f1 for result in published.results if result.beside}
    assert macro == {"full_con6": 0.56, "conv6": 0.78, "resnet18": 0.97}
    (conv6,) = [result for result in published.results if result.beside == "conv6"]
    assert conv6.f1 == {"lack_of_shielding_gas": 0.0}


def test_the_totals_of_the_paper_s_subset_add_up(published):
    subset = published.datasets["ss304"].balanced_subset.frames
    assert {split: sum(frames.values()) for split, frames in subset.items()} == {
        "train": 4729,
        "valid": 3088,
        "test": 3171,
    }
    assert sum(published.datasets["ss304"].frames.values()) == published.datasets["ss304"].total_frames


def test_the_frames_of_the_aluminium_set_add_up(published):
    per_class = published.datasets["al5083"].frames_per_class
    assert sum(sum(split.values()) for split in per_class.values()) == published.datasets["al5083"].total_frames


def test_results_are_offered_for_data_of_the_same_classes_only(published):
    assert len(published.with_classes(SS304_CLASSES[::-1])) == 6
    assert published.with_classes(SS304_CLASSES[:5]) == []


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        (lambda text: text.replace("macro_f1: 0.56", "macro_f2: 0.56"), "macro_f2"),
        (lambda text: text.replace("macro_f1: 0.56", "macro_f1: high"), "macro_f1"),
        (lambda text: text.replace("source: sekhar", "source: nobody"), "names the dataset or source of no entry"),
        (lambda text: text + "\n  - [", "no valid YAML"),
    ],
)
def test_mistakes_in_the_file_are_told(tmp_path, edit, complaint):
    path = tmp_path / "published.yaml"
    path.write_text(edit(FILE.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(InputError, match=complaint):
        read_published(path)


def test_a_result_stands_beside_the_model_of_its_name_or_else_those_of_its_architecture(published):
    (resnet,) = [result for result in published.results if result.beside == "resnet18"]
    assert resnet.counterparts({"resnet18_scratch": "resnet18", "resnet18": "resnet18"}) == ["resnet18"]
    assert resnet.counterparts({"a": "resnet18", "b": "conv6", "c": "resnet18"}) == ["a", "c"]
    assert resnet.counterparts({"conv6": "conv6"}) == []
