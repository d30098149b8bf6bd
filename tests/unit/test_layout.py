from pathlib import Path

import pytest
from archives import CLASSES, frame, published, small_dataset, write_zip

from weldbench.archive import Archive
from weldbench.config.data import SS304_CLASSES
from weldbench.errors import InputError
from weldbench.layout import Frame, Layout, read_layout


def layout_of(
    folder: Path, members: dict[str, bytes] | list[str], classes: list[str] | None = None, pattern: str | None = None
) -> Layout:
    if isinstance(members, list):
        members = {name: frame(number) for number, name in enumerate(members)}
    with Archive(write_zip(folder / "archive.zip", members)) as archive:
        return read_layout(archive, classes, pattern)


@pytest.mark.parametrize("prefix", ["", "ss304/", "ss304/ss304/"])
def test_the_published_layout_below_any_prefix(tmp_path: Path, prefix: str) -> None:
    parts = {"train": {"run 1/image-0002.png": 1, "run 1/image-0001.png": 0}, "test": {"run 2/image-0001.png": 2}}
    layout = layout_of(tmp_path, published(parts, prefix), CLASSES)
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
    assert [(frame.published_part, frame.label, frame.path) for frame in layout.frames] == [
        ("test", "bad", "bad/d.tif"),
        ("test", "good", "good/e.bmp"),
        ("train", "bad", "bad/b.PNG"),
        ("train", "good", "good/a.png"),
        ("valid", "good", "good/c.jpg"),
    ]


@pytest.mark.parametrize("prefix", ["", "factory/", "a/b/"])
def test_classes_without_parts(tmp_path: Path, prefix: str) -> None:
    layout = layout_of(tmp_path, [f"{prefix}{name}" for name in ("crack/a.png", "good_weld/b.png", "pore/c.png")])
    assert layout.classes == ["good_weld", "crack", "pore"]
    assert {frame.published_part for frame in layout.frames} == {""}
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
    assert [frame.run for frame in layout.frames] == ["seam22", "seam1", "seam1"]
    assert layout.notes == []


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
