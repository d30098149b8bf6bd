"""Names of members in the encodings of many countries, as packers without Unicode write them."""

import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from archives import frame, write_zip

from weldbench.errors import InputError
from weldbench.ingest.archive import Archive
from weldbench.ingest.layout import read_layout


def write_raw_zip(path: Path, names: list[bytes], extra: bytes = b"") -> Path:
    """Write a zip whose members have these bytes as names, without the mark of UTF-8."""
    placeholders = [f"{number:03d}".ljust(len(name), "x") for number, name in enumerate(names)]
    with zipfile.ZipFile(path, "w") as archive:
        for number, placeholder in enumerate(placeholders):
            info = zipfile.ZipInfo(placeholder)
            info.extra = extra
            archive.writestr(info, frame(number))
    data = path.read_bytes()
    for name, placeholder in zip(names, placeholders, strict=True):
        data = data.replace(placeholder.encode(), name)
    path.write_bytes(data)
    return path


CLASSES = {
    "cp932": ["表面欠陥", "表層剥離", "溶接割れ"],
    "gb18030": ["焊接缺陷", "未熔合", "裂纹"],
    "big5": ["焊接缺陷", "裂縫"],
    "cp949": ["용접결함", "기공"],
    "cp1251": ["прожог", "непровар"],
    "cp866": ["прожог", "непровар"],
}


@pytest.mark.parametrize("encoding", CLASSES)
def test_names_in_the_encoding_of_a_country(tmp_path: Path, encoding: str) -> None:
    classes = ["good", *CLASSES[encoding]]
    names = [f"{name}/r{number}/0.png".encode(encoding) for name in classes for number in range(2)]
    with Archive(write_raw_zip(tmp_path / "a.zip", names)) as archive:
        layout = read_layout(archive, None, None)
    assert sorted(layout.classes) == sorted(classes)
    assert len(layout.frames) == 2 * len(classes)
    assert f"not in UTF-8 and were read as {encoding}" in layout.notes[-1]


@pytest.mark.parametrize("encoding", ["cp1252", "cp1250", "cp850", "cp437"])
def test_western_names_keep_their_classes_apart_and_the_setting_reads_them_right(tmp_path: Path, encoding: str) -> None:
    classes = ["good", "Öffnung", "Überhöhung", "Größe"]
    archive = write_raw_zip(tmp_path / "a.zip", [f"{name}/0.png".encode(encoding) for name in classes])
    with Archive(archive) as guessed:
        layout = read_layout(guessed, None, None)
        assert len(layout.classes) == len(classes)
        assert "name their encoding as name_encoding" in layout.notes[-1]
    with Archive(archive, encoding=encoding) as named:
        layout = read_layout(named, None, None)
        assert sorted(layout.classes) == sorted(classes)
        assert not any("UTF-8" in note for note in layout.notes)


def test_names_in_no_encoding_are_refused_and_the_setting_helps(tmp_path: Path) -> None:
    archive = write_raw_zip(tmp_path / "a.zip", [b"good/\xff\xfe\x81.png", b"bad/\x81\xff\xa0.png"])
    with pytest.raises(InputError, match=r"an encoding other than UTF-8\. Name it as `name_encoding`"):
        Archive(archive)
    with pytest.raises(InputError, match="an encoding other than UTF-8"):
        Archive(archive, encoding="ascii")
    with Archive(archive, encoding="latin-1") as opened:
        assert len(opened.names) == 2


def test_the_unicode_name_beside_the_plain_one(tmp_path: Path) -> None:
    plain, name = b"good/Schwei_naht.png", "good/Schweißnaht.png"
    field = b"\1" + struct.pack("<I", zlib.crc32(plain)) + name.encode()
    extra = struct.pack("<HH", 0x7075, len(field)) + field
    with Archive(write_raw_zip(tmp_path / "a.zip", [plain], extra)) as archive:
        assert archive.names == [name]
    with Archive(write_raw_zip(tmp_path / "b.zip", [b"good/renamed___.png"], extra)) as archive:
        assert archive.names == ["good/renamed___.png"]


def test_a_backslash_separates_only_where_there_is_no_slash(tmp_path: Path) -> None:
    with Archive(write_zip(tmp_path / "a.zip", {"good\\a.png": b"", "bad\\b.png": b""})) as archive:
        assert archive.names == ["bad/b.png", "good/a.png"]
    with Archive(write_zip(tmp_path / "b.zip", {"good/a\\1.png": b"", "bad/b.png": b""})) as archive:
        assert archive.names == ["bad/b.png", "good/a\\1.png"]
