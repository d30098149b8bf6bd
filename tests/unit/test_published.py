from pathlib import Path

import pytest

from weldbench.config.data import SS304_CLASSES
from weldbench.errors import InputError
from weldbench.evaluation.published import read_published
from weldbench.ingest.known_datasets import AL5083_CLASSES
from weldbench.reporting.tables.differences import differences

FILE = Path(__file__).parents[2] / "reference" / "published.yaml"


@pytest.fixture(scope="module")
def published():
    return read_published(FILE)


def test_the_quoted_numbers_are_there(published):
    ss304, al5083 = (
        {result.model: result for result in published.results if result.dataset == name} for name in ("ss304", "al5083")
    )
    macro = {result.architecture: result.macro_f1 for result in ss304.values() if result.macro_f1}
    assert macro == {"full_con6": 0.56, "conv6": 0.78, "resnet18": 0.97}
    assert ss304["Conv6"].f1 == {"lack_of_shielding_gas": 0.0}
    frozen = {name: (of.accuracy, of.valid_accuracy) for name, of in ss304.items() if name.endswith("frozen")}
    assert frozen == {
        "DenseNet169, frozen": (0.9828, 0.9333),
        "VGG16, frozen": (0.9684, 0.8821),
        "InceptionV3, frozen": (0.9772, None),
        "VGG19, frozen": (0.9418, 0.8828),
    }
    assert ss304["MobileNetV2"].split is None
    # The best of each task: six classes, and good against defective.
    assert (ss304["DenseNet169 with SGD"].accuracy, ss304["DenseNet169 with SGD"].two_class_accuracy) == (0.9728, None)
    assert (ss304["VGG19 with SGD"].accuracy, ss304["VGG19 with SGD"].two_class_accuracy) == (None, 0.9969)
    assert {name: of.accuracy for name, of in al5083.items() if of.chosen_on_test} == {
        "WeldNet": 0.835,
        "ResNet-18": 0.793,
        "MobileNetV3, small": 0.782,
        "WeldNet, ensemble": 0.891,
        "WeldNet, distilled": 0.882,
    }
    assert all(of.init == "scratch" and of.test.frames == 6588 for of in al5083.values() if of.chosen_on_test)
    assert (al5083["MobileNetV2"].accuracy, al5083["MobileNetV2"].init) == (0.768, "imagenet")
    assert (al5083["DenseNet169"].accuracy, al5083["DenseNet169"].split) == (0.9989, "random")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, None),
        ({"resnet34": {"architecture": "resnet34", "init": "scratch"}}, None),
        ({"tuned": {"architecture": "resnet18", "init": "imagenet"}}, "tuned"),
        ({"resnet18": {"architecture": "conv6"}, "mine": {"architecture": "resnet18", "init": "simulated"}}, "mine"),
        ({name: {"architecture": "resnet18", "init": name} for name in ("imagenet", "scratch")}, "scratch"),
        ({"resnet18": {}}, "resnet18"),
    ],
)
def test_a_counterpart_is_told_by_architecture_and_starting_weights_not_by_its_name(published, settings, expected):
    (resnet18,) = [of for of in published.results if (of.model, of.dataset) == ("ResNet-18", "al5083")]
    assert resnet18.counterpart(settings) == expected


def test_caveats_are_those_of_the_quoted_data(published):
    of = {name: published.caveats([r for r in published.results if r.dataset == name]) for name in ("ss304", "al5083")}
    assert any("0.56 and 0.78" in remark.text for remark in of["ss304"])
    assert not any("0.56" in remark.text for remark in of["al5083"])
    assert any("five films" in remark.text for remark in of["al5083"])
    assert of["ss304"][-1] == of["al5083"][-1]


def test_the_totals_of_the_paper_s_subset_add_up(published):
    subset = published.datasets["ss304"].balanced_subset.frames
    assert {split: sum(frames.values()) for split, frames in subset.items()} == {
        "train": 4729,
        "valid": 3088,
        "test": 3171,
    }
    assert sum(published.datasets["ss304"].frames.values()) == published.datasets["ss304"].total_frames


def test_the_frames_of_the_aluminum_set_add_up(published):
    per_class = published.datasets["al5083"].frames_per_class
    assert sum(sum(split.values()) for split in per_class.values()) == published.datasets["al5083"].total_frames


def test_results_are_offered_for_data_of_the_same_classes_only(published):
    assert {of.dataset for of in published.with_classes(SS304_CLASSES[::-1])} == {"ss304"}
    assert {of.dataset for of in published.with_classes(AL5083_CLASSES)} == {"al5083"}
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


OURS = {
    "architecture": "resnet18",
    "init": "imagenet",
    "input_size_px": 224,
    "epochs": 10,
    "learning_rate": 0.006,
    "optimizer": "sgd",
}


def test_every_difference_that_is_left_is_named(published):
    (tlt,) = [of for of in published.results if of.architecture == "resnet18" and of.dataset == "ss304"]
    assert differences(tlt, "weldsim", "grouped", OURS, {"train": 660, "test": 1100}) == [
        "data: ss304, ours weldsim",
        "split: published, ours grouped",
        "train frames: 24,204, ours 660",
        "test frames: 11,160 (assumed), ours 1,100",
        "starting weights: other data, not published which, ours ImageNet",
        "epochs: 30, ours 10",
        "not published: input size in px, optimizer",
    ]


def test_what_is_equal_is_no_difference(published):
    (tlt,) = [of for of in published.results if of.architecture == "resnet18" and of.dataset == "ss304"]
    told = differences(tlt, "ss304", "published", OURS | {"epochs": 30}, {"train": 24204, "test": 11160})
    assert [entry for entry in told if "ours" in entry] == [
        "starting weights: other data, not published which, ours ImageNet"
    ]
    (weldnet_resnet,) = [of for of in published.results if of.model == "ResNet-18" and of.dataset == "al5083"]
    ours = {"architecture": "resnet18", "init": "scratch", "hidden": [256]}
    assert differences(weldnet_resnet, "al5083", "published", ours, {"train": 900, "test": 6588}) == [
        "chosen by its score on test, ours not",
        "not published: train frames, hidden layers",
    ]
