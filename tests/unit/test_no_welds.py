"""Frames without a weld: always the same, each another one, and none like another kind."""

import numpy as np
import pytest

from weldbench.trust.no_welds import KINDS, no_weld


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_is_always_the_same_and_each_number_is_another_one(kind: str) -> None:
    first, again, other = (no_weld(kind, number, 60, 80) for number in (3, 3, 4))
    assert (first.dtype, first.shape) == (np.uint8, (60, 80))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, no_weld(kind, 3, 60, 80, seed=1))


def test_every_kind_shows_what_its_name_says() -> None:
    frames = {kind: np.stack([no_weld(kind, number, 90, 120) for number in range(12)]).astype(float) for kind in KINDS}
    steps = {kind: np.abs(np.diff(some, axis=2)).mean() for kind, some in frames.items()}
    within = {kind: some.std(axis=(1, 2)).mean() for kind, some in frames.items()}
    assert max(steps, key=steps.__getitem__) == "noise"
    assert within["blank"] < 3  # gray levels: the noise of the sensor
    assert frames["covered_lens"].mean() < 60
    # What is out of focus varies over the frame, and hardly from pixel to pixel; a material in focus does both.
    assert steps["far_scene"] < 0.3 * within["far_scene"]
    for material in ("wood", "cloth"):
        assert steps[material] > 2 * steps["far_scene"]
