"""What counts as the same answer, and what 8 bits may cost, on hand-made numbers."""

import numpy as np
import pytest

from weldbench.deploy.parity import agreement, cost_of_int8, refuse_disagreement
from weldbench.errors import InputError


def test_agreement_counts_classes_and_finds_the_worst_frames() -> None:
    theirs = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]])
    ours = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.5, 0.5]])
    found = agreement(theirs, ours)
    assert (found.frames, found.same_class_share) == (4, 0.5)
    assert found.largest_difference == pytest.approx(0.3)
    assert found.worst.tolist()[:2] == [2, 1]
    with pytest.raises(InputError, match=r"50\.00% of 4 test frames .* worst: c, b"):
        refuse_disagreement("net", found, list("abcd"))


@pytest.mark.parametrize(("difference", "enough"), [(0.0009, True), (0.0011, False)])
def test_a_probability_may_differ_by_a_thousandth(difference: float, enough: bool) -> None:
    theirs = np.array([[0.7, 0.3]] * 10)
    ours = np.add(theirs, [difference, -difference])
    assert agreement(theirs, ours).is_enough is enough


@pytest.mark.parametrize(("changed", "enough"), [(1, True), (2, False)])
def test_one_frame_of_a_thousand_may_be_of_another_class(changed: int, enough: bool) -> None:
    theirs = np.array([[0.5001, 0.4999]] * 1000)
    ours = theirs.copy()
    ours[:changed] = ours[:changed, ::-1]
    assert agreement(theirs, ours).is_enough is enough


@pytest.mark.parametrize(
    ("defects", "more", "enough"),
    [(100, 2, True), (100, 3, False), (1000, 5, True), (1000, 6, False)],
)
def test_8_bits_may_let_half_a_point_or_two_frames_more_pass(defects: int, more: int, enough: bool) -> None:
    labels = np.array([0] * 50 + [1] * defects)
    fp32 = np.array([[0.9, 0.1]] * 50 + [[0.45, 0.55]] * defects)
    int8 = fp32.copy()
    int8[50 : 50 + more] = [0.48, 0.52]
    cost = cost_of_int8(labels, fp32, int8, {0.01: 0.53})
    assert cost.escapes == {0.01: (0, more)}
    assert cost.macro_f1 == (1.0, 1.0)
    assert (cost.problems == []) is enough


def test_8_bits_may_lose_a_point_of_macro_f1() -> None:
    labels = np.repeat([0, 1], 100)
    right = np.eye(2)[labels]
    for wrong, enough in ((1, True), (3, False)):
        said = right.copy()
        said[:wrong] = said[:wrong, ::-1]
        cost = cost_of_int8(labels, right, said, {})
        assert (cost.problems == []) is enough
    assert "macro F1 falls from 1.0000 to 0.98" in cost.problems[0]
