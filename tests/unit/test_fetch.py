import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from archives import CLASSES, frame, published, small_dataset, write_zip

from weldbench.config.data import Ingest, LocalDataset
from weldbench.errors import InputError
from weldbench.ingest.fetch import fetch
from weldbench.ingest.ingest import ingest
from weldbench.runtime.disk import space_for


def local(path: Path, **changes: object) -> LocalDataset:
    return LocalDataset(source="local", path=str(path), classes=CLASSES, **changes)


def write_folder(folder: Path, members: dict[str, bytes]) -> Path:
    for name, data in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def cloned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for a file system with clones: what differs for us is only that the copy is free."""
    monkeypatch.setattr("weldbench.ingest.fetch.clone", lambda source, target: bool(shutil.copyfile(source, target)))


def ingested(archive: Path, **changes: object) -> pd.DataFrame:
    """Ingest what `fetch` made of a zip; return the manifest."""
    settings = Ingest(frame_size_px=8, workers=1)
    ingest(archive, archive.parent, "mine", local(Path("anywhere"), **changes), settings)
    return pd.read_csv(archive.parent / "manifest.csv")


@pytest.mark.parametrize("clones", [False, True])
def test_a_zip_is_described_and_ingested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clones: bool) -> None:
    if clones:
        cloned(monkeypatch)
    source = write_zip(tmp_path / "mine.zip", published(small_dataset()))
    archive = tmp_path / "data" / "archive.zip"
    fetch(archive, "mine", local(source))
    facts = json.loads((tmp_path / "data" / "archive.json").read_text())
    assert len(facts.pop("members_sha256")) == 64
    assert facts == {
        "dataset": "mine",
        "source": "local",
        "path": str(source),
        "frames": 36,
        "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "bytes": source.stat().st_size,
    }
    assert len(ingested(archive)) == 36


@pytest.mark.parametrize("clones", [False, True])
def test_nothing_that_is_done_to_the_archive_reaches_the_zip_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clones: bool
) -> None:
    if clones:
        cloned(monkeypatch)
    source = write_zip(tmp_path / "mine.zip", published(small_dataset()))
    os.utime(source, (1e9, 1e9))
    source.chmod(0o640)
    before = (source.read_bytes(), source.stat().st_mtime, source.stat().st_mode)
    archive = tmp_path / "data" / "archive.zip"
    fetch(archive, "mine", local(source))
    # What engines do to their outputs: new times, protection, a link in a cache that is written to.
    os.utime(archive)
    archive.chmod(0o444)
    os.link(archive.resolve(), tmp_path / "cache")
    (tmp_path / "cache").chmod(0o600)
    (tmp_path / "cache").write_bytes(b"x")
    assert (source.read_bytes(), source.stat().st_mtime, source.stat().st_mode) == before
    assert source.stat().st_nlink == 1


def test_no_second_copy_is_made_where_there_are_no_clones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weldbench.ingest.fetch.clone", lambda source, target: False)
    source = write_zip(tmp_path / "mine.zip", published(small_dataset(5, 5)))
    archive = tmp_path / "data" / "archive.zip"
    fetch(archive, "mine", local(source))
    assert archive.stat().st_size < 2000 < source.stat().st_size / 50


def replaced(source: Path) -> None:
    source.write_bytes(write_zip(source.with_name("new.zip"), published(small_dataset(3))).read_bytes())


def written_over(source: Path) -> None:
    data = bytearray(source.read_bytes())
    data[data.index(b"IDAT") + 20] ^= 1
    source.write_bytes(data)


def one_frame_exchanged(source: Path) -> None:
    members = published(small_dataset())
    name = next(name for name in members if name.endswith(".png"))
    write_zip(source, members | {name: frame(777)})


@pytest.mark.parametrize("change", [replaced, one_frame_exchanged])
def test_a_zip_that_changes_after_it_was_imported_is_not_ingested(tmp_path: Path, change: Callable) -> None:
    source = write_zip(tmp_path / "mine.zip", published(small_dataset()))
    archive = tmp_path / "data" / "archive.zip"
    fetch(archive, "mine", local(source))
    change(source)
    with pytest.raises(InputError, match=r"mine\.zip: this file has changed since it was imported.*-R fetch"):
        ingested(archive)
    fetch(archive, "mine", local(source))
    assert len(ingested(archive)) > 0


def test_bytes_that_change_within_a_frame_are_not_ingested(tmp_path: Path) -> None:
    source = write_zip(tmp_path / "mine.zip", published(small_dataset()))
    archive = tmp_path / "data" / "archive.zip"
    fetch(archive, "mine", local(source))
    written_over(source)
    with pytest.raises(InputError, match="Bad CRC-32"):
        ingested(archive)


def test_a_clone_does_not_change_with_the_original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloned(monkeypatch)
    source = write_zip(tmp_path / "mine.zip", published(small_dataset()))
    archive = tmp_path / "data" / "archive.zip"
    fetch(archive, "mine", local(source))
    replaced(source)
    assert len(ingested(archive)) == 36


def test_an_original_that_is_gone(tmp_path: Path) -> None:
    source = write_zip(tmp_path / "mine.zip", published(small_dataset()))
    archive = tmp_path / "data" / "archive.zip"
    fetch(archive, "mine", local(source))
    moved = source.rename(tmp_path / "moved.zip")
    with pytest.raises(InputError, match=r"mine\.zip: this file.*is gone; put it back"):
        ingested(archive)
    moved.rename(source)
    assert len(ingested(archive)) == 36


def test_an_archive_that_is_not_that_of_its_description(tmp_path: Path) -> None:
    archive = tmp_path / "data" / "archive.zip"
    fetch(archive, "mine", local(write_folder(tmp_path / "mine", published(small_dataset()))))
    write_zip(archive, published(small_dataset(3)))
    with pytest.raises(InputError, match="has changed since it was imported"):
        ingested(archive)


def test_what_a_folder_holds_beside_the_frames_is_told_by_ingest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = {"film.avi": b"x", ".DS_Store": b"x", "labels.csv": b"x", "notes/annotations.json": b"{}"}
    folder = write_folder(tmp_path / "mine", published(small_dataset()) | extra)
    (folder / "empty").mkdir()
    archive = tmp_path / "data" / "archive.zip"
    fetch(archive, "mine", local(folder))
    ingested(archive)
    notes = json.loads((archive.parent / "inventory.json").read_text())["notes"]
    assert notes == [
        "2 files stayed out, as such kinds are not read: .avi 1 (film.avi), .csv 1 (labels.csv).",
        "Films are not read: save their frames as pictures, those of each film in a folder of its own.",
        "Empty folders: empty.",
        "Hidden and system files stayed out: .DS_Store (1).",
        "1 JSON file stayed out: notes/annotations.json. The one that lists the frames of a split is named like its "
        "folder, as train/train.json.",
    ]
    printed = capsys.readouterr().err
    assert [note for note in notes if f"ingest mine: {note}" not in printed] == []


def test_fetching_again_over_the_same_link(tmp_path: Path) -> None:
    source = write_zip(tmp_path / "mine.zip", published(small_dataset()))
    for _ in range(2):
        fetch(tmp_path / "data" / "archive.zip", "mine", local(source))
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["archive.json", "archive.zip"]


def test_a_folder_is_packed_the_same_way_every_time(tmp_path: Path) -> None:
    members = published(small_dataset())
    first = write_folder(tmp_path / "first", members)
    second = write_folder(tmp_path / "second", dict(reversed(members.items())))
    os.utime(second / "ss304/train/train.json", (1, 1))
    (second / "ss304/train/train.json").chmod(0o600)
    for name, folder in (("a", first), ("b", second)):
        fetch(tmp_path / name / "archive.zip", "mine", local(folder))
    assert (tmp_path / "a" / "archive.zip").read_bytes() == (tmp_path / "b" / "archive.zip").read_bytes()


def test_only_pictures_and_label_files_are_packed(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mine", published(small_dataset()))
    plain = tmp_path / "plain" / "archive.zip"
    fetch(plain, "mine", local(folder))
    write_folder(folder, {"readme.md": b"x", ".git/image.png": b"x", "ss304/.hidden.png": b"x", "film.avi": b"x"})
    fetch(tmp_path / "more" / "archive.zip", "mine", local(folder))
    assert (tmp_path / "more" / "archive.zip").read_bytes() == plain.read_bytes()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("file", "this link leaves the folder"),
        ("folder", "this link to a folder is not followed"),
        ("nothing", "a link to nothing"),
        ("pipe", "this is no file"),
    ],
)
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: str, expected: str) -> None:
    folder = write_folder(tmp_path / "mine", published(small_dataset()))
    outside = write_folder(tmp_path / "outside", {"image.png": frame(1)})
    strange = folder / "ss304/train/strange.png"
    if kind == "pipe":
        os.mkfifo(strange)
    else:
        strange.symlink_to({"file": outside / "image.png", "folder": outside, "nothing": folder / "none.png"}[kind])
    with pytest.raises(InputError, match=rf"strange\.png: {expected}|strange\.png: .*{expected}"):
        fetch(tmp_path / "data" / "archive.zip", "mine", local(folder))
    assert list((tmp_path / "data").iterdir()) == []


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    members = published(small_dataset())
    folder = write_folder(tmp_path / "mine", members)
    linked = folder / "ss304/train/train-0-run0/image-0000.png"
    target = folder / "target.bin"
    linked.rename(target)
    linked.symlink_to(target)
    fetch(tmp_path / "data" / "archive.zip", "mine", local(folder))
    plain = write_folder(tmp_path / "plain", members)
    fetch(tmp_path / "plain_data" / "archive.zip", "mine", local(plain))
    assert (tmp_path / "data/archive.zip").read_bytes() == (tmp_path / "plain_data/archive.zip").read_bytes()


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: there is no such file"):
        fetch(tmp_path / "data" / "archive.zip", "mine", local(tmp_path / "nowhere"))


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: there are no pictures"):
        fetch(tmp_path / "data" / "archive.zip", "mine", local(tmp_path / "empty"))


def test_a_folder_around_a_zip(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    source = write_zip(folder / "data.zip", published(small_dataset()))
    with pytest.raises(
        InputError, match=r"no pictures in this folder, but a zip; give the path of that zip, data\.zip"
    ):
        fetch(tmp_path / "data" / "archive.zip", "mine", local(folder))
    fetch(tmp_path / "data" / "archive.zip", "mine", local(source))
    assert len(ingested(tmp_path / "data" / "archive.zip")) == 36


def test_a_folder_of_films(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mine", {"good/a.mp4": b"x", "bad/b.mp4": b"x"})
    with pytest.raises(InputError, match=r"no pictures in this folder that are read, but \.mp4 2 \(bad/b\.mp4\)"):
        fetch(tmp_path / "data" / "archive.zip", "mine", local(folder))


def a_tar(path: Path) -> None:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        archive.add(__file__)


NO_ZIPS = {
    "mine.zip": (b"hello", "this is no complete zip"),
    "mine.7z": (b"7z\xbc\xaf\x27\x1c" + bytes(50), "this is a 7z archive.*unpack it and give the folder"),
    "mine.rar": (b"Rar!\x1a\x07\x01\x00", "this is a rar archive.*unpack it"),
    "labels.csv": (b"file,label\na.png,0\n", "this is a text file.*give the folder"),
    "weld.png": (frame(1), "this is one picture.*give the folder"),
    "pointer.zip": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "pointer of git-lfs.*git lfs pull"),
    "login.zip": (b"<!DOCTYPE html><html></html>", "this is a web page"),
    "empty.zip": (b"", "the file is empty"),
    "mine.tar": (a_tar, "this is a tar archive.*unpack it"),
    "mine.tar.gz": (a_tar, "this is a gzip archive.*unpack it"),
}


@pytest.mark.parametrize("name", NO_ZIPS)
def test_a_file_that_is_no_zip(tmp_path: Path, name: str) -> None:
    source, (content, expected) = tmp_path / name, NO_ZIPS[name]
    if callable(content):
        content(source)
    else:
        source.write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}: .*{expected}"):
        fetch(tmp_path / "data" / "archive.zip", "mine", local(source))
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize("name", [b"good_weld/Schwei\xdfnaht/0.png", b"good_weld/r/\xff.png", b"Stra\xdfe/r/0.png"])
def test_a_name_that_is_no_utf_8_is_named(tmp_path: Path, name: bytes) -> None:
    folder = write_folder(tmp_path / "mine", published(small_dataset()))
    path = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
    path.parent.mkdir(parents=True)
    path.write_bytes(frame(1))
    with pytest.raises(InputError, match=r"\\x(df|ff).*this name is no UTF-8.*rename it") as refusal:
        fetch(tmp_path / "data" / "archive.zip", "mine", local(folder))
    str(refusal.value).encode()
    path.unlink()
    path.with_suffix(".txt").write_bytes(b"what is not packed may be called anything")
    fetch(tmp_path / "data" / "archive.zip", "mine", local(folder))


def test_a_packed_folder_is_checked_under_its_own_name(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mine", {"train/train.json": b"no json", "train/run/a.png": frame(1)})
    with pytest.raises(InputError, match=r"mine: train/train\.json is no valid JSON"):
        fetch(tmp_path / "data" / "archive.zip", "mine", local(folder))
    assert list((tmp_path / "data").iterdir()) == []


def test_another_hash_than_expected_keeps_the_archive_of_before(tmp_path: Path) -> None:
    source = write_zip(tmp_path / "mine.zip", published(small_dataset()))
    archive = tmp_path / "data" / "archive.zip"
    fetch(archive, "mine", local(source))
    before = archive.read_bytes()
    changed = write_zip(tmp_path / "changed.zip", published(small_dataset(3)))
    with pytest.raises(InputError, match=r"expects " + "0" * 64):
        fetch(archive, "mine", local(changed, sha256="0" * 64))
    assert archive.read_bytes() == before


def test_space_is_asked_for_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=10))
    with pytest.raises(InputError, match="make room"), space_for(tmp_path / "new", 11, "this"):
        pytest.fail("the work began")


def test_a_disk_that_fills_up_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the disk is full"), space_for(tmp_path, 1, "this"):
        Path("/dev/full").write_text("x")


def test_other_errors_of_the_system_are_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError), space_for(tmp_path, 1, "this"):
        tmp_path.open("w")
