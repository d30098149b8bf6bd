"""What every command has in common: errors for a person, one engine at a time, whole files or none."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

from weldbench.errors import InputError
from weldbench.pipeline import lock
from weldbench.pipeline.command import command
from weldbench.pipeline.lock import HELD, LOCK_FILE, release_engine_lock, take_engine_lock, take_output_lock
from weldbench.runtime.atomic import partial_path, replacing, write_json
from weldbench.runtime.disk import space_for


def test_an_input_error_is_one_message_and_exit_code_2(capsys: pytest.CaptureFixture) -> None:
    @command
    def main() -> None:
        raise InputError("frames.zip: this is no zip; give another file")

    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: frames.zip: this is no zip; give another file\n"


def test_control_c_is_one_word_and_exit_code_130(capsys: pytest.CaptureFixture) -> None:
    @command
    def main() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


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


def test_a_full_disk_behind_a_library_is_one_message_too(capsys: pytest.CaptureFixture) -> None:
    @command
    def main() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "kernel.json")

    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("error: kernel.json: the disk is full; make room")


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own, and no lock held by whoever started the tests."""
    monkeypatch.chdir(tmp_path)
    for name in (HELD, "WELDBENCH_OUTPUT_LOCK_HELD"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    yield tmp_path
    while lock._output_locks:
        lock._output_locks.pop().release()


def test_an_output_has_one_writer_and_the_second_says_so(alone: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from weldbench.pipeline.command import command\n"
        "from weldbench.pipeline.lock import take_output_lock\n"
        "@command\n"
        "def main():\n    take_output_lock(Path('models/seed0')); print('mine', flush=True); input()\n"
        "main()"
    )

    def writer() -> subprocess.Popen:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([sys.executable, "-c", code], text=True, **pipes)

    first = writer()
    assert first.stdout.readline() == "mine\n"
    second = writer()
    _, said = second.communicate(timeout=120)
    assert second.returncode == 2
    assert said.startswith("error: models/seed0: another process is writing it")
    take_output_lock(Path("models/seed1"))  # another output is free
    first.kill()
    first.communicate()
    third = writer()
    assert third.stdout.readline() == "mine\n"
    third.communicate("\n", timeout=120)
    assert third.returncode == 0


def test_the_processes_of_one_training_share_the_lock_of_its_output(alone: Path) -> None:
    take_output_lock(Path("models/seed0"))
    code = "from pathlib import Path; from weldbench.pipeline.lock import *; take_output_lock(Path('models/seed0'))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


LOCKS = {"engine": lambda: take_engine_lock("dvc"), "output": lambda: take_output_lock(Path("models"))}
PATHS = {"engine": LOCK_FILE, "output": ".models.lock"}


@pytest.mark.parametrize("kind", LOCKS)
@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOLCK, "the file system has no locks, or none left"),
        (errno.ENOSYS, "the file system has no locks, or none left"),
        (errno.EROFS, "the file system is read-only; mount it"),
        (errno.EACCES, "you may not write into this folder"),
        (errno.ENOSPC, "the disk is full"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_lock_that_cannot_be_taken_says_why(
    alone: Path, monkeypatch: pytest.MonkeyPatch, kind: str, number: int, said: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(
        "filelock._unix.lock_fd_nonblocking"
        if "LCK" in errno.errorcode[number] or number == errno.ENOSYS
        else "filelock._unix.os.open",
        refuse,
    )
    with pytest.raises(InputError, match=said) as caught:
        LOCKS[kind]()
    assert str(caught.value).startswith(f"{alone / PATHS[kind]}: this lock cannot be taken: ")
    assert HELD not in os.environ


@pytest.mark.parametrize("kind", LOCKS)
@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("elsewhere")])
def test_something_else_in_the_place_of_a_lock_is_named(alone: Path, kind: str, make: Callable[[Path], None]) -> None:
    make(Path(PATHS[kind]))
    with pytest.raises(InputError, match="something other than a plain file is in its place; delete it"):
        LOCKS[kind]()


@pytest.mark.parametrize("kind", LOCKS)
def test_a_lock_file_that_was_copied_or_left_behind_holds_nothing(alone: Path, kind: str) -> None:
    Path(PATHS[kind]).write_text("12345\nhost\n")
    LOCKS[kind]()
    release_engine_lock()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_the_lock_of_another_user_is_named(alone: Path) -> None:
    Path(LOCK_FILE).touch(mode=0o600)
    os.chown(LOCK_FILE, 65534, 65534)
    code = "from weldbench.cli import main; import sys; sys.argv = ['weldbench', 'sync']; main()"
    powers = "-dac_override,-dac_read_search,-fowner,-chown"
    command = ["setpriv", f"--bounding-set={powers}", f"--inh-caps={powers}", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "this lock cannot be taken: the file belongs to another user" in done.stderr


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full; make room"),
        (errno.EDQUOT, "your quota on this disk is used up"),
        (errno.EFBIG, "the file would be larger than allowed"),
        (errno.EROFS, "the file system is read-only"),
    ],
)
def test_a_disk_that_refuses_is_told_with_the_path_and_leaves_nothing_half(
    tmp_path: Path, number: int, said: str
) -> None:
    target = tmp_path / "table.csv"
    target.write_text("whole")

    def write(partial: Path) -> None:
        partial.write_text("half")
        raise OSError(number, os.strerror(number))

    with pytest.raises(InputError, match=rf"table\.csv: {said}"), replacing(target) as partial:
        write(partial)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("table.csv", "whole")]


def test_a_limit_on_the_size_of_files_is_told(tmp_path: Path) -> None:
    code = f"from weldbench.runtime.atomic import write_text; write_text({str(tmp_path / 'a.txt')!r}, 'x' * 100_000)"
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # noqa: E731
    done = subprocess.run([sys.executable, "-c", code], preexec_fn=limit, capture_output=True, text=True, check=False)
    assert "InputError" in done.stderr
    assert "a.txt: the file would be larger than allowed" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_permission_that_is_missing_elsewhere_is_not_taken_for_that_of_the_output(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), replacing(tmp_path / "table.csv"):
        raise PermissionError(errno.EACCES, "Permission denied", "/elsewhere/input.csv")
    with (
        pytest.raises(InputError, match=r"table\.csv: you may not write here"),
        replacing(tmp_path / "table.csv") as to,
    ):
        raise PermissionError(errno.EACCES, "Permission denied", str(to))


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


def test_an_output_folder_below_a_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WELDBENCH_OUTPUT_LOCK_HELD", raising=False)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"a file stands where the folder .*file is meant; delete it, or name another"):
        take_output_lock(tmp_path / "file" / "seed0")


def test_a_reader_that_leaves_early_gets_no_traceback() -> None:
    code = "from weldbench.pipeline.command import command; command(lambda: print('x' * 10**6))()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_small_sizes_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2**19))
    with (
        pytest.raises(InputError, match=r"ingest needs 1\.50 MiB, and 0\.50 MiB are free there"),
        space_for(tmp_path, 3 * 2**19, "ingest"),
    ):
        pass
