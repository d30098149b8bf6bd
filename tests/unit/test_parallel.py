"""The map over processes: order, laziness, errors, and workers that are killed at any moment."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from weldbench.errors import InputError
from weldbench.runtime.parallel import ordered_map

SEED = 20261126
REMEDY = "lower some.workers"


def slow_square(number: int) -> int:
    time.sleep(0.05 if number % 3 == 0 else 0)
    return number**2


def refuse_seven(number: int) -> int:
    if number == 7:
        raise InputError("frame 7: cannot be read")
    return number


def large(number: int) -> bytes:
    return bytes(1_000_000)  # much more than a pipe holds


def end_worker(number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def mark(folder: Path) -> None:
    (folder / str(os.getpid())).touch()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_order_is_that_of_the_tasks(workers: int, tmp_path: Path) -> None:
    results = ordered_map(slow_square, range(20), workers, REMEDY, partial(mark, tmp_path))
    assert list(results) == [number**2 for number in range(20)]
    assert len(list(tmp_path.iterdir())) == workers


def test_no_tasks_and_fewer_tasks_than_workers() -> None:
    assert list(ordered_map(slow_square, [], 2, REMEDY)) == []
    assert list(ordered_map(slow_square, [4], 3, REMEDY)) == [16]


def test_tasks_are_taken_as_results_are_fetched() -> None:
    taken = []

    def tasks() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    results = ordered_map(slow_square, tasks(), 2, REMEDY)
    assert [next(results) for _ in range(10)] == [number**2 for number in range(10)]
    assert len(taken) < 20
    results.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_task_is_raised_in_its_turn(workers: int) -> None:
    results = ordered_map(refuse_seven, range(20), workers, REMEDY)
    assert [next(results) for _ in range(7)] == list(range(7))
    with pytest.raises(InputError, match="frame 7: cannot be read") as raised:
        next(results)
    assert workers == 1 or "in refuse_seven" in raised.value.__notes__[0]


def test_a_worker_that_dies_at_work_is_one_message() -> None:
    results = ordered_map(end_worker, range(20), 2, REMEDY)
    with pytest.raises(InputError, match=f"a worker process was killed.*{REMEDY}"):
        list(results)


MAP = """
import signal, sys
from weldbench.errors import InputError
from weldbench.runtime.parallel import ordered_map
from tests.unit.test_parallel import large

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell runs the tests in the background
    try:
        for number, _ in enumerate(ordered_map(large, range(int(sys.argv[1])), 3, "x")):
            if number == 2:
                print("each worker has answered", flush=True)
    except InputError as error:
        sys.exit(f"error: {error}")
"""


def start_map(folder: Path, tasks: int) -> subprocess.Popen:
    script = folder / "map.py"
    script.write_text(MAP)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, str(script), str(tasks)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def children_of(process: subprocess.Popen) -> list[int]:
    """Return the workers of a process, without the helper that multiprocessing starts beside them."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    commands = {int(child): Path(f"/proc/{child}/cmdline") for child in listed}
    return [child for child, command in commands.items() if command.exists() and b"spawn_main" in command.read_bytes()]


@pytest.mark.slow
def test_whenever_a_worker_is_killed_the_map_ends(tmp_path: Path) -> None:
    moments = random.Random(SEED)
    ended = []
    for count in (1, 1, 2, 3, 3, 1, 2, 3, 1, 2):
        process = start_map(tmp_path, 100_000)
        while len(workers := children_of(process)) < count:
            assert process.poll() is None
        time.sleep(moments.choice([0, 0.05, 0.5]) * moments.random())
        os.kill(moments.choice(workers), signal.SIGKILL)
        message = process.communicate(timeout=60)[1]
        ended.append((process.returncode, message))
    assert ended == [(1, "error: a worker process was killed, probably for lack of memory; x\n")] * len(ended)


@pytest.mark.slow
def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    process = start_map(tmp_path, 100_000)
    while len(workers := children_of(process)) < 3:
        assert process.poll() is None
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)


def interrupt(process: subprocess.Popen) -> str:
    """Do as a terminal does on Ctrl-C, and return what the processes then wrote."""
    for pid in (*children_of(process), process.pid):
        os.kill(pid, signal.SIGINT)
    return process.communicate(timeout=60)[1]


@pytest.mark.slow
def test_control_c_ends_the_map_and_its_workers_without_their_tracebacks(tmp_path: Path) -> None:
    process = start_map(tmp_path, 100_000)
    assert process.stdout.readline() == "each worker has answered\n"
    workers = children_of(process)
    assert interrupt(process).count("KeyboardInterrupt") == 1
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]


@pytest.mark.slow
def test_whenever_control_c_comes_the_map_ends(tmp_path: Path) -> None:
    moments = random.Random(SEED)
    for _ in range(8):
        process = start_map(tmp_path, 100_000)
        while not children_of(process):
            assert process.poll() is None
        time.sleep(moments.choice([0, 0.2, 1]) * moments.random())
        assert "KeyboardInterrupt" in interrupt(process)
        assert process.returncode != 0
