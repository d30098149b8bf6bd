import pytest

from weldbench.runtime import progress
from weldbench.runtime.progress import reporting, track


def test_everything_is_passed_on_and_the_last_line_tells_the_total(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track(iter("abc"), "work", total=3)) == ["a", "b", "c"]
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("work: 3/3 frames, ")
    assert printed.err.endswith(" in all\n")
    assert "\r" not in printed.err
    assert "\x1b" not in printed.err


def test_a_log_tells_rate_and_time_left(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with reporting("work", 100, "MB") as advance:
        now += 9
        advance(10)  # too early for a line
        now += 1
        advance(10)
        now += 4
    assert capsys.readouterr().err.splitlines() == [
        "work: 20/100 MB, 2.0 MB/s, 0:00:40 left",
        "work: 20/100 MB, 1.4 MB/s, 0:00:56 left",
    ]


def test_what_an_earlier_process_did_is_no_speed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with reporting("train conv6", 30, "epochs") as advance:
        now += 3
        for _ in range(20):
            advance(1)
        for _ in range(10):
            now += 40
            advance(1)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "train conv6: 21/30 epochs, 0.0 epochs/s, 0:06:00 left"
    assert lines[8] == "train conv6: 29/30 epochs, 0.0 epochs/s, 0:00:40 left"
    assert lines[-1].endswith("30/30 epochs, 0.0 epochs/s, 0:06:43 in all")


def test_an_unknown_total(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with reporting("work", None, "steps") as advance:
        now += 3670
        advance(3670)
    assert capsys.readouterr().err.splitlines() == [
        "work: 3670 steps, 1.0 steps/s, 1:01:10 in all",
        "work: 3670 steps, 1.0 steps/s, 1:01:10 in all",
    ]


def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    assert list(track(["a", "b"], "work")) == ["a", "b"]
    printed = capsys.readouterr().err
    assert "\x1b" in printed
    assert "2/2 frames" in printed
