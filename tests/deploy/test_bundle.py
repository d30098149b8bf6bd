"""An export that is damaged, incomplete or newer is refused in a sentence."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from deploy.tiny_export import PROMISE, TEMPERATURE, save_tiny_export

from weldbench.deploy.bundle import Bundle, load_bundle
from weldbench.errors import InputError


@pytest.fixture
def folder(bundle: Bundle, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle.folder, tmp_path / "export"))


def edit(folder: Path, **changes: object) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_was_saved_is_loaded(bundle: Bundle) -> None:
    assert bundle.classes == ("good_weld", "burn_through", "contamination")
    assert (bundle.good_class, bundle.thresholds) == ("good_weld", {0.01: 0.66, 0.05: 0.5})
    assert (bundle.vote_frames, bundle.frame_size_px, bundle.input_size_px) == (3, 24, 16)
    assert bundle.int8_path is None
    assert bundle.heat_path == bundle.folder / "heat.onnx"
    assert bundle.lineage == {"fold": 0, "seed": 0, "valid_macro_f1": 0.5}


@pytest.mark.parametrize("name", ["model.onnx", "resize.onnx", "heat.onnx"])
@pytest.mark.parametrize("at", [0, 50, -1])
def test_a_damaged_graph_is_named(folder: Path, name: str, at: int) -> None:
    data = bytearray((folder / name).read_bytes())
    data[at] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(InputError, match=f"{name}: this file is damaged"):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["model.onnx", "resize.onnx", "heat.onnx"])
def test_a_missing_graph_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: model.json names this file, and it is missing"):
        load_bundle(folder)


def test_a_newer_format_asks_for_a_newer_weldbench(folder: Path) -> None:
    edit(folder, format=3, classes=None)
    with pytest.raises(InputError, match="format 3, and this weldbench reads up to 2; install a newer weldbench"):
        load_bundle(folder)


def test_an_older_format_asks_for_another_export(folder: Path) -> None:
    edit(folder, format=1, promises=None)
    with pytest.raises(InputError, match=r"older weldbench wrote this export .* reads 2\); export the model again"):
        load_bundle(folder)


def test_temperature_and_promises_are_loaded_as_they_were_saved(tmp_path: Path) -> None:
    saved = save_tiny_export(tmp_path / "tiny", promises=(PROMISE, replace(PROMISE, vote_frames=1, threshold=None)))
    loaded = load_bundle(saved)
    assert loaded.temperature == TEMPERATURE
    assert loaded.promises == (PROMISE, replace(PROMISE, vote_frames=1, threshold=None))


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 0},
        {"format": None},
        {"format": "1"},
        {"classes": []},
        {"classes": ["good_weld"]},
        {"classes": [1, 2]},
        {"classes": "ab"},
        {"good_class": "contamination"},
        {"thresholds": 3},
        {"thresholds": [{"false_rejects": 0.1}]},
        {"vote_frames": "many"},
        {"temperature": 0},
        {"temperature": "warm"},
        {"promises": None},
        {"promises": [{"vote_frames": 3}]},
        {"promises": [PROMISE.described() | {"escape": 22}]},
        {"promises": [PROMISE.described() | {"kind": "new"}]},
        {"vote_frames": 0},
        {"outputs": {}},
        {"outputs": None},
        {"lineage": None},
    ],
)
def test_a_wrong_description_is_refused(folder: Path, changes: dict) -> None:
    edit(folder, **changes)
    with pytest.raises(InputError, match=r"model\.json: this is no description of an export"):
        load_bundle(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", "\x00"])
def test_a_file_that_is_no_description_is_refused(folder: Path, text: str) -> None:
    (folder / "model.json").write_text(text)
    with pytest.raises(InputError, match=r"model\.json"):
        load_bundle(folder)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path, tmp_path / "nothing", tmp_path / "file"):
        with pytest.raises(InputError, match="name a folder that the stage export wrote"):
            load_bundle(place)
