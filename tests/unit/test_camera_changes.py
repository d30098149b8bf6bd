"""Changes of a frame that another lamp or another camera makes."""

import numpy as np
import pytest

from weldbench.trust.camera_changes import CAMERA_CHANGES, STRENGTHS, CameraChange

CHANGES = {change.name: change for change in CAMERA_CHANGES}
EVERY = [pytest.param(change, id=change.name) for change in CAMERA_CHANGES]


def frame(height: int = 70, width: int = 128) -> np.ndarray:
    down, across = np.mgrid[:height, :width]
    spot = np.hypot(down - 0.5 * height, across - 0.4 * width) < 0.2 * height
    return (20 + 50 * down / height + 40 * across / width + 60 * spot).astype(np.uint8)


@pytest.mark.parametrize("change", EVERY)
def test_a_stronger_change_is_farther_from_the_frame_and_the_same_each_time(change: CameraChange) -> None:
    before = frame(350, 640)
    kept = before.copy()
    away = []
    for size in change.sizes:
        after = change.apply(before, size, 3)
        assert (after.dtype, after.shape) == (np.uint8, before.shape)
        assert np.array_equal(after, change.apply(before, size, 3))
        away.append(np.abs(after.astype(float) - before).sum())
    assert np.array_equal(before, kept)  # a change is a pure function
    assert len(change.sizes) == len(STRENGTHS)
    assert 0 < away[0] < away[1] < away[2]


@pytest.mark.parametrize("change", EVERY)
@pytest.mark.parametrize("shape", [(8, 8), (175, 320), (97, 33)])
def test_every_shape_of_a_frame_is_changed(change: CameraChange, shape: tuple[int, int]) -> None:
    for size in change.sizes:
        assert change.apply(frame(*shape), size, 0).shape == shape


def test_levels_do_not_wrap_around() -> None:
    bright = np.full((20, 20), 250, np.uint8)
    assert (CHANGES["brighter"].apply(bright, 2.0, 0) == 255).all()
    assert CHANGES["noise"].apply(bright, 30, 0).mean() > 220
    assert (CHANGES["darker"].apply(bright, 0.5, 0) == 125).all()


def test_a_shift_moves_the_light_by_the_share_of_the_side() -> None:
    spot = np.zeros((50, 100), np.uint8)
    spot[10, 20] = 200
    moved = CHANGES["shift"].apply(spot, 0.1, 0)
    assert np.argwhere(moved == 200).tolist() == [[15, 30]]


def test_dirt_covers_its_share_and_more_of_it_holds_the_spots_of_less() -> None:
    white = np.full((175, 320), 200, np.uint8)
    little, more = (CHANGES["dirt on the lens"].apply(white, share, 0).astype(float) for share in (0.01, 0.05))
    lost = 1 - little.mean() / 200
    assert 0.7 * 0.01 <= lost < 0.7 * 0.02
    assert (more <= little).all()


def test_a_stamp_is_added_and_removed_in_the_top_left_corner_alone() -> None:
    before = frame(175, 320)
    added = CHANGES["time stamp added"].apply(before, 0.04, 0)
    removed = CHANGES["time stamp removed"].apply(added, 0.12, 0)
    for changed, rows, columns in ((added, 0.1, 0.4), (removed, 0.12, 0.37)):
        rest = changed.copy()
        rest[: int(rows * 175) + 1, : int(columns * 320)] = before[: int(rows * 175) + 1, : int(columns * 320)]
        assert np.array_equal(rest, before)
    assert added.max() > before.max()
    assert np.ptp(removed[:10, :50]) == 0
