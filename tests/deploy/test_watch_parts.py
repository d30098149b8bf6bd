"""The parts of watching a folder: rules of alarms, the record, what a file is taken for."""

import json
import os
import sqlite3
from pathlib import Path

import pytest
from deploy.tiny_export import CLASSES

from weldbench.deploy import watch_database
from weldbench.deploy.decision import Decision
from weldbench.deploy.judge import Verdict
from weldbench.deploy.watch_alarm import AlarmRule
from weldbench.deploy.watch_arrivals import Arrivals
from weldbench.deploy.watch_database import only_watcher
from weldbench.deploy.watch_files import KnownFile, Stamp
from weldbench.deploy.watch_frame import StillWrittenError, read_whole
from weldbench.deploy.watch_look import look_at, shown, stamp_of
from weldbench.deploy.watch_record import Judgment, Record
from weldbench.errors import BadFrameError, InputError

STAMP = Stamp("1:1", 10, 1, 1)
SHARES = dict(zip(CLASSES, (0.1, 0.8, 0.1), strict=True))
DEFECT = Judgment(Verdict(CLASSES[1], SHARES, None, 0.9, None, Decision.DEFECT), Decision.DEFECT)
UNKNOWN = Judgment(Verdict(CLASSES[1], SHARES, SHARES, 0.9, 7.5, Decision.UNKNOWN), Decision.UNKNOWN)


@pytest.mark.parametrize(
    "text", ["", "3", "3 in 5", "6 of 5", "0 of 5", "-1 of 5", "3 of 5 frames", "٣ of 5", "1e1 of 50"]
)
def test_what_is_no_rule_for_alarms_is_refused(text: str) -> None:
    with pytest.raises(InputError, match='write "3 of 5"'):
        AlarmRule.of(text)


def test_an_alarm_starts_once_and_again_after_it_was_over() -> None:
    film = [bool(int(frame)) for frame in "0111110000111"]
    rule = AlarmRule.of("3 of 5")
    starts = [number for number in range(len(film)) if rule.begins(film[:number], film[number])]
    assert starts == [3, 12]


def test_an_alarm_of_every_frame() -> None:
    rule = AlarmRule.of("1 of 1")
    assert [rule.begins(before, True) for before in ([], [True], [True, False])] == [True, False, True]


def test_a_record_is_of_one_folder(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with Record.opened(tmp_path / "r.sqlite", tmp_path, {}):
        pass
    with (
        pytest.raises(InputError, match=r"record of another folder.*name another file"),
        Record.opened(tmp_path / "r.sqlite", tmp_path / "other", {}),
    ):
        pass


@pytest.mark.parametrize("kind", ["text", "other database", "newer"])
def test_what_is_no_record_is_refused_and_left_as_it_is(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "r.sqlite"
    if kind == "text":
        path.write_text("these are my notes\n" * 100)
    else:
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE mine (x)" if kind == "other database" else "PRAGMA user_version = 99")
        database.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"r\.sqlite: "), Record.opened(path, tmp_path, {}):
        pass
    assert path.read_bytes() == before


def test_two_watchers_do_not_share_a_record(tmp_path: Path) -> None:
    with (
        only_watcher(tmp_path / "r.sqlite"),
        pytest.raises(InputError, match="another weldbench watch"),
        only_watcher(tmp_path / "r.sqlite"),
    ):
        pass


def test_a_broken_frame_that_was_completed_stands_once_with_its_earlier_error(tmp_path: Path) -> None:
    with Record.opened(tmp_path / "r.sqlite", tmp_path, {}) as record:
        record.add("a.png", STAMP, "half", "it is damaged")
        record.add("b.png", STAMP, "b", DEFECT)
        record.add("a.png", STAMP, "whole", DEFECT)
        record.add("a.png", STAMP, "replaced", DEFECT)
    with sqlite3.connect(tmp_path / "r.sqlite") as database:
        rows = database.execute("SELECT path, sha256, error, earlier_error FROM decisions ORDER BY frame").fetchall()
    assert rows == [
        ("b.png", "b", None, None),
        ("a.png", "whole", None, "it is damaged"),
        ("a.png", "replaced", None, None),
    ]


def test_a_record_of_an_older_weldbench_goes_on_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.sqlite"
    with sqlite3.connect(path) as database:
        database.executescript(f"{watch_database._TABLES} PRAGMA user_version = 1;")
        database.execute("INSERT INTO starts VALUES (1, 'then', ?)", (json.dumps({"folder": str(tmp_path)}),))
        database.execute(
            "INSERT INTO decisions (path, run, recorded_at, size_bytes, sha256, class, decision, vote, start) "
            "VALUES ('old.png', '', 'then', 1, 'o', 'good_weld', 'good', 'good', 1)"
        )
        database.execute("INSERT INTO alarms (frame, rule, defects, raised_at) VALUES (1, '1 of 1', 1, 'then')")
    for said in ("an older weldbench began this record", ""):
        with Record.opened(path, tmp_path, {}) as record:
            record.add(f"{said}.png", STAMP, said, UNKNOWN)
        told = capsys.readouterr().err
        assert said in told
        assert bool(told) == bool(said)
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT decision, calibrated, novelty FROM decisions ORDER BY frame").fetchall()
        assert rows == [
            ("good", None, None),
            ("unknown", json.dumps(SHARES), 7.5),
            ("unknown", json.dumps(SHARES), 7.5),
        ]
        assert database.execute("SELECT defects, unknown FROM alarms").fetchall() == [(1, 0)]


def test_the_view_of_welds_says_which_are_rejected_and_where(tmp_path: Path) -> None:
    good = DEFECT._replace(verdict=DEFECT.verdict._replace(decision=Decision.GOOD), vote=Decision.GOOD)
    with Record.opened(tmp_path / "r.sqlite", tmp_path, {}) as record:
        record.add("one/a.png", STAMP, "1", good)
        record.add("two/a.png", STAMP, "2", good)
        record.add("one/b.png", STAMP, "3", UNKNOWN)
        record.add("one/c.png", STAMP, "4", good)
        record.add("two/b.png", STAMP, "5", "it is damaged")
        record.add("three/a.png", STAMP, "6", "it is damaged")
        record.add("four/a.png", STAMP, "7", DEFECT)
    with sqlite3.connect(tmp_path / "r.sqlite") as database:
        assert database.execute("SELECT * FROM welds").fetchall() == [
            ("one", 3, 0, 2, 0, 1, "rejected", 3),
            ("two", 2, 1, 1, 0, 0, "passed", None),
            ("three", 1, 1, 0, 0, 0, None, None),
            ("four", 1, 0, 0, 1, 0, "rejected", 7),
        ]


def test_runs_do_not_vote_for_each_other(tmp_path: Path) -> None:
    with Record.opened(tmp_path / "r.sqlite", tmp_path, {}) as record:
        record.add("one/a.png", STAMP, "a", DEFECT)
        record.add("two/a.png", STAMP, "b", DEFECT)
        record.add("two/broken.png", STAMP, "c", "it is damaged")
        assert record.last_decisions("one", 5) == [Decision.DEFECT]
        assert record.last_decisions("two", 5) == [Decision.DEFECT]
        assert record.last_decisions("", 5) == []


def test_a_file_number_that_was_given_to_a_new_file_is_no_renaming(tmp_path: Path) -> None:
    with Record.opened(tmp_path / "r.sqlite", tmp_path, {}) as record:
        record.add("a.png", STAMP, "same", DEFECT)
        assert record.files.renamed(STAMP, "same") is not None
        assert record.files.renamed(STAMP, "other") is None
        assert record.files.renamed(STAMP._replace(modified_ns=2), "same") is None
        record.files.forget_numbers(["a.png"])
        assert record.files.renamed(STAMP, "same") is None


def test_files_without_numbers_are_never_taken_for_renamed(tmp_path: Path) -> None:
    with Record.opened(tmp_path / "r.sqlite", tmp_path, {}) as record:
        nameless = STAMP._replace(identity="")
        record.files.note("a.png", KnownFile(nameless, "same", 1))
        assert record.files.renamed(nameless, "same") is None


def test_a_look_finds_frames_in_filming_order_and_names_the_rest(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for name in ("10.png", "9.png", "run/1.TIF", ".hidden.png", "notes.txt", "Thumbs.db", "README"):
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "pipe.png")
    found = look_at(tmp_path, {"9.png": STAMP, "gone.png": STAMP})
    assert list(found.files) == ["9.png", "10.png", "run/1.TIF"]
    assert found.left_alone == {".txt": "notes.txt", "no suffix": "README"}
    assert found.removed == ["gone.png"]
    missing = look_at(tmp_path / "missing", {"a.png": STAMP})
    assert (missing.is_gone, missing.removed) == (True, ())


def test_a_file_that_grows_while_it_is_read_is_not_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"half")
    real, calls = os.fstat, []

    def growing(descriptor: int) -> os.stat_result:
        calls.append(descriptor)
        if len(calls) == 2:
            path.write_bytes(b"half and half")
        return real(descriptor)

    monkeypatch.setattr(os, "fstat", growing)
    with pytest.raises(StillWrittenError):
        read_whole(path)
    with pytest.raises(StillWrittenError):
        read_whole(tmp_path / "removed.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(BadFrameError, match="it cannot be read"):
        read_whole(tmp_path / "folder.png")


def test_waiting_goes_by_a_clock_that_nobody_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    monkeypatch.setattr("time.time", lambda: pytest.fail("the clock of the wall was asked"))
    path = tmp_path / "a.png"
    path.write_bytes(b"1")
    os.utime(path, (4e9, 4e9))  # in the year 2096
    arrivals = Arrivals(tmp_path, {}, poll_seconds=0.5, broken_after_seconds=5)

    def complete_after(seconds: float) -> list[str]:
        clock[0] += seconds
        arrivals.look()
        return [name for name, _ in arrivals.complete()]

    assert complete_after(0) == []
    path.write_bytes(b"22")
    os.utime(path, (1, 1))  # in 1970
    assert complete_after(0.9) == []
    assert complete_after(0.9) == []
    assert complete_after(0.2) == ["a.png"]
    stamp = stamp_of(path)
    assert not arrivals.is_broken("a.png", stamp)
    assert complete_after(4.9) == []
    assert complete_after(0.2) == ["a.png"]
    assert arrivals.is_broken("a.png", stamp)
    arrivals.recorded("a.png", stamp)
    assert complete_after(60) == []


def test_names_cannot_move_the_cursor() -> None:
    assert shown("a\x1b[2J\nb\udcff.png") == r"a\x1b[2J\nb\xff.png"
