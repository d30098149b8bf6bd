"""What every command has in common: errors for a person, one engine at a time, whole files or none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from weldbench.errors import InputError
from weldbench.pipeline.command import command
from weldbench.pipeline.lock import HELD, LOCK_FILE, release_engine_lock, take_engine_lock
from weldbench.runtime.atomic import partial_path, replacing, write_json


def test_an_input_error_is_one_message_and_exit_code_2(capsys: pytest.CaptureFixture) -> None:
    @command
    def main() -> None:
        raise InputError("frames.zip: this is no zip; give another file")

    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: frames.zip: this is no zip; give another file\n"


@pytest.mark.parametrize("refused", ["a folder", "a folder that is a file"])
def test_what_the_system_refuses_about_a_file_is_one_message_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture, refused: str
) -> None:
    (tmp_path / "file").touch()
    path = tmp_path if refused == "a folder" else tmp_path / "file" / "frames.npy"

    with pytest.raises(SystemExit) as stopped:
        command(lambda: path.read_bytes())()
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith(f"error: {path}: ")


def test_a_stage_of_dvc_does_not_start_beside_another_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(HELD, raising=False)
    monkeypatch.setenv("DVC_STAGE", "fetch")
    started = []
    with FileLock(LOCK_FILE), pytest.raises(SystemExit):
        command(lambda: started.append(1))()
    assert started == []
    assert "wait until it has ended" in capsys.readouterr().err


def test_the_lock_is_free_after_its_holder_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(HELD, raising=False)
    code = "from weldbench.pipeline.lock import *; take_engine_lock('a'); print('held', flush=True); input()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(InputError, match="cannot start"):
        take_engine_lock("b")
    holder.kill()
    holder.communicate()
    take_engine_lock("b")
    release_engine_lock()
    assert HELD not in os.environ


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "table.json"
    write_json(target, {"macro_f1": 0.5})
    with pytest.raises(ZeroDivisionError), replacing(target) as partial:
        partial.write_text(f"half {1 / 0}")
    assert target.read_text(encoding="utf-8") == '{\n  "macro_f1": 0.5\n}\n'
    assert [path.name for path in target.parent.iterdir()] == ["table.json"]


def test_what_a_kill_left_half_written_is_written_over(tmp_path: Path) -> None:
    target = tmp_path / "table.json"
    partial_path(target).write_text("half " * 1000, encoding="utf-8")
    write_json(target, {})
    assert target.read_text(encoding="utf-8") == "{}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["table.json"]


def test_json_refuses_what_is_no_number(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "metrics.json", {"macro_f1": float("nan")})
    assert list(tmp_path.iterdir()) == []
