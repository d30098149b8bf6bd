import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weldbench.splitting.sufficiency import can_choose

FRAMES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), max_size=25)


def reasons(train: list[int], valid: list[tuple[int, object]], class_count: int) -> list[str]:
    labels = np.array([label for label, _ in valid], dtype=np.int64)
    runs = np.array([run for _, run in valid])
    return can_choose(np.array(train, dtype=np.int64), labels, runs, class_count)


@pytest.mark.parametrize(
    ("valid", "expected"),
    [
        ([(0, "a"), (0, "b"), (1, "c"), (1, "d"), (2, "e")], []),
        ([(0, "a"), (0, "b"), (1, "c"), (2, "e")], ["valid has 2 runs or more of only 1 of the 3 classes"]),
        ([(0, "a"), (0, "b"), (1, "c"), (1, "d")], ["valid holds no frame of 1 of the 3 classes of train"]),
        ([(0, "a"), (0, "a"), (1, "b"), (1, "b"), (2, "c")], ["valid has 2 runs or more of no class"]),
        ([], ["valid holds no frame of 3 of the 3 classes of train", "valid has 2 runs or more of no class"]),
        # Two films in which every class is seen are two runs of each class.
        ([(label, film) for label in range(3) for film in (7, 8)], []),
    ],
)
def test_valid_chooses_if_it_has_every_class_and_two_runs_of_most(valid, expected) -> None:
    assert reasons([0, 1, 2, 2], valid, 3) == expected


def test_two_runs_of_half_of_the_classes_are_not_most() -> None:
    valid = [(0, "a"), (0, "b"), (1, "c")]
    assert reasons([0, 1], valid, 2) == ["valid has 2 runs or more of only 1 of the 2 classes"]


def test_a_class_that_train_lacks_may_be_absent_from_valid() -> None:
    assert reasons([0, 1], [(0, "a"), (0, "b"), (1, "c"), (1, "d")], 3) == []


@given(train=st.lists(st.integers(0, 3), max_size=9), valid=FRAMES)
def test_it_counts_runs_and_classes_not_frames_or_order(train: list[int], valid: list[tuple[int, int]]) -> None:
    told = reasons(train, valid, 4)
    assert reasons(train * 2, valid[::-1] + valid, 4) == told
    missing = set(train) - {label for label, _ in valid}
    with_two = sum(len({run for of, run in valid if of == label}) >= 2 for label in range(4))
    assert (not told) == (not missing and with_two > 2)


@given(train=st.lists(st.integers(0, 3), max_size=9), valid=FRAMES)
def test_one_more_run_of_every_class_never_hurts(train: list[int], valid: list[tuple[int, int]]) -> None:
    more = [*valid, *((label, 100 + label) for label in range(4))]
    assert len(reasons(train, more, 4)) <= len(reasons(train, valid, 4))
    assert reasons(train, [*more, *((label, 200 + label) for label in range(4))], 4) == []
