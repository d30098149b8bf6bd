import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from archives import CLASSES, frame, published, small_dataset, write_zip

from weldbench.config.data import SS304_CLASSES
from weldbench.errors import InputError
from weldbench.ingest.archive import Archive
from weldbench.ingest.known_datasets import AL5083_CLASSES
from weldbench.ingest.layout import Frame, Layout, read_layout
from weldbench.ingest.packing import pack_folder


def layout_of(
    folder: Path,
    members: dict[str, bytes] | list[str],
    classes: list[str] | None = None,
    pattern: str | None = None,
    good_class: str | None = None,
) -> Layout:
    if isinstance(members, list):
        members = {name: frame(number) for number, name in enumerate(members)}
    with Archive(write_zip(folder / "archive.zip", members)) as archive:
        return read_layout(archive, classes, pattern, good_class=good_class)


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


def six_classes() -> dict[str, bytes]:
    return published({"train": {f"run {label}/1.png": label for label in range(6)}})


def test_classes_that_are_not_given_are_assumed_and_said_to_be(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, six_classes())
    assert layout.classes == SS304_CLASSES
    assert "not given, and were assumed to be those of SS304" in layout.notes[0]
    assert layout_of(tmp_path, six_classes(), list("abcdef")).notes == []


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6], list(range(500))])
def test_other_labels_than_those_of_ss304_want_names(tmp_path: Path, labels: list[int]) -> None:
    members = published({"train": {f"run {label}/1.png": label for label in labels}})
    with pytest.raises(InputError, match=r"the labels in its JSON files are .* list them, .* as `classes`") as refusal:
        layout_of(tmp_path, members)
    assert len(str(refusal.value)) < 500
    classes = [f"class {label}" for label in range(max(labels) + 1)]
    assert len(layout_of(tmp_path, members, classes).frames) == len(labels)


AL5083 = {"train": [8758, 1783, 6325, 4028, 2953, 2819], "test": [2189, 351, 2078, 1007, 729, 234]}
SS304 = {"train": [24203, 1], "valid": [9694], "test": [11159, 1]}


def listed(counts: dict[str, list[int]]) -> dict[str, bytes]:
    """Label files with these numbers of frames, without the frames."""
    return {
        f"{split}/{split}.json": json.dumps(
            {f"r{label}/{number}.png": label for label, count in enumerate(of_split) for number in range(count)}
        ).encode()
        for split, of_split in counts.items()
    }


@pytest.mark.parametrize(("counts", "right"), [(AL5083, AL5083_CLASSES), (SS304, SS304_CLASSES)], ids=["al", "ss"])
def test_a_public_dataset_is_known_by_its_counts(tmp_path: Path, counts: dict, right: list[str]) -> None:
    layout = layout_of(tmp_path, listed(counts))
    assert layout.classes == right
    assert layout.notes[0].startswith("By its numbers of frames this is ")
    wrong = SS304_CLASSES if right == AL5083_CLASSES else AL5083_CLASSES
    for classes in (wrong, [*right[1::-1], *right[2:]]):
        with pytest.raises(InputError, match=re.escape(f"set `classes` of the dataset in params.yaml to [{right[0]}")):
            layout_of(tmp_path, listed(counts), classes)
    for classes in (right, ["gut", "Durchbrand", "Schmutz", "Bindefehler", "x", "y"]):
        assert layout_of(tmp_path, listed(counts), classes).classes == classes


def test_the_counts_of_public_datasets_are_the_published_ones() -> None:
    published_datasets = yaml.safe_load(Path("reference/published.yaml").read_text())["datasets"]
    assert published_datasets["al5083"]["classes"] == AL5083_CLASSES
    assert {
        split: list(of.values()) for split, of in published_datasets["al5083"]["frames_per_class"].items()
    } == AL5083
    assert published_datasets["ss304"]["frames"] == {split: sum(counts) for split, counts in SS304.items()}


@pytest.mark.parametrize(
    "key",
    ["{run}/1.png", "{run}\\1.png", "train/{run}/1.png", "train\\{run}\\1.png", "./{run}/1.png"],
)
@pytest.mark.parametrize("place", ["train/train.json", "train.json", "data/train/train.json", "data/train.json"])
@pytest.mark.parametrize("write", [int, str, float, SS304_CLASSES.__getitem__])
def test_label_files_in_every_form(tmp_path: Path, key: str, place: str, write: Callable) -> None:
    folder = "data/train" if place.startswith("data/") else "train"
    members = {f"{folder}/run {label}/1.png": frame(label) for label in range(6)}
    labels = {key.format(run=f"run {label}"): write(label) for label in range(6)}
    layout = layout_of(tmp_path, members | {place: json.dumps(labels).encode()}, SS304_CLASSES)
    assert layout.bad == {}
    assert [(frame.path, frame.run, frame.label) for frame in layout.frames] == [
        (f"run {label}/1.png", f"run {label}", SS304_CLASSES[label]) for label in range(6)
    ]


COCO = {"images": [{"file_name": f"{n}.png"} for n in range(3000)], "annotations": [{"id": n} for n in range(3000)]}
NO_MAPS = {
    "coco": COCO,
    "nested": {"train": {"a.png": 0}},
    "list": {"good": ["a.png"] * 3000},
    "long": {"x" * 9999: [0]},
}


@pytest.mark.parametrize("content", NO_MAPS.values(), ids=NO_MAPS.keys())
def test_a_json_file_of_another_form_is_one_short_message(tmp_path: Path, content: dict) -> None:
    members = {"train/good/1.png": frame(1), "train/bad/1.png": frame(2)}
    with pytest.raises(InputError, match=r"train/train\.json .* it must map") as refusal:
        layout_of(tmp_path, members | {"train/train.json": json.dumps(content).encode()})
    assert len(str(refusal.value)) < 600
    assert len(layout_of(tmp_path, members).frames) == 2  # as the message says: without the JSON file


@pytest.mark.parametrize("alias", ["training", "Train", "testing", "Validation"])
def test_other_names_of_splits_are_read(tmp_path: Path, alias: str) -> None:
    split = {"t": {"r": "train", "e": "test"}}.get(alias[0].lower(), {}).get(alias[1], "valid")
    members = {f"{alias}/run {label}/1.png": frame(label) for label in range(3)}
    labels = json.dumps({f"run {label}/1.png": label for label in range(3)}).encode()
    layout = layout_of(tmp_path, members | {f"{alias}/{alias}.json": labels}, CLASSES)
    assert [frame.published_split for frame in layout.frames] == [split] * 3
    layout = layout_of(tmp_path, [f"{alias}/good/1.png", f"{alias}/bad/1.png"])
    assert [frame.published_split for frame in layout.frames] == [split] * 2


def test_a_split_whose_labels_stand_in_a_file_of_another_name(tmp_path: Path) -> None:
    members = published(small_dataset())
    labels = members.pop("ss304/test/test.json")
    with pytest.raises(
        InputError, match=r"labels\.json is not named like its folder; rename it to ss304/test/test\.json"
    ):
        layout_of(tmp_path, members | {"ss304/test/labels.json": labels}, CLASSES)
    assert len(layout_of(tmp_path, members | {"ss304/test/test.json": labels}, CLASSES).frames) == 36
    layout = layout_of(tmp_path, members, CLASSES)
    assert (
        "The pictures in ss304/test have no labels and were not used: there is no ss304/test/test.json." in layout.notes
    )


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


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["good/a.png", "good/b.png"], "one class in it, 'good'"),
        (["good_weld/run1/a.png", "good_weld/run2/a.png"], "one class in it, 'good_weld'"),
        (["good_weld/good_weld-run1/a.png", "good_weld/good_weld-run2/a.png"], "one class in it, 'good_weld'"),
        (["data/good/run1/a.png", "data/good/run2/a.png"], "one class in it, 'good'"),
        (["train/good/1/a.png", "test/good/2/a.png"], "one class in it, 'good'"),
        (["crack/a.png", "crack/b.png"], "one class in it, 'crack'"),
        (["good_weld-run1/a.png", "good_weld-run2/a.png"], "begin with good, as runs of one class do"),
        (["good/a.png", "good_enough/a.png", "bad/a.png"], "good and good_enough begin with good"),
        (
            ["run1/a.png", "run2/a.png"],
            "which of the classes run1, run2 is the good one.*If they are runs of one class",
        ),
        (["crack/run1/a.png", "crack/run2/a.png"], "which of the classes run1, run2 is the good one"),
        ([f"run{number}/a.png" for number in range(40)], "and 32 more is the good one"),
    ],
)
def test_runs_are_not_taken_for_classes(tmp_path: Path, names: list[str], expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        layout_of(tmp_path, names)


def test_one_class_of_two_with_pictures_is_told(tmp_path: Path) -> None:
    members = {"good/run1/a.png": frame(1), "good/run2/a.png": frame(2), "spatter/film.mp4": b"x"}
    with pytest.raises(InputError, match=r"one class in it, 'good'.*No picture that is read lies in spatter"):
        layout_of(tmp_path, members)


@pytest.mark.parametrize("prefix", ["good_data/", "a/", "a/b/"])
def test_folders_around_the_classes_are_no_classes(tmp_path: Path, prefix: str) -> None:
    names = [f"{prefix}{name}" for name in ("good/run1/a.png", "good/run2/a.png", "bad/run3/a.png")]
    strays = ["preview.png", f"{prefix.split('/')[0]}/preview.png", f"{prefix}preview.png"]
    layout = layout_of(tmp_path, [*names, *strays])
    assert [frame.run for frame in layout.frames] == ["run1", "run2", "run3"]
    assert layout.classes == ["good", "bad"]
    assert set(layout.bad.values()) == {"it lies in no class folder"}


def test_given_classes_tell_a_class_from_a_folder_around_classes(tmp_path: Path) -> None:
    layout = layout_of(tmp_path, ["x/y/a.png", "x/z/a.png"], ["y", "z"])
    assert [frame.label for frame in layout.frames] == ["y", "z"]
    layout = layout_of(tmp_path, ["x/y/a.png", "x/z/a.png"], ["x", "w"])
    assert [(frame.label, frame.run) for frame in layout.frames] == [("x", "y"), ("x", "z")]


@pytest.mark.parametrize("other", ["ground_truth", "unlabeled", "extra"])
@pytest.mark.parametrize("prefix", ["", "weld/"])
def test_a_folder_beside_the_splits_that_is_none(tmp_path: Path, prefix: str, other: str) -> None:
    names = [f"{prefix}{name}/1.png" for name in ("train/good", "test/good", "test/bad")]
    with pytest.raises(InputError, match=rf"test and train are splits, but {other} is not: .*take everything else out"):
        layout_of(tmp_path, [*names, f"{prefix}{other}/bad/1.png"])
    layout = layout_of(tmp_path, names)  # as the message says
    assert {frame.published_split for frame in layout.frames} == {"train", "test"}


def test_two_folders_of_one_split(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the folders val and valid are one split"):
        layout_of(tmp_path, ["train/good/1.png", "val/good/1.png", "valid/good/1.png", "train/bad/1.png"])


def test_a_class_may_be_called_test(tmp_path: Path) -> None:
    assert layout_of(tmp_path, ["good/1.png", "bad/1.png", "test/1.png"]).classes == ["good", "bad", "test"]


def test_pictures_without_any_folder(tmp_path: Path) -> None:
    members = {"1.png": frame(1), "2.png": frame(2), "labels.csv": b"1.png,good"}
    with pytest.raises(InputError, match=r"lie in no class folders \(1\.png, 2\.png\).*not read \(labels\.csv\)"):
        layout_of(tmp_path, members)


@pytest.mark.parametrize("members", [["train/good/0.png", "train/bad/0.png", "test/good/0.png", "test/bad/0.png"]])
def test_files_of_one_name_in_two_splits_are_no_shared_run(tmp_path: Path, members: list[str]) -> None:
    layout = layout_of(tmp_path, members)
    assert [frame.run for frame in layout.frames] == [
        "test/bad/0.png",
        "test/good/0.png",
        "train/bad/0.png",
        "train/good/0.png",
    ]
    labels = {"train": {"0.png": 0, "1.png": 1}, "test": {"0.png": 1, "1.png": 0}}
    layout = layout_of(tmp_path, published(labels), CLASSES)
    assert [frame.run for frame in layout.frames] == ["test/0.png", "test/1.png", "train/0.png", "train/1.png"]
    assert layout.bad == {}


@pytest.mark.parametrize("suffix", [".webp", ".pgm", ".ppm", ".jp2", ".gif", ".avif", ".jfif", ".PNM", ".TIF"])
def test_pictures_of_every_kind_that_is_decoded(tmp_path: Path, suffix: str) -> None:
    layout = layout_of(tmp_path, [f"good/r/1{suffix}", "bad/r2/1.png"])
    assert [frame.path for frame in layout.frames] == [f"good/r/1{suffix}", "bad/r2/1.png"]


def test_what_is_not_read_is_counted_and_named(tmp_path: Path) -> None:
    members = {"a/good/1/1.png": frame(1), "a/bad/2/1.png": frame(2)}
    members |= {"a/spatter/1.mp4": b"x", "a/spatter/2.mp4": b"x", "a/pores/": b"", "readme": b"x", "a/coco.json": b"{}"}
    assert layout_of(tmp_path, members).notes == [
        "Folders beside those of the classes, without a picture that is read: pores, spatter.",
        "3 files stayed out, as such kinds are not read: .mp4 2 (a/spatter/1.mp4), no suffix 1 (readme).",
        "Films are not read: save their frames as pictures, those of each film in a folder of its own.",
        "Empty folders: a/pores.",
        "1 JSON file stayed out: a/coco.json. The one that lists the frames of a split is named like its folder, as "
        "train/train.json.",
    ]


SYSTEM = [
    ".ipynb_checkpoints/x-checkpoint.png", ".Trash-1000/files/0.png", "$RECYCLE.BIN/S-1-5-21/0.png", "__MACOSX/0.png",
    "good/r/@eaDir/0.png/SYNOPHOTO_THUMB_M.jpg", "System Volume Information/0.png", "lost+found/0.png",
    ".AppleDouble/0.png", "good/r/Thumbs.db", "good/desktop.ini", "good/r/._0.png", "#recycle/0.png", ".git/0.png",
    "thumbs.DB", "found.000/0.png", "good/.thumbnails/0.png",
]  # fmt: skip


@pytest.mark.parametrize("name", SYSTEM)
def test_files_of_the_system_stay_out_of_zips_and_folders_alike(tmp_path: Path, name: str) -> None:
    members = {"good/r/0.png": frame(1), "bad/r2/0.png": frame(2), name: frame(3)}
    of_zip = layout_of(tmp_path, members)
    for member, data in members.items():
        (tmp_path / "folder" / member).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / member).write_bytes(data)
    unused = pack_folder(tmp_path / "folder", tmp_path / "packed.zip")
    with Archive(tmp_path / "packed.zip") as archive:
        of_folder = read_layout(archive, None, None, unused)
    assert of_zip == of_folder
    assert [frame.path for frame in of_zip.frames] == ["good/r/0.png", "bad/r2/0.png"]
    assert of_zip.notes[0].startswith("Hidden and system files stayed out: ")


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


SIX_DEFECTS = ["crazing", "inclusion", "patches", "pitted", "rolled-in", "scratches"]


@pytest.mark.parametrize("prefix", ["", "NEU-DET/", "train/"])
def test_data_without_any_good_class(tmp_path: Path, prefix: str) -> None:
    names = [f"{prefix}{label}/run{number}/1.png" for label in SIX_DEFECTS for number in range(2)]
    with pytest.raises(InputError, match=r"name it as `good_class` of the dataset in params\.yaml, or none"):
        layout_of(tmp_path, names)
    layout = layout_of(tmp_path, names, good_class="none")
    assert (layout.classes, layout.good_class) == (SIX_DEFECTS, None)
    layout = layout_of(tmp_path, names, good_class="patches")
    assert (layout.classes[0], layout.good_class) == ("patches", "patches")
    with pytest.raises(InputError, match=r"good_class in params\.yaml is 'fine', and its classes are crazing"):
        layout_of(tmp_path, names, good_class="fine")


def test_the_good_class_of_label_files_comes_first(tmp_path: Path) -> None:
    members = published({"train": {f"run {label}/1.png": label for label in range(3)}})
    layout = layout_of(tmp_path, members, ["bad", "worse", "fine"], good_class="fine")
    assert (layout.classes, layout.good_class) == (["fine", "bad", "worse"], "fine")
    assert [frame.label for frame in layout.frames] == ["bad", "worse", "fine"]
    layout = layout_of(tmp_path, members, ["bad", "worse", "worst"], good_class="none")
    assert (layout.classes, layout.good_class) == (["bad", "worse", "worst"], None)
    assert layout_of(tmp_path, members, ["fine", "bad", "worse"]).good_class == "fine"


def test_a_class_named_none_is_not_taken_for_no_good_class(tmp_path: Path) -> None:
    names = [f"{label}/{label}{number}/1.png" for label in ("none", "crack") for number in range(2)]
    with pytest.raises(InputError, match="stands for no good class, but a class is named so; rename that class"):
        layout_of(tmp_path, names, good_class="none")
    assert layout_of(tmp_path, names, good_class="crack").classes == ["crack", "none"]


@pytest.mark.parametrize("names", [["test_1/1.png", "train_1/1.png"], ["1.png"]])
def test_a_table_of_labels_is_named_where_folders_tell_no_classes(tmp_path: Path, names: list[str]) -> None:
    members = {**{name: frame(number) for number, name in enumerate(names)}, "labels.csv": b"path,label"}
    with pytest.raises(InputError, match=r"Tables of labels are not read \(labels\.csv\)"):
        layout_of(tmp_path, members)


@pytest.mark.parametrize("splits", [("training_set", "test_set"), ("Train ", "Test"), ("train1", "val1")])
def test_splits_of_other_names_are_not_taken_for_classes(tmp_path: Path, splits: tuple[str, str]) -> None:
    names = [f"{split}/{label}/{split}{label}/1.png" for split in splits for label in ("good", "bad")]
    with pytest.raises(InputError, match="look like splits, and splits are named train"):
        layout_of(tmp_path, names, good_class="none")
    classes = sorted(splits)
    assert layout_of(tmp_path, names, classes).classes == classes


@pytest.mark.parametrize("labels", ["{split}/labels.json", "annotations/{split}.json"])
def test_label_files_of_other_names_are_named_where_the_classes_cannot_be_told(tmp_path: Path, labels: str) -> None:
    names = [f"{split}/{split}{run}/1.png" for split in ("train", "test") for run in range(4)]
    members = {name: frame(number) for number, name in enumerate(names)}
    members |= {labels.format(split=split): b"{}" for split in ("train", "test")}
    with pytest.raises(InputError, match=r"is the good one\?.*named like their split, as train/train\.json \(.*json"):
        layout_of(tmp_path, members)
    with pytest.raises(InputError, match=r"none of the folders test0, .* is one of the classes good, bad; .*json\)"):
        layout_of(tmp_path, members, ["good", "bad"])
