"""`weldbench watch` as a process: what arrives, how it arrives, and what happens to the process."""

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from deploy.tiny_export import BRIGHT, DARK, MIDDLE, PROMISE, STRANGE, png, save_tiny_export

WELDBENCH = Path(sys.executable).parent / "weldbench"
PATIENCE_SECONDS = 120  # against hangs only


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return save_tiny_export(tmp_path / "export")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "frames").mkdir()
    return tmp_path / "frames"


def start(export: Path, folder: Path, *options: str) -> subprocess.Popen:
    command = [WELDBENCH, "watch", export, folder, "--record", record_of(folder), *options]
    with (folder.parent / "printed").open("w") as printed:
        return subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT, cwd=folder.parent)


def ended(process: subprocess.Popen, folder: Path, code: int = 0) -> str:
    """Wait for its end and return what it printed."""
    process.wait(timeout=PATIENCE_SECONDS)
    printed = (folder.parent / "printed").read_text()
    assert process.returncode == code, printed
    return printed


def stop(process: subprocess.Popen, folder: Path, how: int = signal.SIGTERM) -> str:
    """Stop it as a user does, and return what it printed."""
    process.send_signal(how)
    return ended(process, folder)


@contextmanager
def watching(export: Path, folder: Path, *options: str) -> Iterator[subprocess.Popen]:
    starts = starts_of(folder)
    process = start(export, folder, *options)
    try:
        until(lambda: starts_of(folder) > starts)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def record_of(folder: Path) -> Path:
    return folder.parent / "decisions.sqlite"


def rows(folder: Path, query: str = "SELECT path, decision FROM decisions ORDER BY path") -> list[tuple]:
    database = sqlite3.connect(record_of(folder), timeout=30)
    try:
        return database.execute(query).fetchall()
    except sqlite3.OperationalError:  # the tables are not made yet
        return []
    finally:
        database.close()


def starts_of(folder: Path) -> int:
    return len(rows(folder, "SELECT start FROM starts")) if record_of(folder).exists() else 0


def until(condition: Callable[[], object]) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up, "this never came true"
        time.sleep(0.05)


def until_recorded(folder: Path, frames: int) -> None:
    until(lambda: len(rows(folder)) >= frames)


@pytest.mark.parametrize("options", [(), ("--poll", "0.2")])
def test_frames_are_judged_in_whatever_way_they_arrive(export: Path, folder: Path, options: tuple[str, ...]) -> None:
    png(folder / "there before.png", MIDDLE, seed=1)
    with watching(export, folder, *options) as process:
        png(folder / "written.png", DARK, seed=2)
        png(folder / ".unfinished.png", BRIGHT, seed=3).rename(folder / "renamed.png")
        png(folder.parent / "moved.png", BRIGHT, seed=4).rename(folder / "moved in.png")
        (folder / "run").mkdir()
        png(folder / "run/in a new folder.png", DARK, seed=5)
        png(folder.parent / "image.png", DARK, seed=6)
        (folder.parent / "whole run").mkdir()
        shutil.move(folder.parent / "image.png", folder.parent / "whole run/image.png")
        (folder.parent / "whole run").rename(folder / "whole run")
        until_recorded(folder, 6)
        printed = stop(process, folder, signal.SIGINT)
    assert rows(folder) == [
        ("moved in.png", "defect"),
        ("renamed.png", "defect"),
        ("run/in a new folder.png", "defect"),
        ("there before.png", "good"),
        ("whole run/image.png", "defect"),
        ("written.png", "defect"),
    ]
    assert "there before.png: good_weld" in printed
    assert "6 frames recorded since the start" in printed


@pytest.mark.parametrize("options", [(), ("--poll", "0.2")])
def test_a_slow_writer_is_waited_for(export: Path, folder: Path, options: tuple[str, ...]) -> None:
    content = png(folder.parent / "whole.png", DARK).read_bytes()
    with watching(export, folder, "--broken-after", "3", *options) as process:
        with (folder / "slow.png").open("wb") as file:
            for position in range(0, len(content), len(content) // 8 + 1):
                file.write(content[position : position + len(content) // 8 + 1])
                file.flush()
                time.sleep(0.4)
        until_recorded(folder, 1)
        stop(process, folder)
    assert rows(folder, "SELECT path, decision, error, earlier_error FROM decisions") == [
        ("slow.png", "defect", None, None)
    ]


@pytest.mark.parametrize("options", [(), ("--poll", "0.2")])
def test_a_broken_file_is_recorded_after_the_stated_time_and_once_more_when_it_is_completed(
    export: Path, folder: Path, options: tuple[str, ...]
) -> None:
    content = png(folder.parent / "whole.png", DARK).read_bytes()
    with watching(export, folder, "--broken-after", "2", *options) as process:
        (folder / "cut.png").write_bytes(content[:-100])
        begun = time.monotonic()
        until_recorded(folder, 1)
        assert time.monotonic() - begun > 1.9
        assert rows(folder, "SELECT path, class, error FROM decisions")[0][2].startswith("it is a damaged PNG")
        (folder / "cut.png").write_bytes(content)
        until(lambda: rows(folder) == [("cut.png", "defect")])
        assert "cut.png: not judged: it is a damaged PNG" in stop(process, folder)
    assert rows(folder, "SELECT error, earlier_error FROM decisions")[0][1].startswith("it is a damaged PNG")


@pytest.mark.parametrize("options", [(), ("--poll", "0.2")])
def test_a_replaced_file_is_a_new_frame_and_a_renamed_or_touched_one_is_not(
    export: Path, folder: Path, options: tuple[str, ...]
) -> None:
    with watching(export, folder, *options) as process:
        png(folder / "a.png", DARK, seed=1)
        until_recorded(folder, 1)
        (folder / "a.png").rename(folder / "b.png")
        until(lambda: (b"b.png",) in rows(folder, "SELECT path FROM files"))
        os.utime(folder / "b.png", (1, 1))
        png(folder / "latest.png", MIDDLE, seed=2)
        until_recorded(folder, 2)
        png(folder.parent / "next.png", BRIGHT, seed=3).replace(folder / "latest.png")
        until_recorded(folder, 3)
        png(folder / "latest.png", MIDDLE, seed=2)
        until_recorded(folder, 4)
        stop(process, folder)
    with watching(export, folder, *options) as process:
        (folder / "b.png").rename(folder / "c.png")
        (folder / "c.png").chmod(0o600)
        png(folder / "last.png", MIDDLE, seed=4)
        until_recorded(folder, 5)
        stop(process, folder)
    assert rows(folder) == [
        ("a.png", "defect"),
        ("last.png", "good"),
        ("latest.png", "good"),
        ("latest.png", "defect"),
        ("latest.png", "good"),
    ]


def test_a_file_renamed_while_nobody_watched_is_not_a_new_frame(export: Path, folder: Path) -> None:
    png(folder / "a.png", DARK)
    with watching(export, folder) as process:
        until_recorded(folder, 1)
        stop(process, folder)
    (folder / "a.png").rename(folder / "b.png")
    with watching(export, folder) as process:
        assert "0 frames recorded" in stop(process, folder)
    assert rows(folder) == [("a.png", "defect")]


def test_equal_copies_are_frames_of_their_own_even_where_file_numbers_are_used_again(
    export: Path, folder: Path
) -> None:
    original = png(folder.parent / "original.png", DARK)
    with watching(export, folder, "--poll", "0.2") as process:
        for number in range(3):
            shutil.copy2(original, folder / f"{number}.png")  # the same content, at the same time
            until_recorded(folder, number + 1)
            (folder / f"{number}.png").unlink()
            time.sleep(0.5)
        stop(process, folder)
    assert [path for path, _ in rows(folder)] == ["0.png", "1.png", "2.png"]


def test_only_new_frames_at_the_first_start_and_all_after_it(export: Path, folder: Path) -> None:
    png(folder / "old.png", DARK, seed=1)
    with watching(export, folder, "--only-new") as process:
        until(lambda: rows(folder, "SELECT path FROM files"))
        png(folder / "new.png", DARK, seed=2)
        until_recorded(folder, 1)
        assert "left out, as --only-new asks: 1 file" in stop(process, folder)
    png(folder / "while nobody watched.png", DARK, seed=3)
    (folder / "old.png").chmod(0o600)
    with watching(export, folder, "--only-new") as process:
        until_recorded(folder, 2)
        stop(process, folder)
    assert [path for path, _ in rows(folder)] == ["new.png", "while nobody watched.png"]


def test_a_folder_that_goes_and_comes_back_is_watched_again(export: Path, folder: Path) -> None:
    png(folder / "a.png", DARK, seed=1)
    with watching(export, folder, "--poll", "0.2") as process:
        until_recorded(folder, 1)
        folder.rename(folder.parent / "unplugged")
        time.sleep(1)
        (folder.parent / "unplugged").rename(folder)
        png(folder / "b.png", MIDDLE, seed=2)
        until_recorded(folder, 2)
        printed = stop(process, folder)
    assert "the folder is gone; waiting for it" in printed
    assert "the folder is back" in printed
    assert rows(folder) == [("a.png", "defect"), ("b.png", "good")]


def test_alarms_are_printed_recorded_and_told_to_a_command(export: Path, folder: Path) -> None:
    heard = folder.parent / "heard"
    name = "$(touch pwned) `touch pwned`; touch pwned #\n.png"
    with watching(
        export, folder, "--alarm", "2 of 3", "--on-alarm", f'echo "$WELDBENCH_ALARM_FRAME" >> {heard}'
    ) as process:
        for number, level in enumerate((MIDDLE, DARK)):
            png(folder / f"{number}.png", level, seed=number)
            until_recorded(folder, number + 1)
        png(folder / name, DARK, seed=2)
        until(lambda: heard.exists() and heard.read_text())
        until(lambda: rows(folder, "SELECT given_at FROM alarms")[0][0])
        printed = stop(process, folder)
    assert heard.read_text() == f"{name}\n"
    assert not list(folder.parent.rglob("pwned"))
    assert "ALARM 1: 2 of the last 3 frames are not good (2 defects)" in printed
    assert rows(folder, "SELECT rule, defects, failure FROM alarms") == [("2 of 3", 2, None)]


def test_unknown_frames_vote_against_a_weld_alarm_and_stand_in_the_record(folder: Path) -> None:
    export = save_tiny_export(folder.parent / "export", promises=(PROMISE,), novelty=True)
    heard = folder.parent / "heard"
    told = f'echo "$WELDBENCH_ALARM_DEFECTS $WELDBENCH_ALARM_UNKNOWN" >> {heard}'
    (folder / "weld").mkdir()
    with watching(export, folder, "--promise", "--alarm", "2 of 3", "--on-alarm", told) as process:
        for number, level in enumerate((MIDDLE, DARK, STRANGE, STRANGE)):
            png(folder / f"weld/{number}.png", level, seed=number)
            until_recorded(folder, number + 1)
        until(lambda: heard.exists() and heard.read_text())
        printed = stop(process, folder)
    assert heard.read_text() == "1 1\n"
    assert re.search(r"2\.png: good_weld 0\.8\d\d, unknown; vote: defect", printed)
    assert "ALARM 1: 2 of the last 3 frames in weld are not good (1 defect, 1 unknown), " in printed
    assert "the last one weld/2.png" in printed
    assert f"{PROMISE.told} Each subfolder has to be one weld" in printed
    assert "it is unknown where its novelty is above 5" in printed
    said = rows(folder, "SELECT decision, vote, novelty > 5 FROM decisions ORDER BY frame")
    assert said == [("good", "good", 0), ("defect", "defect", 0), ("unknown", "defect", 1), ("unknown", "unknown", 1)]
    assert rows(folder, "SELECT weld, defect, unknown, first_rejected FROM welds") == [("rejected", 1, 2, 2)]
    ((calibrated, settings),) = rows(folder, "SELECT calibrated, settings FROM decisions JOIN starts WHERE frame = 1")
    assert sum(json.loads(calibrated).values()) == pytest.approx(1)
    assert json.loads(settings)["promise"] == json.loads(json.dumps(PROMISE.described()))


def test_an_alarm_whose_command_fails_is_given_again_also_at_the_next_start(export: Path, folder: Path) -> None:
    ready = folder.parent / "ready"
    command = f"echo tried >> tries; test -e {ready}"
    png(folder / "a.png", DARK)
    with watching(export, folder, "--alarm", "1 of 1", "--on-alarm", command) as process:
        until(lambda: (folder.parent / "tries").exists() and len((folder.parent / "tries").read_text().split()) >= 2)
        assert "alarms that could not be given: 1" in stop(process, folder)
    ready.touch()
    with watching(export, folder, "--alarm", "1 of 1", "--on-alarm", command) as process:
        until(lambda: rows(folder, "SELECT alarm FROM alarms WHERE given_at IS NOT NULL"))
        stop(process, folder)


def test_a_slow_command_does_not_stop_the_judging_and_a_second_signal_does_not_wait_for_it(
    export: Path, folder: Path
) -> None:
    png(folder / "0.png", DARK)
    with watching(export, folder, "--alarm", "1 of 1", "--on-alarm", "touch began; sleep 1000") as process:
        until((folder.parent / "began").exists)
        png(folder / "1.png", MIDDLE, seed=1)
        until_recorded(folder, 2)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert process.poll() is None
        stop(process, folder)
    assert rows(folder, "SELECT given_at, failure FROM alarms") == [(None, "was stopped")]


@pytest.mark.parametrize(
    ("good_class", "said", "decision"),
    [
        (None, "without a good class every frame is a defect", "defect"),
        ("good_weld", "a frame is a defect where good_weld is not its most probable class", "good"),
    ],
)
def test_an_export_without_a_threshold(folder: Path, good_class: str | None, said: str, decision: str) -> None:
    export = save_tiny_export(folder.parent / "export", good_class, thresholds={})
    png(folder / "a.png", MIDDLE)
    with watching(export, folder) as process:
        until_recorded(folder, 1)
        assert said in stop(process, folder)
    assert rows(folder) == [("a.png", decision)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--alarm", "3"), 'write "3 of 5"'),
        (("--on-alarm", "true"), "--on-alarm needs a rule"),
        (("--poll", "0"), "--poll 0"),
        (("--poll", "nan"), "--poll nan"),
        (("--broken-after", "-1"), "--broken-after -1"),
        (("--vote", "0"), "needs at least 1"),
        (("--false-rejects", "0.5"), "no threshold for 0.5"),
        (("--record", "nowhere/r.sqlite"), "no such folder for --record"),
        (("--record", "."), "this is a folder"),
    ],
)
def test_mistakes_end_with_2_and_a_sentence(export: Path, folder: Path, options: tuple[str, ...], said: str) -> None:
    process = start(export, folder, *options)
    printed = ended(process, folder, code=2)
    assert said in printed
    assert "Traceback" not in printed


def test_a_missing_folder_or_export_ends_with_2(export: Path, folder: Path) -> None:
    for place, frames in ((export, folder.parent / "missing"), (folder / "missing", folder)):
        process = start(place, frames)
        assert ended(process, folder, code=2).startswith("error: ")


def test_2000_frames_and_20_kills_leave_each_frame_once(export: Path, folder: Path) -> None:
    frames, kills, chance = 2000, 20, random.Random(7)
    levels = [(MIDDLE, DARK)[number // 10 % 2] for number in range(frames)]
    begun = threading.Event()

    def camera() -> None:
        """Write frames in every way in which cameras do."""
        for number, level in enumerate(levels):
            target = folder / f"run{number % 3}" / f"image-{number:04d}.png"
            target.parent.mkdir(exist_ok=True)
            if number % 4 == 0:
                png(target, level, seed=number)
            elif number % 4 == 1:
                png(target.with_name(f".{target.name}"), level, seed=number).rename(target)
            elif number % 4 == 2:
                png(target.with_name(f"unfinished-{target.name}"), level, seed=number).rename(target)
            else:
                content = png(folder.parent / "camera.png", level, seed=number).read_bytes()
                with target.open("wb") as file:
                    file.write(content[:200])
                    file.flush()
                    time.sleep(0.001)
                    file.write(content[200:])
            begun.set()
            time.sleep(0.005)

    writer = threading.Thread(target=camera)
    writer.start()
    begun.wait()
    heard = folder.parent / "heard"
    options = ("--alarm", "3 of 5", "--on-alarm", f'echo "$WELDBENCH_ALARM" >> {heard}')
    for kill in range(kills):
        starts = starts_of(folder)
        process = start(export, folder, *options)
        if kill % 5:  # every fifth one is killed while it starts
            until(lambda starts=starts: starts_of(folder) > starts)
        time.sleep(chance.uniform(0, 2))
        process.kill()
        process.wait()
    writer.join()
    with watching(export, folder, *options) as process:
        until_recorded(folder, frames)
        until(lambda: not rows(folder, "SELECT alarm FROM alarms WHERE given_at IS NULL"))
        stop(process, folder)
    contents = rows(folder, "SELECT count(*), count(DISTINCT sha256), count(error) FROM decisions")
    assert contents == [(frames, frames, 0)]
    recorded = dict(rows(folder, "SELECT substr(path, -8, 4), decision FROM decisions"))
    expected = {f"{number:04d}": "defect" if level == DARK else "good" for number, level in enumerate(levels)}
    assert recorded == expected
    raised = {str(number) for (number,) in rows(folder, "SELECT alarm FROM alarms")}
    assert raised
    assert set(heard.read_text().split()) == raised
