"""Archives with every fault that a factory's folder may have: each is named, and nothing half-written stays."""

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from archives import CLASSES, encoded, frame, picture, published, small_dataset, write_zip
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from weldbench.config.data import Ingest, LocalDataset
from weldbench.errors import BadFrameError, InputError
from weldbench.ingest.archive import MAX_MEMBER_BYTES, Archive
from weldbench.ingest.decode import decode
from weldbench.ingest.ingest import ingest

BAD = "ss304/train/train-0-run0/image-0000.png"
KEY = "train-0-run0/image-0000.png"
SETTINGS = Ingest(frame_size_px=8, workers=1)


def dataset(classes: list[str] | None = CLASSES) -> LocalDataset:
    return LocalDataset(source="local", path="anywhere", classes=classes)


def refused(archive: Path, settings: Ingest = SETTINGS) -> str:
    """Ingest must fail; return its message, after checking that nothing was written."""
    output = archive.parent / "output"
    with pytest.raises(InputError) as refusal:
        ingest(archive, output, "ours", dataset(), settings)
    assert not output.exists() or list(output.iterdir()) == []
    return str(refusal.value)


def with_train_labels(labels: object, **frames: bytes) -> dict[str, bytes]:
    members = published(small_dataset())
    text = labels if isinstance(labels, bytes) else json.dumps(labels).encode()
    return members | {"ss304/train/train.json": text} | frames


def png_that_declares(width_px: int, height_px: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(10_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


BAD_FRAMES = {
    "truncated": (frame(1)[:-200], "damaged PNG"),
    "header_only": (frame(1)[:20], "damaged picture"),
    "empty": (b"", "it is empty"),
    "no_image": (b"this is a text" * 10, "no picture"),
    "bomb": (png_that_declares(60_000, 60_000), "declares 60000x60000 pixels"),
    "no_pixels": (png_that_declares(0, 5), "declares 0x5 pixels"),
    "too_little_data": (png_that_declares(6000, 6000), "damaged PNG"),
}


@pytest.mark.parametrize(("data", "expected"), BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
def test_a_bad_frame_is_named(tmp_path: Path, data: bytes, expected: str) -> None:
    members = published(small_dataset()) | {BAD: data}
    message = refused(write_zip(tmp_path / "archive.zip", members))
    assert BAD in message
    assert expected in message
    assert "on_bad_frame: skip" in message


BAD_LABELS = {
    "out_of_range": (3, "labels 0 to 2"),
    "negative": (-1, "labels 0 to 2"),
    "fraction": (1.5, "no whole number"),
    "text": ("good", "no whole number"),
    "truth": (True, "no whole number"),
    "null": (None, "no whole number"),
}


@pytest.mark.parametrize(("label", "expected"), BAD_LABELS.values(), ids=BAD_LABELS.keys())
def test_a_bad_label_is_named(tmp_path: Path, label: object, expected: str) -> None:
    labels = small_dataset()["train"] | {KEY: label}
    message = refused(write_zip(tmp_path / "archive.zip", with_train_labels(labels)))
    assert BAD in message
    assert expected in message


BAD_JSON = {
    "no_json": b"{'run/image.png': 0",
    "empty": b"",
    "list": b"[1, 2]",
    "number": b"3",
    "not_utf_8": b'{"r\xe9/image.png": 0}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("text", BAD_JSON.values(), ids=BAD_JSON.keys())
def test_json_that_is_none_is_named(tmp_path: Path, text: bytes) -> None:
    message = refused(write_zip(tmp_path / "archive.zip", with_train_labels(text)))
    assert "ss304/train/train.json" in message


def test_a_listed_frame_that_is_missing(tmp_path: Path) -> None:
    members = published(small_dataset())
    del members[BAD]
    message = refused(write_zip(tmp_path / "archive.zip", members))
    assert f"{BAD}: ss304/train/train.json lists it, but it is not in the archive" in message


def test_an_unlisted_frame_stays_out_and_is_named(tmp_path: Path) -> None:
    members = published(small_dataset()) | {"ss304/train/other/image-0000.png": frame(99)}
    archive = write_zip(tmp_path / "archive.zip", members)
    ingest(archive, tmp_path, "ours", dataset(), SETTINGS)
    inventory = json.loads((tmp_path / "inventory.json").read_text())
    assert inventory["frames"] == 36
    assert inventory["rejected"] == [{"path": "ss304/train/other/image-0000.png", "reason": "no JSON file lists it"}]
    assert any("other/image-0000.png" in note for note in inventory["notes"])


def test_one_frame_with_two_labels_in_one_file(tmp_path: Path) -> None:
    text = json.dumps(small_dataset()["train"])[:-1] + f', "{KEY}": 1}}'
    message = refused(write_zip(tmp_path / "archive.zip", with_train_labels(text.encode())))
    assert f"{BAD}: ss304/train/train.json lists it twice with different labels" in message


def test_one_frame_listed_twice_with_one_label_counts_once(tmp_path: Path) -> None:
    text = json.dumps(small_dataset()["train"])[:-1] + f', "{KEY}": 0}}'
    ingest(write_zip(tmp_path / "archive.zip", with_train_labels(text.encode())), tmp_path, "ours", dataset(), SETTINGS)
    assert len(pd.read_csv(tmp_path / "manifest.csv")) == 36


def test_one_frame_with_two_labels_in_two_splits(tmp_path: Path) -> None:
    splits = small_dataset()
    splits["test"][KEY] = 2
    message = refused(write_zip(tmp_path / "archive.zip", published(splits)))
    assert f"{BAD}: it is listed as contamination and as good_weld" in message
    assert f"ss304/test/{KEY}" in message


def test_equal_content_with_two_labels_is_noted(tmp_path: Path) -> None:
    members = published(small_dataset())
    members["ss304/train/train-1-run0/image-0000.png"] = members[BAD]
    ingest(write_zip(tmp_path / "archive.zip", members), tmp_path, "ours", dataset(), SETTINGS)
    notes = json.loads((tmp_path / "inventory.json").read_text())["notes"]
    assert any("2 frames have the same content as one with another label" in note for note in notes)


HOSTILE_NAMES = ["../outside.png", "/absolute.png", "ss304/../../outside.png", "C:/outside.png", "..\\outside.png"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_member_that_leaves_the_archive(tmp_path: Path, name: str) -> None:
    message = refused(write_zip(tmp_path / "archive.zip", published(small_dataset()) | {name: frame(1)}))
    assert "outside.png" in message or name in message
    assert "refused" in message


@pytest.mark.parametrize("key", ["../../outside.png", "/etc/passwd", "C:\\frames\\image.png"])
def test_a_label_file_that_points_out_of_its_part(tmp_path: Path, key: str) -> None:
    labels = small_dataset()["train"] | {key: 0}
    message = refused(write_zip(tmp_path / "archive.zip", with_train_labels(labels)))
    assert "leaves the folder of its split" in message


def test_an_encrypted_member(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "archive.zip", {"train/good/a.png": frame(1)})
    data = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    archive.write_bytes(data)
    assert "'train/good/a.png' in it is encrypted" in refused(archive)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.999])
def test_a_truncated_zip(tmp_path: Path, kept: float) -> None:
    archive = write_zip(tmp_path / "archive.zip", published(small_dataset()))
    data = archive.read_bytes()
    archive.write_bytes(data[: int(kept * len(data))])
    assert f"{archive}: this is no complete zip" in refused(archive)


def test_no_archive_at_all(tmp_path: Path) -> None:
    assert "there is no such file" in refused(tmp_path / "archive.zip")


def test_a_flipped_bit_is_found_by_the_crc(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "archive.zip", published(small_dataset()))
    data = bytearray(archive.read_bytes())
    data[data.index(frame(0)) + 60] ^= 1
    archive.write_bytes(data)
    assert "Bad CRC-32" in refused(archive)


def test_a_member_that_unfolds_beyond_all_measure(tmp_path: Path) -> None:
    members = published(small_dataset())
    archive = write_zip(tmp_path / "archive.zip", {name: data for name, data in members.items() if name != BAD})
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as grown, grown.open(BAD, "w") as member:
        for _ in range(MAX_MEMBER_BYTES // 2**24 + 1):
            member.write(bytes(2**24))
    assert archive.stat().st_size < MAX_MEMBER_BYTES / 50
    message = refused(archive)
    assert f"{BAD}: it unfolds to" in message


def test_a_member_that_lies_about_its_size(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "archive.zip", published(small_dataset()), zipfile.ZIP_DEFLATED)
    data = bytearray(archive.read_bytes())
    entry = data.index(b"PK\x01\x02", data.rindex(BAD.encode()) - 60)
    data[entry + 24 : entry + 28] = struct.pack("<I", 10)
    archive.write_bytes(data)
    assert BAD in refused(archive)


def test_members_that_overlap(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "archive.zip", {f"train/good/{number}.png": frame(1) for number in range(5)})
    data = bytearray(archive.read_bytes())
    entry, first = 0, None
    while (entry := data.find(b"PK\x01\x02", entry)) >= 0:
        first = first or data[entry + 42 : entry + 46]
        data[entry + 20 : entry + 24] = struct.pack("<I", len(data) // 2)
        entry += 4
    archive.write_bytes(data)
    with pytest.raises(InputError, match="overlap"):
        Archive(archive)


def test_a_name_twice(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "archive.zip", {"train/good/a.png": frame(1), "train/good/b.png": frame(2)})
    archive.write_bytes(archive.read_bytes().replace(b"train/good/b.png", b"train/good/a.png"))
    assert "'train/good/a.png' is in it twice" in refused(archive)


def test_two_label_files_for_one_part(tmp_path: Path) -> None:
    members = published(small_dataset()) | published(small_dataset(), prefix="copy/ss304/")
    message = refused(write_zip(tmp_path / "archive.zip", members))
    assert "copy/ss304/train/train.json" in message or "copy/ss304/test/test.json" in message


@pytest.mark.parametrize("members", [{}, {"readme.txt": b"hello"}, {"train/train.json": b"{}"}])
def test_no_frames_at_all(tmp_path: Path, members: dict[str, bytes]) -> None:
    assert "there is no frame in it" in refused(write_zip(tmp_path / "archive.zip", members))


def test_only_bad_frames(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "archive.zip", published({"train": {KEY: 0}}) | {BAD: b"no"})
    settings = Ingest(frame_size_px=8, workers=1, on_bad_frame="skip", max_bad_frames=5)
    assert "no frame in it that can be used" in refused(archive, settings)


def test_an_empty_class_is_noted(tmp_path: Path) -> None:
    splits = small_dataset()
    splits["valid"] = {key: label for key, label in splits["valid"].items() if label != 2}
    ingest(write_zip(tmp_path / "archive.zip", published(splits)), tmp_path, "ours", dataset(), SETTINGS)
    inventory = json.loads((tmp_path / "inventory.json").read_text())
    assert inventory["counts"]["valid"] == {"good_weld": 4, "burn_through": 4, "contamination": 0}
    assert "The split valid as published holds no frame of contamination." in inventory["notes"]


def test_skip_leaves_bad_frames_out_and_lists_them(tmp_path: Path) -> None:
    missing = "ss304/train/train-1-run0/image-0000.png"
    members = published(small_dataset()) | {BAD: b""}
    del members[missing]
    archive = write_zip(tmp_path / "archive.zip", members)
    ingest(
        archive, tmp_path, "ours", dataset(), Ingest(frame_size_px=8, workers=1, on_bad_frame="skip", max_bad_frames=2)
    )
    manifest = pd.read_csv(tmp_path / "manifest.csv")
    assert len(manifest) == 34
    assert list(manifest["row"]) == list(range(34))
    rejected = json.loads((tmp_path / "inventory.json").read_text())["rejected"]
    assert [entry["path"] for entry in rejected] == [BAD, missing]


def test_skip_has_a_limit(tmp_path: Path) -> None:
    members = published(small_dataset()) | {BAD: b"", "ss304/valid/valid-0-run0/image-0001.png": b""}
    archive = write_zip(tmp_path / "archive.zip", members)
    message = refused(archive, Ingest(frame_size_px=8, workers=1, on_bad_frame="skip", max_bad_frames=1))
    assert "2 frames cannot be used, of which ingest allows 1" in message


STRANGE_RUNS = ["160707-111307-50mmLens 200A w.s.11.5cm.m + no gas", "naïve Schweißnaht", "焊接 1", "a.b.c", "..run.."]


@pytest.mark.parametrize("run", STRANGE_RUNS)
def test_strange_run_names_are_kept(tmp_path: Path, run: str) -> None:
    splits = small_dataset()
    splits["train"][f"{run}/image-0001.PNG"] = 1
    ingest(write_zip(tmp_path / "archive.zip", published(splits)), tmp_path, "ours", dataset(), SETTINGS)
    manifest = pd.read_csv(tmp_path / "manifest.csv")
    assert list(manifest.loc[manifest["run"] == run, "path"]) == [f"{run}/image-0001.PNG"]


def test_a_packer_that_writes_backslashes(tmp_path: Path) -> None:
    members = {name.replace("/", "\\"): data for name, data in published(small_dataset()).items()}
    ingest(write_zip(tmp_path / "archive.zip", members), tmp_path, "ours", dataset(), SETTINGS)
    assert len(pd.read_csv(tmp_path / "manifest.csv")) == 36


def test_names_in_utf_8_without_the_flag_for_it(tmp_path: Path) -> None:
    run = "Schweißnaht"
    splits = {"train": {f"{run}/image-{number}.png": number % 2 for number in range(4)}}
    archive = write_zip(tmp_path / "archive.zip", published(splits))
    data = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        place = -1
        while (place := data.find(signature, place + 1)) >= 0:
            data[place + offset] &= ~0x08
    archive.write_bytes(data)
    ingest(archive, tmp_path, "ours", dataset(), SETTINGS)
    assert set(pd.read_csv(tmp_path / "manifest.csv")["run"]) == {run}


def test_a_file_system_that_splits_accents(tmp_path: Path) -> None:
    composed, apart = "caf\u00e9", "cafe\u0301"
    members = published({"train": {f"{composed}/{number}.png": number % 2 for number in range(4)}})
    members = {name.replace(composed, apart): data for name, data in members.items()}
    ingest(write_zip(tmp_path / "archive.zip", members), tmp_path, "ours", dataset(), SETTINGS)
    assert set(pd.read_csv(tmp_path / "manifest.csv")["run"]) == {composed}


def test_files_of_the_operating_system_are_ignored(tmp_path: Path) -> None:
    members = published(small_dataset()) | {
        "__MACOSX/ss304/train/._train.json": b"x",
        "ss304/train/train-0-run0/._image-0000.png": b"x",
        "ss304/.DS_Store": b"x",
    }
    ingest(write_zip(tmp_path / "archive.zip", members), tmp_path, "ours", dataset(), SETTINGS)
    inventory = json.loads((tmp_path / "inventory.json").read_text())
    assert (inventory["frames"], inventory["rejected"]) == (36, [])


def test_a_film_in_one_file(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    first, second = (Image.fromarray(picture(seed)) for seed in (1, 2))
    first.save(buffer, "TIFF", save_all=True, append_images=[second])
    members = {f"{label}/{number}.png": frame(number) for label in CLASSES for number in range(3)}
    message = refused(write_zip(tmp_path / "archive.zip", members | {"good_weld/film.tif": buffer.getvalue()}))
    assert "good_weld/film.tif: it holds 2 pictures in one file" in message


def test_levels_of_32_bit(tmp_path: Path) -> None:
    members = {f"{label}/{number}.png": frame(number) for label in CLASSES for number in range(3)}
    deep = encoded(picture(1).astype("int32"), "TIFF")
    message = refused(write_zip(tmp_path / "archive.zip", members | {"good_weld/deep.tif": deep}))
    assert "good_weld/deep.tif: it has 32-bit levels" in message


DAMAGE = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=5)


def damaged(data: bytes, damage: list[tuple[float, int]], length: float) -> bytes:
    changed = bytearray(data[: max(1, int(length * len(data)))])
    for place, value in damage:
        changed[int(place * len(changed))] = value
    return bytes(changed)


@settings(max_examples=80, deadline=None)
@given(DAMAGE, st.floats(0.2, 1) | st.just(1.0))
def test_no_damage_to_an_archive_ends_in_anything_but_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, damage: list[tuple[float, int]], length: float
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    archive = write_zip(folder / "archive.zip", published(small_dataset(1, 1)), zipfile.ZIP_DEFLATED)
    archive.write_bytes(damaged(archive.read_bytes(), damage, length))
    try:
        ingest(archive, folder, "ours", dataset(), SETTINGS)
    except InputError:
        assert [path.name for path in folder.iterdir()] == ["archive.zip"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@settings(max_examples=200, deadline=None)
@given(damage=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=3))
def test_no_damage_to_a_member_ends_in_anything_but_a_bad_frame(
    tmp_path_factory: pytest.TempPathFactory, compression: int, damage: list[tuple[float, int]]
) -> None:
    archive = write_zip(tmp_path_factory.mktemp("damaged") / "archive.zip", {"é.png": frame(1)}, compression)
    data = bytearray(archive.read_bytes())
    length = data.index(b"PK\x01\x02")  # the directory behind the member stays whole
    for place, value in damage:
        data[int(place * length)] = value
    archive.write_bytes(data)
    with Archive(archive) as opened:
        try:
            assert opened.read("é.png") == frame(1)
        except BadFrameError:
            return


PICTURES = {
    "gray": encoded(picture(1)),
    "color": encoded(np.stack([picture(seed) for seed in range(3)], axis=2)),
    "16_bit": encoded(picture(1).astype(np.uint16) * 250),
    "jpeg": encoded(picture(1), "JPEG"),
    "bmp": encoded(picture(1), "BMP"),
    "tiff": encoded(picture(1), "TIFF"),
}


@pytest.mark.filterwarnings("ignore")  # Pillow's, about what it repairs and what is large
@pytest.mark.parametrize("kind", PICTURES)
@settings(max_examples=80, deadline=None)
@given(damage=DAMAGE, length=st.floats(0.2, 1) | st.just(1.0))
def test_no_damage_to_a_picture_ends_in_anything_but_a_bad_frame(
    kind: str, damage: list[tuple[float, int]], length: float
) -> None:
    try:
        gray = decode(damaged(PICTURES[kind], damage, length)).gray
    except BadFrameError:
        return
    assert gray.ndim == 2
