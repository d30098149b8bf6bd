"""The simulated welds: reproducible bytes, the promised layout, frames that are films, defects that show."""

import dataclasses
import io
import json
import zipfile
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from weldbench.config.data import SimulatedDataset
from weldbench.data.run_name import process_facts
from weldbench.weldsim import CLASSES, render_batch
from weldbench.weldsim.archive import frames_of, labels_of, runs_of, write_archive
from weldbench.weldsim.domain import BENCHES, PLANT, WIDE, process_of
from weldbench.weldsim.draw import scene_of
from weldbench.weldsim.film import at
from weldbench.weldsim.optics import relief, view
from weldbench.weldsim.render import render
from weldbench.weldsim.scene import Camera

DEFAULT = SimulatedDataset(source="simulated")
SMALL = SimulatedDataset(
    source="simulated", width_px=40, height_px=22, train_frames=40, valid_frames=24, test_frames=160, imbalance=22
)
LEAK = CLASSES.index("lack_of_shielding_gas")


def scene(label=0, seed=0, **sensor):
    rng = np.random.default_rng([seed, label])
    drawn = scene_of(label, process_of(label, rng), WIDE, rng)
    return dataclasses.replace(drawn, sensor=dataclasses.replace(drawn.sensor, stamp=0, **sensor))


@given(seed=st.integers(0, 2**32), count=st.integers(1, 9), width=st.integers(8, 70), height=st.integers(8, 70))
@settings(max_examples=8, deadline=None)
def test_a_batch_follows_from_its_seed_at_any_size(seed, count, width, height):
    frames, labels = render_batch(seed, count, width, height)
    again, same_labels = render_batch(seed, count, width, height)
    assert frames.shape == (count, height, width)
    assert frames.dtype == np.uint8
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(frames, again)
    np.testing.assert_array_equal(labels, same_labels)


def test_classes_come_in_equal_shares_and_other_seeds_give_other_frames():
    frames, labels = render_batch((3, 1), 24, 32)
    assert Counter(labels.tolist()) == dict.fromkeys(range(6), 4)
    others, _ = render_batch((3, 2), 24, 32)
    assert (frames != others).any(axis=(1, 2)).all()


def test_a_frame_does_not_depend_on_its_neighbours_in_the_batch():
    scenes = [scene(5, seed) for seed in range(4)]
    np.testing.assert_array_equal(render(scenes, 64, 35)[2], render(scenes[2:3], 64, 35)[0])


def test_a_frame_drawn_in_stripes_has_no_seams(monkeypatch):
    whole = render([scene(1)], 64, 35)
    monkeypatch.setattr("weldbench.weldsim.render._POINTS", 64 * 5)
    np.testing.assert_array_equal(render([scene(1)], 64, 35), whole)


def test_another_size_shows_the_same_field():
    quiet = scene(0, noise=0.0, row_pattern=0.0)
    large = render([quiet], 320, 176)[0].astype(float)
    small = render([quiet], 80, 44)[0].astype(float)
    reduced = large.reshape(44, 4, 80, 4).mean((1, 3))
    assert np.corrcoef(reduced.ravel(), small.ravel())[0, 1] > 0.95


def test_too_small_a_frame_is_refused():
    with pytest.raises(ValueError, match="too small"):
        render([scene()], 7, 40)


def test_pretraining_has_seen_neither_the_camera_nor_the_material_of_the_plant():
    for bench in BENCHES:
        for name in ("foreshortening", "toe"):
            (low, high), (widest_low, widest_high) = getattr(PLANT, name), getattr(bench, name)
            assert high < widest_low or low > widest_high, name
        assert not set(PLANT.materials) & set(bench.materials)
    for name in ("weld_u", "weld_v", "scale_per_mm", "tilt_rad", "exposure", "albedo"):
        (low, high), (widest_low, widest_high) = getattr(PLANT, name), getattr(WIDE, name)
        assert high - low < widest_high - widest_low, name


@pytest.mark.parametrize("label", range(6))
def test_everything_is_computed_in_single_precision(label, monkeypatch):
    shaded = []
    monkeypatch.setattr(
        "weldbench.weldsim.optics.expose", lambda radiance, seen, sensor: shaded.append(radiance) or radiance
    )
    render([at(scene(label, seed), 1.2, 2.5) for seed in range(3)], 40, 22)
    assert {radiance.dtype for radiance in shaded} == {np.dtype(np.float32)}


def test_a_window_holds_all_points_of_its_square():
    for seed in range(6):
        camera = scene(0, seed).camera
        u = np.linspace(-1, 1, 60, dtype=np.float32)[None, :]
        v = np.linspace(-0.547, 0.547, 33, dtype=np.float32)[:, None]
        seen = view(camera, u, v, 2 / 59, 1.094 / 32)
        inside = (np.abs(seen.x_mm - 2) < 1.5) & (np.abs(seen.y_mm - 1) < 1.5)
        outside = inside.copy()
        outside[seen.window(2, 1, 1.5, 1.5)] = False
        assert inside.any()
        assert not outside.any()


@pytest.mark.parametrize("label", range(1, 6))
def test_a_defect_changes_the_weld_around_the_arc(label):
    changed = 0.0
    for seed in range(4):
        bad = scene(label, seed, noise=0.0)
        good = dataclasses.replace(bad, label=0)
        difference = np.abs(render([bad], 96, 52).astype(int) - render([good], 96, 52))
        changed += (difference > 4).mean() / 4
    assert changed > 0.01


def test_the_camera_maps_the_weld_to_the_origin_and_a_millimetre_to_its_scale():
    camera = Camera(0.25, 0.1, 0.1, 0.0, 0.5, 0.0, -1.0)
    u = np.array([0.25, 0.45], np.float32)[None, :]
    v = np.array([0.1, 0.2], np.float32)[:, None]
    seen = view(camera, u, v, 0.01, 0.01)
    np.testing.assert_allclose(seen.x_mm, [[0, -2], [0, -2]], atol=1e-5)  # mirrored: right is against the bead
    np.testing.assert_allclose(seen.y_mm, [[0, 0], [2, 2]], atol=1e-5)  # 0.1 / 0.1 / 0.5


def test_relief_is_the_rise_along_the_ray_from_the_arc():
    step = np.float32(0.01)
    u, v = (np.arange(n, dtype=np.float32) * step for n in (30, 20))
    seen = view(Camera(0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0), u[None, :], v[:, None], step, step)
    plane = 3 * seen.x_mm - 2 * seen.y_mm
    # For a plane X dh/dX + Y dh/dY is the height itself.
    np.testing.assert_allclose(relief(plane, seen)[1:-1, 1:-1], plane[1:-1, 1:-1], atol=1e-4)


def test_frames_of_a_run_form_a_film():
    start = scene(2, noise=0.0, row_pattern=0.0)
    film = render([at(start, seconds, 2.5) for seconds in (0.0, 0.04, 20.0)], 96, 52).astype(float)
    soon, late = (np.abs(film[0] - film[i]).mean() for i in (1, 2))
    assert 0 < soon < late
    other = render([scene(2, 1, noise=0.0, row_pattern=0.0)], 96, 52).astype(float)
    assert late < np.abs(film[0] - other[0]).mean()


def test_a_stamped_frame_differs_in_the_top_left_corner_alone():
    plain = scene()
    stamped = dataclasses.replace(plain, sensor=dataclasses.replace(plain.sensor, stamp=54_321_000))
    where = np.argwhere(render([plain], 320, 175)[0] != render([stamped], 320, 175)[0])
    assert len(where) > 50
    assert (where.max(0) < (20, 100)).all()


def test_the_default_layout_keeps_its_promises():
    labels = labels_of(DEFAULT)
    counts = {split: Counter(of_split.values()) for split, of_split in labels.items()}
    assert {split: sum(c.values()) for split, c in counts.items()} == {"train": 1200, "valid": 480, "test": 1100}
    assert counts["test"][0] == 75 * counts["test"][LEAK]
    assert counts["test"][LEAK] >= 8
    assert all(set(c) == set(range(6)) for c in counts.values())
    runs = runs_of(DEFAULT)
    assert len(runs) >= 24
    assert len({run.name for run in runs}) == len(runs)
    leaks = [run for run in runs if len(run.splits) > 1]
    assert [(run.splits, set(run.labels)) for run in leaks] == [(("valid", "test"), {LEAK})]
    without_gas = Counter(split for run in runs if LEAK in run.labels for split in run.splits)
    assert without_gas == {"train": 5, "valid": 3, "test": 3}
    assert any(len(set(run.labels)) > 1 for run in runs)


def test_run_names_carry_the_process_facts():
    for run in runs_of(DEFAULT):
        facts = process_facts(run.name)
        assert facts["current_a"] == run.process.current_a
        assert facts["travel_speed_cm_per_min"] == run.process.travel_speed_cm_min
        assert "recorded" in facts


@given(train=st.integers(1, 300), valid=st.integers(1, 300), test=st.integers(1, 300), imbalance=st.floats(1, 100))
@settings(max_examples=25, deadline=None)
def test_a_layout_of_any_size_has_the_frames_that_were_asked_for(train, valid, test, imbalance):
    dataset = SMALL.model_copy(
        update={"train_frames": train, "valid_frames": valid, "test_frames": test, "imbalance": imbalance}
    )
    assert [len(labels) for labels in labels_of(dataset).values()] == [train, valid, test]


def test_the_archive_is_the_same_byte_for_byte_and_reads_as_published(tmp_path):
    write_archive(SMALL, tmp_path / "one.zip", workers=1)
    write_archive(SMALL, tmp_path / "two.zip", workers=2)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        for path, frame in frames_of(SMALL):
            np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(archive.read(path)))), frame)
        for split, labels in labels_of(SMALL).items():
            assert json.loads(archive.read(f"{split}/{split}.json")) == labels
            assert {f"{split}/{path}" for path in labels} <= set(archive.namelist())
        leaked = next(run for run in runs_of(SMALL) if len(run.splits) > 1).name
        twins = [archive.read(f"{split}/{leaked}/image-0001.png") for split in ("valid", "test")]
        assert twins[0] == twins[1]


def test_rendering_shows_its_progress(tmp_path, capsys):
    write_archive(SMALL, tmp_path / "archive.zip", workers=1)
    # 40 of train, 24 of valid and 160 of test.
    assert "render: 224/224 frames, " in capsys.readouterr().err
