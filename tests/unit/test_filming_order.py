import re

from hypothesis import given
from hypothesis import strategies as st

from weldbench.ingest.filming_order import filming_order

NUMBERED = [
    "9.png",
    "010.png",
    "run 2/image-9.png",
    "run 2/image-010.png",
    "run 2/image-11-b2.png",
    "run 2/image-11-b10.png",
    "run 10/image-1.png",
    "run-20240131235959999999.png",
    "run-20240201000000000000.png",
]
UNNUMBERED = ["B.png", "a.png", "ab.png", "ä.png"]


@given(st.permutations(NUMBERED))
def test_numbers_count_as_numbers_wherever_they_stand(names: list[str]) -> None:
    assert sorted(names, key=filming_order) == NUMBERED


@given(st.permutations(UNNUMBERED))
def test_names_without_numbers_sort_as_text(names: list[str]) -> None:
    assert sorted(names, key=filming_order) == UNNUMBERED


@given(st.lists(st.integers(0, 10**20 - 1)), st.from_regex(r"\D*", fullmatch=True), st.data())
def test_frames_of_one_run_sort_by_their_number_however_it_is_padded(
    numbers: list[int], stem: str, data: st.DataObject
) -> None:
    names = [f"{stem}{str(number).zfill(data.draw(st.integers(1, 20)))}.png" for number in numbers]
    found = [int(re.search(r"(\d+)\.png$", name)[1]) for name in sorted(names, key=filming_order)]
    assert found == sorted(numbers)
