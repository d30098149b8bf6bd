import io

import numpy as np
import pandas as pd
import pytest
from archives import picture
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from weldbench.splitting.leakage import find_leaks, without_leaks
from weldbench.splitting.perceptual_hash import NEAR_BITS, fingerprints, near_pairs

FAR = np.random.default_rng(0).integers(0, 2**63, (60, 4), dtype=np.uint64)


def used_of(*frames: tuple[str, str, str]) -> pd.DataFrame:
    """A table from (split, run, content)."""
    return pd.DataFrame(frames, columns=["split", "run", "content"])


def structured(seed: int) -> np.ndarray:
    """A picture with structure of many sizes, as a camera sees it, uint8, 96x96."""
    noise = Image.fromarray(picture(seed, 96, 96)).filter(ImageFilter.GaussianBlur(1.5))
    levels = np.asarray(noise, dtype=float)
    return ((levels - levels.min()) / np.ptp(levels) * 255).astype(np.uint8)


def test_a_run_in_two_splits() -> None:
    used = used_of(
        ("valid", "a", "1"), ("valid", "a", "2"), ("test", "a", "3"), ("test", "b", "4"), ("train", "c", "5")
    )
    assert find_leaks(used, FAR[:5])["shared_runs"] == {
        "runs": 1,
        "frames": {"valid": 2, "test": 1},
        "listed": [{"run": "a", "frames": {"valid": 2, "test": 1}}],
    }


def test_identical_frames_are_counted_by_pairs_of_runs() -> None:
    used = used_of(
        ("train", "a", "same"),
        ("train", "a", "same"),
        ("train", "b", "same"),
        ("test", "c", "same"),
        ("test", "c", "x"),
    )
    assert find_leaks(used, FAR[:5])["identical_frames"] == {
        "pairs": 3,
        "frames": {"train": 3, "test": 1},
        "listed": [
            {"splits": ["train", "test"], "runs": ["a", "c"], "pairs": 2},
            {"splits": ["train", "test"], "runs": ["b", "c"], "pairs": 1},
        ],
    }


def test_identical_frames_within_one_part_are_no_leak() -> None:
    leaks = find_leaks(used_of(("train", "a", "same"), ("train", "b", "same"), ("test", "c", "x")), FAR[:3])
    assert leaks["identical_frames"]["pairs"] == 0


def test_near_identical_frames_count_between_different_runs_only() -> None:
    used = used_of(("train", "a", "1"), ("test", "b", "2"), ("valid", "a", "3"), ("valid", "c", "1"))
    near = find_leaks(used, np.repeat(FAR[:1], 4, axis=0))["near_identical_frames"]
    # train a - valid a is one run, train a - valid c is identical.
    assert near == {
        "pairs": 3,
        "frames": {"train": 1, "valid": 2, "test": 1},
        "listed": [
            {"splits": ["train", "test"], "runs": ["a", "b"], "pairs": 1},
            {"splits": ["valid", "test"], "runs": ["a", "b"], "pairs": 1},
            {"splits": ["valid", "test"], "runs": ["c", "b"], "pairs": 1},
        ],
    }


def test_nothing_is_shared() -> None:
    used = used_of(("train", "a", "1"), ("valid", "b", "2"), ("test", "c", "3"))
    leaks = find_leaks(used, FAR[:3])
    assert leaks["shared_runs"] == {"runs": 0, "frames": {}, "listed": []}
    for kind in ("identical_frames", "near_identical_frames"):
        assert leaks[kind] == {"pairs": 0, "frames": {}, "listed": []}
    assert without_leaks(used).all()


def test_a_shared_run_leaves_the_lesser_part_whole() -> None:
    used = used_of(
        ("test", "a", "1"), ("valid", "a", "2"), ("train", "a", "3"),
        ("train", "b", "4"), ("valid", "b", "5"), ("valid", "c", "6"),
    )  # fmt: skip
    assert without_leaks(used).tolist() == [True, False, False, True, False, True]


def test_an_identical_frame_leaves_the_lesser_part_alone() -> None:
    used = used_of(("test", "a", "same"), ("valid", "b", "same"), ("valid", "b", "2"), ("train", "c", "same"))
    assert without_leaks(used).tolist() == [True, False, True, False]


SPLITS = st.sampled_from(["train", "valid", "test"])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(SPLITS, st.sampled_from("abcdef"), st.integers(0, 9).map(str)), min_size=1, max_size=25))
def test_after_dropping_nothing_is_shared_and_test_is_whole(frames: list[tuple[str, str, str]]) -> None:
    used = used_of(*frames)
    kept = used[without_leaks(used)]
    leaks = find_leaks(kept, FAR[: len(kept)])
    assert leaks["shared_runs"]["runs"] == leaks["identical_frames"]["pairs"] == 0
    assert (kept["split"] == "test").sum() == (used["split"] == "test").sum()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 99))
def test_near_pairs_are_those_that_differ_in_few_bits(first_count: int, second_count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 2**63, (first_count, 4), dtype=np.uint64)
    second = rng.integers(0, 2**63, (second_count, 4), dtype=np.uint64)
    expected = set()
    for place in range(0, min(first_count, second_count), 7):
        flipped = rng.choice(256, NEAR_BITS + place % 2, replace=False)
        bits = np.unpackbits(first[place].view(np.uint8))
        bits[flipped] ^= 1
        second[place] = np.packbits(bits).view(np.uint64)
        if place % 2 == 0:
            expected.add((place, place))
    pairs = {
        (int(one), int(other))
        for ones, others in near_pairs(first, second)
        for one, other in zip(ones, others, strict=True)
    }
    assert pairs == expected


def jpeg(frame: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=80)
    return np.asarray(Image.open(buffer))


def noisy(frame: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 2, frame.shape).round()
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("copy", [jpeg, noisy, lambda frame: np.clip(frame * 0.9, 0, 255).astype(np.uint8)])
def test_copies_are_near_and_other_pictures_are_not(copy: object) -> None:
    originals = np.stack([structured(seed) for seed in range(8)])
    contents, perceptual = fingerprints(originals)
    copied_contents, copied = fingerprints(np.stack([copy(frame) for frame in originals]))
    assert set(contents).isdisjoint(copied_contents)
    pairs = {
        (int(a), int(b)) for ones, others in near_pairs(perceptual, copied) for a, b in zip(ones, others, strict=True)
    }
    assert pairs == {(place, place) for place in range(8)}


def test_contents_are_equal_for_equal_pixels_only() -> None:
    frame = structured(1)
    other = frame.copy()
    other[5, 5] ^= 1
    contents, _ = fingerprints(np.stack([frame, other, frame]))
    assert contents[0] == contents[2] != contents[1]


def test_the_real_frames_of_different_runs_are_not_near(sample) -> None:
    from weldbench.data.resize import area_mean
    from weldbench.ingest.decode import decode

    paths = sorted(sample.glob("*/*/*.png"))
    frames = np.stack([area_mean(decode(path.read_bytes()).gray, 96) for path in paths])
    runs = np.array([path.parent.name for path in paths])
    _, perceptual = fingerprints(frames)
    _, copied = fingerprints(np.stack([noisy(frame) for frame in frames]))
    found = set()
    for ones, others in near_pairs(perceptual, copied):
        assert (runs[ones] == runs[others]).all()
        found |= {int(one) for one, other in zip(ones, others, strict=True) if one == other}
    assert len(found) == len(paths)
