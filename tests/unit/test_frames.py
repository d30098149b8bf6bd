import numpy as np
import pandas as pd
import pytest
from blobs import write_blobs
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from weldbench.errors import InputError
from weldbench.frames import area_mean, open_dataset, read_split, resident


def test_area_mean_of_whole_blocks_is_their_mean_rounded_half_up():
    frame = np.array([[[0, 1, 10, 20], [0, 1, 30, 41], [255, 255, 7, 7], [255, 255, 7, 9]]], np.uint8)
    # (0+1+0+1)/4 = 0.5 -> 1; (10+20+30+41)/4 = 25.25 -> 25; 255; 30/4 = 7.5 -> 8
    assert area_mean(frame, 2).tolist() == [[[1, 25], [255, 8]]]


def test_area_mean_splits_the_pixels_on_a_border():
    # From 3 to 2: a new pixel covers one and a half old ones each way; weights 1, 1/2 over 9/4.
    frame = np.array([[[90, 0, 0], [0, 0, 0], [0, 0, 45]]], np.uint8)
    assert area_mean(frame, 2).tolist() == [[[40, 0], [0, 20]]]


@given(arrays(np.uint8, (2, 12, 12)), st.integers(1, 12))
def test_area_mean_keeps_the_mean_and_the_range(frames, size):
    reduced = area_mean(frames, size)
    assert reduced.shape == (2, size, size)
    assert abs(reduced.mean(dtype=float) - frames.mean(dtype=float)) <= 0.5
    assert reduced.min() >= frames.min()
    assert reduced.max() <= frames.max()


@pytest.mark.parametrize("side", [200, 300])
def test_area_mean_is_exact_for_large_white_frames(side):
    assert (area_mean(np.full((1, side, side), 255, np.uint8), 64) == 255).all()


def test_a_part_holds_each_frame_once_and_each_line_in_order(tmp_path):
    split = write_blobs(tmp_path, (6, 3, 3))
    lines = pd.DataFrame({"row": [4, 1, 4, 7], "part": ["train", "train", "train", "valid"], "weight": [2, 1, 0.5, 1]})
    lines.to_csv(split, index=False)
    part = open_dataset(tmp_path).part(read_split(split), "train", 32)
    assert part.rows.tolist() == [1, 4, 4]
    assert part.labels.tolist() == [1, 1, 1]
    assert part.weights.tolist() == [1.0, 2.0, 0.5]
    stored = np.load(tmp_path / "frames.npy")
    np.testing.assert_array_equal(part.frames[part.index], stored[[1, 4, 4]])
    assert len(part.frames) == 2


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
        ("split/fold0/split.csv", lambda path: path.write_text("row,part\n0,train\n"), "column.* weight"),
        ("split/fold0/split.csv", lambda path: path.write_text("row,part,weight\n99,train,1\n"), "row 99, of 12"),
        ("split/fold0/split.csv", lambda path: path.write_text("row,part,weight\n9,test,1\n"), "part train"),
    ],
)
def test_damaged_data_is_an_error_that_says_what_to_do(tmp_path, file, damage, message):
    split = write_blobs(tmp_path, (6, 3, 3))
    damage(tmp_path / file)
    with pytest.raises(InputError, match=message):
        open_dataset(tmp_path).part(read_split(split), "train", 32)


def test_a_label_outside_the_classes_is_an_error(tmp_path):
    split = write_blobs(tmp_path, (6, 3, 3))
    manifest = pd.read_csv(tmp_path / "manifest.csv")
    manifest.loc[2, "label"] = "porosity"
    manifest.to_csv(tmp_path / "manifest.csv", index=False)
    with pytest.raises(InputError, match="porosity"):
        open_dataset(tmp_path).part(read_split(split), "train", 32)
