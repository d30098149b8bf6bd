"""Parts and copies of one recording in two splits: told by their names, and joined by following the advice."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from archives import published, write_zip
from hypothesis import given
from hypothesis import strategies as st
from manifests import CLASSES, frames_of, manifest_of, run_frames

from weldbench.config import load_params
from weldbench.config.data import Split
from weldbench.config.strict_yaml import read_yaml
from weldbench.ingest.archive import Archive
from weldbench.ingest.layout import read_layout
from weldbench.splitting.recordings import recordings
from weldbench.splitting.run_pattern import joining_pattern
from weldbench.splitting.split import split_dataset

ROOT = Path(__file__).parents[2]
# The films of Al5083 of which both splits hold parts, and folders that stand for the others.
SHARED_FILMS = ["170904-150144", "170904-152301", "170904-154202", "170906-153326", "170906-113317"]
OTHER_FILMS = ["170904-112347-Al 2mm", "170905-114307-Al 2mm", "170913-142501-Al 2mm", "170906-144958-Al 2mm"]


def al5083() -> dict[str, dict[str, int]]:
    """The published JSON files, in small: split -> `run/image.png` -> label."""
    folders = {"train": [(f"{film}-Al 2mm-part2", number % 3) for number, film in enumerate(SHARED_FILMS)]}
    folders["test"] = [(f"{film}-Al 2mm-part1", number % 3) for number, film in enumerate(SHARED_FILMS)]
    folders["train"] += [(run, number % 3) for number, run in enumerate(OTHER_FILMS)]
    folders["train"] += [(f"170913-15150{number}-Al 2mm-part1", number % 3) for number in range(6)]
    return {
        split: {f"{run}/image-{number:04d}.png": label for run, label in runs for number in range(2)}
        for split, runs in folders.items()
    }


def manifest_from(folder: Path, members: dict[str, bytes], pattern: str | None) -> pd.DataFrame:
    """What ingest makes of an archive, pictures aside."""
    with Archive(write_zip(folder / "archive.zip", members)) as archive:
        layout = read_layout(archive, CLASSES, pattern)
    assert not layout.bad
    return manifest_of((frame.path, frame.run, frame.label, frame.published_split) for frame in layout.frames)


def audit_of(manifest: pd.DataFrame, **changes: object) -> dict:
    return split_dataset(manifest, frames_of(manifest), CLASSES, Split(balance="none", **changes), 0)[1]


def probable_notes(audit: dict) -> list[str]:
    return [note for note in audit["notes"] if "probably one recording" in note]


def test_the_films_of_al5083_that_both_splits_hold_are_told_and_joined_by_the_advice(tmp_path: Path) -> None:
    manifest = manifest_from(tmp_path, published(al5083(), "al5083/"), None)
    audit = audit_of(manifest)
    assert audit["leaks"]["shared_runs"]["runs"] == 0
    found = audit["probably_one_recording"]
    assert found["recordings"] == 5
    assert found["frames"]["test"] == 10
    assert {run[:13] for entry in found["listed"] for run in entry["runs"]} == set(SHARED_FILMS)
    assert found["run_pattern"] == r"\d{6}-\d{6}"
    assert "and so are the runs of 4 more recordings" in audit["notes"][0]
    assert r"set datasets.<name>.run_pattern to '\d{6}-\d{6}'" in audit["notes"][0]

    manifest = manifest_from(tmp_path, published(al5083(), "al5083/"), found["run_pattern"])
    audit = audit_of(manifest)
    assert not probable_notes(audit)
    assert audit["probably_one_recording"] == {"recordings": 0, "frames": {}, "listed": [], "run_pattern": None}
    assert audit["leaks"]["shared_runs"]["runs"] == 5
    assert {entry["run"] for entry in audit["leaks"]["shared_runs"]["listed"]} == set(SHARED_FILMS)
    assert sum(audit["dropped"]["train"].values()) == 10
    assert sum(audit["after"]["test"].values()) == 10


def test_params_yaml_joins_the_parts_of_al5083() -> None:
    pattern = load_params(ROOT / "params.yaml").datasets["al5083"].run_pattern
    assert pattern
    runs = [name.split("/")[0] for labels in al5083().values() for name in labels]
    joined = {re.search(pattern, f"{run}/image-0001.png")[0] for run in runs}
    assert joined == {run[:13] for run in runs}


@pytest.mark.parametrize("on_leak", ["drop", "warn", "fail"])
def test_nothing_is_dropped_or_refused_for_a_name(tmp_path: Path, on_leak: str) -> None:
    manifest = manifest_from(tmp_path, published(al5083()), None)
    audit = audit_of(manifest, on_leak=on_leak)
    assert audit["after"] == audit["before"]
    assert len(probable_notes(audit)) == 1


ONE_RECORDING = {
    "parts": ["seam A-part1", "seam A-part2"],
    "parts with a space": ["seam A part 1", "seam A Part 2"],
    "parts in brackets": ["plate 3 (part 1 of 2)", "plate 3 (part 2 of 2)"],
    "part and whole": ["long weld", "long weld_part2"],
    "segments": ["w12.seg01", "w12.seg02"],
    "parts by letters": ["w12 part a", "w12 part b"],
    "a number": ["run7", "run7_2"],
    "a number in brackets": ["run7", "run7 (2)"],
    "numbers where others have none": ["run7-1", "run7-2"],
    "a number behind a letter": ["weld Q", "weld Q 2"],
    "a copy on Windows": ["good seam", "good seam - Copy"],
    "copies on Windows": ["good seam - Copy", "good seam - Copy (2)"],
    "a copy in brackets": ["good seam", "good seam (copy)"],
    "another copy": ["good seam (another copy)", "good seam (3rd copy)"],
    "copy first": ["good seam", "Copy of good seam"],
    "a German copy": ["Naht 3", "Naht 3 - Kopie"],
    "a copy of a part": ["w12-part1 - Copy", "w12-part2"],
    "time": ["160708-140302-50mmLens", "160708-140302-other lens"],
    "time behind a word": ["cam a 2016-07-08_14-03-02", "cam b 2016-07-08_14-03-02"],
    "time without signs": ["20160708140302 x", "20160708140302 y"],
}
# What other runs of the data are called.
OTHERS = ["run8", "run11", "weld P", "weld R", "run_1", "run_2", "good 1", "good 2", "plate3_1", "plate3_2", "plate4_1"]


@pytest.mark.parametrize("kind", ONE_RECORDING)
@pytest.mark.parametrize("layout", ["published", "class folders"])
def test_runs_of_one_recording_are_joined_by_the_advice(tmp_path: Path, kind: str, layout: str) -> None:
    one, other = ONE_RECORDING[kind]
    runs = [(one, "train", 0), (other, "test", 0)]
    runs += [(run, "train", number % 3) for number, run in enumerate(OTHERS)]
    runs += [(f"test {word}", "test", label) for label, word in enumerate(("one", "two", "three"))]
    runs += [(f"valid {word}", "valid", label) for label, word in enumerate(("one", "two", "three"))]
    members: dict[str, bytes] = {}
    if layout == "published":
        splits: dict[str, dict[str, int]] = {"train": {}, "valid": {}, "test": {}}
        for run, split, label in runs:
            splits[split] |= {f"{run}/{number}.png": label for number in range(2)}
        members = published(splits)
    else:
        names = [f"{split}/{CLASSES[label]}/{run}/{number}.png" for run, split, label in runs for number in range(2)]
        members = dict.fromkeys(names, b"")
    manifest = manifest_from(tmp_path, members, None)
    audit = audit_of(manifest)
    found = audit["probably_one_recording"]
    assert [set(entry["runs"]) for entry in found["listed"]] == [{one, other}]
    assert found["run_pattern"]

    # As a person would: from the sentence into params.yaml.
    written = re.search(r"run_pattern to ('(?:[^']|'')*')", probable_notes(audit)[0])[1]
    (tmp_path / "p.yaml").write_text(f"run_pattern: {written}\n", encoding="utf-8")
    pattern = read_yaml(tmp_path / "p.yaml").values["run_pattern"]
    assert pattern == found["run_pattern"] == yaml.safe_load(written)
    joined = manifest_from(tmp_path, members, pattern)
    assert joined["run"].nunique() == manifest["run"].nunique() - 1
    audit = audit_of(joined)
    assert not probable_notes(audit)
    assert audit["leaks"]["shared_runs"]["runs"] == 1
    assert sum(audit["dropped"]["train"].values()) == 2


@pytest.mark.parametrize(
    "runs",
    [
        ["1", "2", "10"],
        ["run_1", "run_2", "run_3"],
        ["run 1", "run 2", "weld 1", "weld 2"],
        ["run1", "run2", "run12", "run1b"],
        ["video", "video_2", "video_3", "video_4"],
        ["good", "good_2", "good_3", "burn", "burn_2"],
        ["weld (1)", "weld (2)", "weld (3)"],
        ["plate1_1", "plate1_2", "plate2_1", "plate2_2", "plate3"],
        ["A 1", "A 2", "B 1", "B 2", "C"],
        ["2016-07-08", "2016-07-08_2", "2016-07-09"],
        ["160708", "160708-2", "160709"],
        ["part 1", "part 2", "part 3"],
        ["steel part 1", "steel part 2", "steel part 3"],
        [f"{kind} part {number}" for kind in ("good", "bad") for number in range(9)],
        ["160708-140302-a", "160708-140303-a"],
        ["999999-999999-a", "999999-999999-b"],
        ["photocopy", "photo"],
        ["spare parts", "spare"],
        ["rampart2", "ramp"],
        ["run7_200A", "run7_220A", "run8"],
        ["w.s.16cm.m 5", "w.s.16cm.m 10"],
        ["copy", "copy 2", "x"],
        ["", "-2", " (3)"],
    ],
)
def test_runs_that_are_merely_numbered_are_not_joined(runs: list[str]) -> None:
    assert len(set(recordings(runs).values())) == len(runs)


NUMBERS = st.lists(st.integers(0, 999), min_size=2, max_size=30, unique=True)
WORDS = st.text(st.sampled_from("abcdegmsuwxyz 0123456789"), max_size=8)


@given(word=WORDS, gap=st.sampled_from(["", "_", "-", " ", "."]), numbers=NUMBERS, width=st.integers(1, 4))
def test_whatever_word_counts_the_runs(word: str, gap: str, numbers: list[int], width: int) -> None:
    runs = {f"{word}{gap}{number:0{width}d}" for number in numbers}
    assert set(recordings(runs).values()) == runs or "part" in word


@given(plates=NUMBERS, per_plate=st.integers(2, 5), word=st.sampled_from(["", "plate", "p "]))
def test_runs_numbered_on_two_levels(plates: list[int], per_plate: int, word: str) -> None:
    runs = {f"{word}{plate}-{number}" for plate in plates for number in range(per_plate)}
    assert set(recordings(runs).values()) == runs


@given(
    seconds=st.lists(st.integers(0, 10**8), min_size=2, max_size=20, unique=True),
    ending=st.sampled_from(["", "-part1", " - Copy", "_2"]),
)
def test_other_times_are_other_recordings(seconds: list[int], ending: str) -> None:
    start = pd.Timestamp("2016-07-08")
    runs = {f"{start + pd.Timedelta(seconds=second):%y%m%d-%H%M%S}{ending}" for second in seconds}
    assert len(set(recordings(runs).values())) == len(seconds)


@given(
    wholes=st.lists(st.integers(1, 40), min_size=2, max_size=9, unique=True),
    parts=st.integers(2, 9),
    ending=st.sampled_from(["-part{}", "_part {}", " (part {})", " - Copy ({})", " (copy {})"]),
    deeper=st.booleans(),
)
def test_parts_of_numbered_runs_are_joined(wholes: list[int], parts: int, ending: str, deeper: bool) -> None:
    whole_of = {f"run_{whole}{ending.format(part + 1)}": whole for whole in wholes for part in range(parts)}
    found = recordings(whole_of)
    assert len(set(found.values())) == len(wholes)
    assert len({(whole_of[run], recording) for run, recording in found.items()}) == len(wholes)
    paths = [f"{'class/' if deeper else ''}{run}/image-{number}.png" for run in whole_of for number in range(2)]
    frames = pd.DataFrame({"path": paths, "run": [run for run in whole_of for _ in range(2)]})
    pattern = joining_pattern(frames, found)
    assert pattern
    matched = [re.search(pattern, path)["run"] for path in paths]
    assert len(set(zip(matched, frames["run"].map(whole_of), strict=True))) == len(set(matched)) == len(wholes)


def test_where_no_pattern_can_join_them_the_folder_is_advised() -> None:
    frames = [frame for label in CLASSES for split in ("train", "valid", "test")
        for frame in run_frames(f"{label} {split}", label, split, 2)]  # fmt: skip
    frames += run_frames("2016-07-08 14:03:02", "good_weld", "train", 2)
    frames += run_frames("20160708T140302", "good_weld", "test", 2)
    audit = audit_of(manifest_of(frames))
    assert audit["probably_one_recording"]["recordings"] == 1
    assert audit["probably_one_recording"]["run_pattern"] is None
    assert "give all frames of a recording one run folder" in probable_notes(audit)[0]


def test_a_random_split_is_told_once() -> None:
    runs = [f"{label} {number}-part{part}" for label in CLASSES for number in range(3) for part in (1, 2)]
    manifest = manifest_of(frame for run in runs for frame in run_frames(run, run.split()[0], "", 4))
    audit = audit_of(manifest, strategy="random")
    assert audit["probably_one_recording"]["recordings"] == 9
    assert not probable_notes(audit)
    assert any("inflates" in note for note in audit["notes"])


def test_parts_in_one_split_or_dropped_ones_are_no_leak() -> None:
    frames = [frame for label in CLASSES for split in ("train", "valid", "test")
        for frame in run_frames(f"{label} {split}", label, split, 2)]  # fmt: skip
    frames += [frame for part in (1, 2) for frame in run_frames(f"w3-part{part}", "good_weld", "train", 2)]
    assert audit_of(manifest_of(frames))["probably_one_recording"]["recordings"] == 0
    # A copy with the same frames is dropped for these.
    manifest = manifest_of(
        [*frames, *run_frames("w9", "good_weld", "train", 2), *run_frames("w9 - Copy", "good_weld", "test", 2)]
    )
    manifest.loc[manifest["run"] == "w9 - Copy", "sha256"] = manifest.loc[manifest["run"] == "w9", "sha256"].to_numpy()
    audit = audit_of(manifest)
    assert audit["leaks"]["identical_frames"]["pairs"] == 2
    assert audit["probably_one_recording"]["recordings"] == 0
