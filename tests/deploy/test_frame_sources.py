"""Frames come from pictures, folders, zips, videos and lists; a bad one never stops the rest."""

import io
import tracemalloc
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from weldbench.data.resize import area_mean
from weldbench.deploy.sources import camera_frame, count_frames, frames_of
from weldbench.errors import InputError


def write_video(path: Path, frames: NDArray[np.uint8], codec: str = "ffv1", pixels: str = "gray") -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = frames.shape[1:]
        stream.pix_fmt = pixels
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="gray").reformat(format=pixels)))
        container.mux(stream.encode())


@pytest.fixture
def folder(tmp_path: Path, frames: NDArray[np.uint8]) -> Path:
    """Two films, the second with a bad frame; names whose order by letters would be another one."""
    for film, numbers in {"b": (0, 1, 2), "a": (3, 4)}.items():
        (tmp_path / "frames" / film).mkdir(parents=True)
        for place, number in enumerate(numbers):
            name = f"image-{[9, 10, 100][place]}.png"
            Image.fromarray(frames[number]).save(tmp_path / "frames" / film / name)
    (tmp_path / "frames/b/image-11.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    (tmp_path / "frames/b/notes.txt").write_text("x")
    (tmp_path / "frames/.DS_Store").write_bytes(b"x")
    return tmp_path / "frames"


def test_a_folder_is_gone_through_film_by_film_in_filming_order(folder: Path, frames: NDArray[np.uint8]) -> None:
    found = list(frames_of([str(folder)]))
    assert [(Path(frame.source).name, frame.frame) for frame in found] == [
        ("a", "image-9.png"),
        ("a", "image-10.png"),
        ("b", "image-9.png"),
        ("b", "image-10.png"),
        ("b", "image-11.png"),
        ("b", "image-100.png"),
    ]
    for frame, number in zip(found, (3, 4, 0, 1, None, 2), strict=True):
        if number is None:
            assert frame.gray is None
            assert "damaged" in frame.problem
        else:
            np.testing.assert_array_equal(frame.gray, frames[number])
            assert (frame.problem, frame.seconds) == ("", None)
    assert count_frames([str(folder)]) == 6


def test_what_is_not_read_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    list(frames_of([str(folder)]))
    assert "1 file stayed out, as such kinds are not read: notes.txt" in capsys.readouterr().err


def test_a_zip_holds_the_same_films(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*"):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    for here, zipped in zip(frames_of([str(folder)]), frames_of([str(path)]), strict=True):
        assert zipped.source == f"{path}/{Path(here.source).name}"
        assert (zipped.frame, bool(zipped.problem)) == (here.frame, bool(here.problem))
        np.testing.assert_array_equal(zipped.gray, here.gray)
    assert count_frames([str(path)]) == 6


@pytest.mark.parametrize("suffix", [".mkv", ".avi"])
def test_a_video_gives_its_frames_with_their_seconds(tmp_path: Path, frames: NDArray[np.uint8], suffix: str) -> None:
    path = tmp_path / f"film{suffix}"
    write_video(path, frames)
    found = list(frames_of([str(path)]))
    np.testing.assert_array_equal([frame.gray for frame in found], frames)
    assert [frame.frame for frame in found] == [str(number) for number in range(7)]
    np.testing.assert_allclose([frame.seconds for frame in found], np.arange(7) / 25, atol=1e-3)
    assert count_frames([str(path)]) is None


def test_a_video_in_limited_range_gives_the_whole_range(tmp_path: Path) -> None:
    flat = np.stack([np.full((32, 48), level, np.uint8) for level in (0, 128, 255)])
    path = tmp_path / "film.mp4"
    write_video(path, flat, "mpeg4", "yuv420p")
    found = [float(frame.gray.mean()) for frame in frames_of([str(path)])]
    np.testing.assert_allclose(found, [0, 128, 255], atol=3)


def test_a_cut_video_gives_what_is_left_and_says_so(tmp_path: Path, frames: NDArray[np.uint8]) -> None:
    path = tmp_path / "film.mkv"
    write_video(path, frames)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    found = list(frames_of([str(path)]))
    whole = [frame for frame in found if not frame.problem]
    assert 0 < len(whole) < 7
    np.testing.assert_array_equal(whole[0].gray, frames[0])
    path.write_bytes(b"no video at all")
    (bad,) = frames_of([str(path)])
    assert "the video cannot be read" in bad.problem


def test_a_list_goes_on_behind_lines_that_name_nothing(folder: Path, frames: NDArray[np.uint8]) -> None:
    listed = io.StringIO(f"{folder}/a/image-9.png\n\n{folder}/nothing.png\n{folder}/empty\n{folder}/b/image-10.png\r\n")
    (folder / "empty").mkdir()
    found = list(frames_of(["-"], listed))
    assert [frame.frame for frame in found] == ["image-9.png", "nothing.png", "image-10.png"]
    assert "No such file" in found[1].problem
    np.testing.assert_array_equal(found[2].gray, frames[1])
    assert count_frames(["-"]) is None


def test_a_source_that_is_of_no_use_is_told_before_the_first_frame(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w") as archive:
        archive.writestr("a.txt", "x")
    for name in ("empty", "empty.zip", "nothing"):
        with pytest.raises(InputError, match=name):
            count_frames([str(tmp_path / name)])


def test_16_bit_and_very_large_frames_are_scaled_as_ingest_does(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (30, 40)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "deep.tif", deep)
    (frame,) = frames_of([str(tmp_path / "deep.tif")])
    np.testing.assert_array_equal(camera_frame(frame.gray, 24), area_mean(deep, 24))
    wide = np.random.default_rng(0).integers(0, 256, (2, 4097)).astype(np.uint8)
    np.testing.assert_array_equal(camera_frame(wide, 24), area_mean(wide, 24))
    assert camera_frame(wide[:, :4096], 24).shape == (2, 4096)


def test_memory_does_not_grow_with_the_number_of_frames(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (60, 200, 300)).astype(np.uint8)
    write_video(tmp_path / "film.mkv", frames)
    sources = frames_of([str(tmp_path / "film.mkv")])
    next(sources)
    tracemalloc.start()
    for _ in sources:
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5 * frames[0].nbytes
