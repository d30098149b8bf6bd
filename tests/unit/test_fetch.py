import errno
import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from archives import CLASSES, frame, published, small_dataset, write_zip

from weldbench.config.data import LocalDataset
from weldbench.errors import InputError
from weldbench.ingest.fetch import fetch
from weldbench.runtime.disk import space_for


def local(path: Path, **changes: object) -> LocalDataset:
    return LocalDataset(source="local", path=str(path), classes=CLASSES, **changes)


def write_folder(folder: Path, members: dict[str, bytes]) -> Path:
    for name, data in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def test_a_zip_is_linked_and_described(tmp_path: Path) -> None:
    source = write_zip(tmp_path / "mine.zip", published(small_dataset()))
    source.chmod(0o444)
    archive = tmp_path / "data" / "archive.zip"
    fetch(archive, "mine", local(source))
    assert archive.stat().st_ino == source.stat().st_ino
    assert source.stat().st_mode & 0o777 == 0o444
    assert json.loads((tmp_path / "data" / "archive.json").read_text()) == {
        "dataset": "mine",
        "source": "local",
        "path": str(source),
        "frames": 36,
        "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "bytes": source.stat().st_size,
    }


def test_a_zip_is_copied_where_there_are_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refuse)
    source = write_zip(tmp_path / "mine.zip", published(small_dataset()))
    fetch(tmp_path / "data" / "archive.zip", "mine", local(source))
    assert (tmp_path / "data" / "archive.zip").read_bytes() == source.read_bytes()
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["archive.json", "archive.zip"]


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


def test_a_file_that_is_no_zip(tmp_path: Path) -> None:
    (tmp_path / "mine.zip").write_text("hello")
    with pytest.raises(InputError, match=r"mine\.zip: this is no complete zip"):
        fetch(tmp_path / "data" / "archive.zip", "mine", local(tmp_path / "mine.zip"))
    assert list((tmp_path / "data").iterdir()) == []


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
