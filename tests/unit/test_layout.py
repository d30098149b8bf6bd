from pathlib import Path

import pytest
from archives import CLASSES, frame, published, small_dataset, write_zip

from weldbench.config.data import SS304_CLASSES
from weldbench.errors import InputError
from weldbench.ingest.archive import Archive
from weldbench.ingest.layout import Frame, Layout, read_layout


def layout_of(
    folder: Path, members: dict[str, bytes] | list[str], classes: list[str] | None = None, pattern: str | None = None
) -> Layout:
    if isinstance(members, list):
        members = {name: frame(number) for number, name in enumerate(members)}
    with Archive(write_zip(folder / "archive.zip", members)) as archive:
        return read_layout(archive, classes, pattern)


@pytest.mark.parametrize("prefix", ["", "ss304/", "ss304/ss304/"])
def test_the_published_layout_below_any_prefix(tmp_path: Path, prefix: str) -> None:
    splits = {"train": {"run 1/image-0002.png": 1, "run 1/image-0001.png": 0}, "test": {"run 2/image-0001.png": 2}}
    layout = layout_of(tmp_path, published(splits, prefix), CLASSES)
    assert layout.frames == [
        Frame(f"{prefix}test/run 2/image-0001.png", "run 2/image-0001.png", "run 2", "contamination", "test"),
        Frame(f"{prefix}train/run 1/image-0001.png", "run 1/image-0001.png", "run 1", "good_weld", "train"),
        Frame(f"{prefix}train/run 1/image-0002.png", "run 1/image-0002.png", "run 1", "burn_through", "train"),
    ]
    assert (layout.bad, layout.unlisted, layout.notes) == ({}, [], [])


def test_the_published_layout_has_the_classes_of_ss304_by_default(tmp_path: Path) -> None:
    assert layout_of(tmp_path, published(small_dataset())).classes == SS304_CLASSES


def test_parts_with_classes(tmp_path: Path) -> None:
    names = ["train/good/a.png", "train/bad/b.PNG", "val/good/c.jpg", "test/bad/d.tif", "test/good/e.bmp"]
    layout = layout_of(tmp_path, names)
    assert layout.classes == ["good", "bad"]
    assert [(frame.published_split, frame.label, frame.path) for frame in layout.frames] == [
        ("test", "bad", "bad/d.tif"),
        ("test", "good", "good/e.bmp"),
        ("train", "bad", "bad/b.PNG"),
        ("train", "good", "good/a.png"),
        ("valid", "good", "good/c.jpg"),
    ]


@pytest.mark.parametrize("prefix", ["", "factory/", "a/b/"])
def test_classes_without_splits(tmp_path: Path, prefix: str) -> None:
    layout = layout_of(tmp_path, [f"{prefix}{name}" for name in ("crack/a.png", "good_weld/b.png", "pore/c.png")])
    assert layout.classes == ["good_weld", "crack", "pore"]
    assert {frame.published_split for frame in layout.frames} == {""}
    assert "name no run" in layout.notes[0]


def test_given_classes_keep_their_order(tmp_path: Path) -> None:
    assert layout_of(tmp_path, ["x/a.png", "y/b.png"], ["y", "x"]).classes == ["y", "x"]


def test_a_folder_that_is_no_given_class_is_bad(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, ["x/a.png", "y/b.png", "z/c.png"], ["x", "y"])
    assert layout.bad == {"z/c.png": "its folder 'z' is none of the classes x, y"}


def test_folders_within_a_class_are_runs(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, ["good/run1/a.png", "good/run2/a.png", "bad/day 1/run3/a.png"])
    assert {frame.path: frame.run for frame in layout.frames} == {
        "good/run1/a.png": "run1",
        "good/run2/a.png": "run2",
        "bad/day 1/run3/a.png": "day 1/run3",
    }
    assert layout.notes == []


@pytest.mark.parametrize("pattern", [r"(?P<run>seam\d+)_", r"seam\d+"])
def test_a_pattern_takes_the_run_from_the_path(tmp_path: Path, pattern: str) -> None:
    layout = layout_of(tmp_path, ["good/seam1_001.png", "good/seam1_002.png", "bad/seam22_001.png"], None, pattern)
    assert [frame.run for frame in layout.frames] == ["seam1", "seam1", "seam22"]
    assert layout.notes == []


def test_a_run_that_turns_bad_is_one_film(tmp_path: Path) -> None:
    names = [
        "good_weld/run1/image-0001.png",
        "good_weld/run1/image-0002.png",
        "burn_through/run1/image-0003.png",
        "good_weld/run1/image-0004.png",
        "burn_through/run2/image-0001.png",
    ]
    assert [frame.path for frame in layout_of(tmp_path, names).frames] == names


def test_numbers_in_names_count_as_numbers(tmp_path: Path) -> None:
    keys = ["run 1/2-frame9.png", "run 1/2-frame10.png", "run 1/2-frame011.png", "run 1/10-frame1.png"]
    layout = layout_of(tmp_path, published({"train": dict.fromkeys(keys, 0)}), CLASSES)
    assert [frame.path for frame in layout.frames] == keys


def test_a_run_that_a_pattern_finds_in_two_class_folders_is_one_film(tmp_path: Path) -> None:
    names = ["good/seam1_9.png", "bad/seam1_10.png", "good/seam1_11.png", "bad/seam2_1.png"]
    assert [frame.path for frame in layout_of(tmp_path, names, None, r"seam\d+").frames] == names


def test_recordings_that_a_pattern_joins_follow_each_other(tmp_path: Path) -> None:
    names = ["good/day1-am/1.png", "bad/day1-am/2.png", "bad/day1-pm/1.png", "good/day1-pm/2.png"]
    assert [frame.path for frame in layout_of(tmp_path, names, None, r"day\d+").frames] == names


def test_a_path_that_the_pattern_does_not_match_is_bad(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, ["good/seam1.png", "bad/other.png"], None, r"seam\d+")
    assert list(layout.bad) == ["bad/other.png"]


def test_a_picture_in_no_class_folder_is_bad(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, ["good/a.png", "bad/b.png", "overview.png"])
    assert layout.bad == {"overview.png": "it lies in no class folder"}


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one class in it, 'good'"):
        layout_of(tmp_path, ["good/a.png", "good/b.png"])


def test_the_order_in_the_zip_does_not_matter(tmp_path: Path) -> None:
    members = published(small_dataset())
    shuffled = dict(sorted(members.items(), key=lambda item: item[0][::-1]))
    assert layout_of(tmp_path, members, CLASSES) == layout_of(tmp_path, shuffled, CLASSES)


def test_class_folders_say_which_class_is_good_or_the_parameters_must(tmp_path: Path) -> None:
    names = ["crack/a.png", "normal/b.png", "porosity/c.png"]
    with pytest.raises(InputError, match="which of the classes crack, normal, porosity is the good one"):
        layout_of(tmp_path, names)
    assert layout_of(tmp_path, names, ["normal", "crack", "porosity"]).classes == ["normal", "crack", "porosity"]
    assert layout_of(tmp_path, ["bad/a.png", "Good weld/b.png"]).classes == ["Good weld", "bad"]


def test_a_run_of_several_class_folders_is_noted(tmp_path: Path) -> None:
    names = ["good/run1/1.png", "bad/run1/2.png", "bad/run2/1.png"]
    (note,) = layout_of(tmp_path, names).notes
    assert note.startswith("Runs in several class folders have the same name (run1): each name is taken for one film")
    assert layout_of(tmp_path, ["good/run1/1.png", "bad/run2/1.png"]).notes == []
    assert layout_of(tmp_path, names, None, "run[0-9]").notes == []
