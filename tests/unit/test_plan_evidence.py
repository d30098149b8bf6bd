"""How many defective welds a promise takes: against known tables, the beta distribution, and by hand."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from made_up_predictions import World
from scipy.stats import beta, binom

from weldbench.cli import main
from weldbench.errors import InputError
from weldbench.trust.evidence import exact_interval, fewest_runs, for_one_of, lowest_promise, plan
from weldbench.trust.recorded import recorded_welds

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("escape", "confidence", "runs"),
    [
        (0.05, 0.95, [59, 93, 124, 153, 181]),
        (0.10, 0.90, [22, 38, 52]),
        (0.10, 0.95, [29, 46, 61]),
        (0.01, 0.95, [299, 473]),
        (0.5, 0.5, [1, 3, 5]),  # by hand: 1/2; (3 + 1) / 8; (1 + 5 + 10) / 32
    ],
)
def test_the_known_sample_sizes_by_the_number_of_escapes(escape: float, confidence: float, runs: list[int]) -> None:
    assert [fewest_runs(escape, confidence, escapes) for escapes in range(len(runs))] == runs


@given(st.floats(0.005, 0.6), st.floats(0.5, 0.999), st.integers(0, 12))
def test_the_upper_bound_of_clopper_and_pearson_first_falls_to_the_promise_there(
    escape: float, confidence: float, escapes: int
) -> None:
    runs = fewest_runs(escape, confidence, escapes)
    assert runs > escapes
    assert beta.ppf(confidence, escapes + 1, runs - escapes) <= escape * (1 + 1e-6)
    if runs - 1 > escapes:
        assert beta.ppf(confidence, escapes + 1, runs - 1 - escapes) > escape * (1 - 1e-6)


def test_a_plan_with_escapes_by_hand() -> None:
    # 59 welds without an escape: 0.99**59 = 0.55. 93 with one: 0.99**93 + 93 * 0.01 * 0.99**92 = 0.76. 124 with two:
    by_hand = 0.99**124 + 124 * 0.01 * 0.99**123 + 124 * 123 / 2 * 0.01**2 * 0.99**122
    found = plan(escape=0.05, confidence=0.95, expected=0.01)
    assert (found.runs, found.escapes) == (124, 2)
    assert found.power == pytest.approx(by_hand)
    assert found.power == pytest.approx(0.8716, abs=1e-4)


def test_who_expects_no_escape_needs_no_more_than_without_one() -> None:
    assert plan(0.05, 0.95, 0.0).runs == 59
    assert plan(0.05, 0.95, 0.0).power == 1.0


@given(st.floats(0.02, 0.5), st.floats(0.5, 0.99), st.floats(0, 0.9))
def test_a_plan_is_the_first_that_holds_with_the_wanted_probability(
    escape: float, confidence: float, part: float
) -> None:
    expected = escape * part
    found = plan(escape, confidence, expected)
    assert found.runs == fewest_runs(escape, confidence, found.escapes)
    assert found.power >= 0.8
    assume(found.escapes)
    assert binom.cdf(found.escapes - 1, fewest_runs(escape, confidence, found.escapes - 1), expected) < 0.8


@pytest.mark.parametrize("expected", [0.05, 0.2])
def test_more_expected_than_promised_is_refused(expected: float) -> None:
    with pytest.raises(InputError, match="cannot prove that at most 5 % do"):
        plan(0.05, 0.95, expected)


def test_what_takes_too_many_welds_is_refused_with_a_number() -> None:
    with pytest.raises(InputError, match=r"so close that more than \d{3},\d{3} defective welds would be needed"):
        plan(0.05, 0.95, 0.0499)
    with pytest.raises(InputError, match="takes more than 16,777,216 defective welds"):
        fewest_runs(1e-9, 0.95)


def test_the_lowest_promise_is_that_of_the_runs_there_are() -> None:
    assert lowest_promise(12, 0.95) == pytest.approx(0.2209, abs=1e-4)  # 1 - 0.05**(1/12)
    assert lowest_promise(59, 0.95) < 0.05 < lowest_promise(58, 0.95)
    assert lowest_promise(0, 0.95) == 1.0


@given(st.integers(1, 2000), st.floats(0.5, 0.999))
def test_the_lowest_promise_can_be_made(runs: int, confidence: float) -> None:
    assert fewest_runs(lowest_promise(runs, confidence), confidence) <= runs


def test_one_of_several_promises_needs_more_confidence() -> None:
    assert for_one_of(0.95, 1) == pytest.approx(0.95)
    assert for_one_of(0.95, 5) == pytest.approx(0.99)


def test_an_exact_interval_by_hand_and_without_runs() -> None:
    none = exact_interval(0, 10, 0.95)
    assert (none.low, none.high) == (0.0, pytest.approx(1 - 0.025**0.1))
    every = exact_interval(10, 10, 0.95)
    assert (every.low, every.high) == (pytest.approx(0.025**0.1), 1.0)
    assert exact_interval(0, 0, 0.95).reason == "no such run"
    assert np.isnan(exact_interval(0, 0, 0.95).high)


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    World(seeds=(), absent_test_class="contamination", single_run_class="lack_of_fusion").write(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data" / "weldsim"


def test_the_runs_of_each_defect_are_counted_in_all_and_in_test(dataset: Path) -> None:
    welds = recorded_welds(dataset, fold=0).set_index("class")
    assert welds.loc["burn_through"].tolist() == [8, 3]
    assert welds.loc["contamination"].tolist() == [5, 0]
    assert welds.loc["lack_of_fusion"].tolist() == [3, 1]
    assert welds.loc["all defects"].tolist() == [8 * 3 + 5 + 3, 3 * 3 + 0 + 1]
    assert "good_weld" not in welds.index


def test_a_run_counts_once_for_the_defect_of_most_of_its_frames(dataset: Path) -> None:
    manifest = dataset / "manifest.csv"
    text = manifest.read_text()
    for frame in range(20):  # good first, and two frames of another defect
        line = f"test-burn_through-0/image-{frame:04d}.png,test-burn_through-0,"
        assert f"{line}burn_through" in text
        text = text.replace(f"{line}burn_through", line + ("good_weld" if frame < 18 else "contamination"))
    manifest.write_text(text)
    welds = recorded_welds(dataset, fold=0).set_index("class")
    assert welds.loc["burn_through"].tolist() == [8, 3]
    assert welds.loc["contamination"].tolist() == [5, 0]


def test_data_without_a_good_class_is_refused(dataset: Path) -> None:
    inventory = dataset / "inventory.json"
    inventory.write_text(inventory.read_text().replace('"dataset"', '"good_class": null, "dataset"', 1))
    with pytest.raises(InputError, match="no class of good welds"):
        recorded_welds(dataset, fold=0)


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, *options: str) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["weldbench", "plan-evidence", *options])
    with pytest.raises(SystemExit) as stopped:
        main()
    told = capsys.readouterr()
    return stopped.value.code or 0, told.out, told.err


def test_the_command_answers_in_sentences(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    code, out, _ = said(monkeypatch, capsys)
    assert code == 0
    assert out.startswith(
        "To promise with 95 % confidence that at most 5 % of defective welds escape, record 59 defective welds. None of"
    )
    code, out, _ = said(monkeypatch, capsys, "--escape", "0.1", "--confidence", "0.9", "--expected", "0.02")
    assert code == 0
    assert "at most 10 % of defective welds escape, record 22 defective welds" in out
    # By hand: 0.98**22 = 0.64; 0.98**38 + 38 * 0.02 * 0.98**37 = 0.82.
    assert "record 38 instead. Up to 1 of them may escape. The promise can then be made with a probability of 82" in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--escape", "5"], "--escape is 5; it has to be between 0 and 1"),
        (["--escape", "nan"], "--escape is nan; it has to be between 0 and 1"),
        (["--confidence", "1"], "--confidence is 1; it has to be between 0 and 1"),
        (["--expected", "-0.1"], "--expected is -0.1; it has to be at least 0"),
        (["--expected", "nan"], "--expected is nan; it has to be at least 0"),
        (["--expected", "0.5"], "promise a larger share"),
    ],
)
def test_a_wrong_number_is_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, options: list[str], words: str
) -> None:
    code, _, err = said(monkeypatch, capsys, *options)
    assert code == 2
    assert words in err


def test_the_command_counts_what_is_missing(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    code, out, _ = said(monkeypatch, capsys, "--dataset", "weldsim")
    assert code == 0
    rows = {line.rsplit(maxsplit=3)[0].strip(): line.split()[-3:] for line in out.splitlines() if line[-1:].isdigit()}
    assert rows["contamination"] == ["5", "0", "59"]
    assert rows["burn_through"] == ["8", "3", "56"]
    assert rows["all defects"] == ["32", "10", "49"]
    _, out, _ = said(monkeypatch, capsys, "--dataset", "weldsim", "--escape", "0.5", "--confidence", "0.5")
    assert "all defects        32       10        0" in out


@pytest.mark.parametrize("absent", ["split/fold0/split.csv", "manifest.csv"])
def test_a_dataset_that_is_not_ready_is_named(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, absent: str
) -> None:
    (dataset / absent).unlink()
    code, _, err = said(monkeypatch, capsys, "--dataset", "weldsim")
    assert code == 2
    assert f"{absent}: there is no such file" in err
