import json

import numpy as np
import pandas as pd
import pytest
from blobs import write_blobs

from weldbench.data.dataset import open_dataset, read_split, resident
from weldbench.errors import InputError


def test_a_part_holds_each_frame_once_and_each_line_in_order(tmp_path):
    write_blobs(tmp_path, (6, 3, 3))
    lines = pd.DataFrame({"row": [4, 1, 4, 7], "split": ["train", "train", "train", "valid"], "weight": [2, 1, 0.5, 1]})
    split = open_dataset(tmp_path).load_split(lines, "train", 32)
    assert split.rows.tolist() == [1, 4, 4]
    assert split.labels.tolist() == [1, 1, 1]
    assert split.weights.tolist() == [1.0, 2.0, 0.5]
    stored = np.load(tmp_path / "frames.npy")
    np.testing.assert_array_equal(split.frames[split.index], stored[[1, 4, 4]])
    assert len(split.frames) == 2


def test_an_input_size_above_the_stored_one_names_both_settings(tmp_path):
    with pytest.raises(InputError, match=r"input_size_px is 64.*stored at 32.*ingest\.frame_size_px"):
        resident(np.zeros((1, 32, 32), np.uint8), [0], 64)


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        ("frames.npy", lambda path: path.unlink(), "there is no such file; ingest"),
        ("frames.npy", lambda path: path.write_bytes(b"nothing"), "damaged"),
        ("frames.npy", lambda path: np.save(path, np.zeros((3, 32, 32), np.uint8)), "manifest.csv has 12 lines"),
        ("inventory.json", lambda path: path.write_text("{}"), "damaged"),
        ("split/fold0/split.csv", lambda path: path.unlink(), "split the dataset first"),
        ("split/fold0/split.csv", lambda path: path.write_text("row\n0\n"), "columns split are missing"),
        (
            "split/fold0/split.csv",
            lambda path: path.write_text("row,split,weight\n0,train,1\n"),
            "older version of weldbench.*each model chooses from all; split again",
        ),
        (
            "split/fold0/split.csv",
            lambda path: path.write_text("row,part,weight\n0,train,1\n"),
            "older version of weldbench.*`part` is now `split`; split again",
        ),
        (
            "manifest.csv",
            lambda path: path.write_text(path.read_text().replace("published_split", "published_part")),
            "older version of weldbench.*`published_part` is now `published_split`; ingest again",
        ),
        ("split/fold0/split.csv", lambda path: path.write_text("row,split\n99,train\n"), "row 99, of 12"),
        ("split/fold0/split.csv", lambda path: path.write_text("row,split\n9,test\n"), "split train"),
        (
            "split/fold0/split.csv",
            lambda path: path.write_text("row,split\n1,train\n2,train\n1,test\n"),
            "row 1 is there twice",
        ),
    ],
)
def test_damaged_data_is_an_error_that_says_what_to_do(tmp_path, file, damage, message):
    split = write_blobs(tmp_path, (6, 3, 3))
    damage(tmp_path / file)
    with pytest.raises(InputError, match=message):
        open_dataset(tmp_path).load_split(read_split(split), "train", 32)


def test_a_label_outside_the_classes_is_an_error(tmp_path):
    split = write_blobs(tmp_path, (6, 3, 3))
    manifest = pd.read_csv(tmp_path / "manifest.csv")
    manifest.loc[2, "label"] = "porosity"
    manifest.to_csv(tmp_path / "manifest.csv", index=False)
    with pytest.raises(InputError, match="porosity"):
        open_dataset(tmp_path).load_split(read_split(split), "train", 32)


def test_names_are_read_as_they_stand(tmp_path):
    split = write_blobs(tmp_path, (6, 3, 3))
    manifest = pd.read_csv(tmp_path / "manifest.csv")
    manifest["label"] = manifest["label"].replace("contamination", "None")
    manifest.assign(run="007").to_csv(tmp_path / "manifest.csv", index=False)
    classes = ["good_weld", "burn_through", "None"]
    (tmp_path / "inventory.json").write_text(json.dumps({"classes": classes}), encoding="utf-8")
    dataset = open_dataset(tmp_path)
    assert dataset.load_split(read_split(split), "train", 32).labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert set(dataset.manifest["run"]) == {"007"}
