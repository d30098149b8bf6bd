"""A map over processes that keeps the order and never holds more than a few results."""

import multiprocessing
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count, islice
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar, cast

from weldbench.errors import InputError

Task = TypeVar("Task")
Result = TypeVar("Result")

_TASKS_PER_WORKER = 3  # one in work, one waiting, one done: more only costs memory


def ordered_map(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    workers: int,
    remedy: str,
    initializer: Callable[[], None] | None = None,
) -> Iterator[Result]:
    """Yield `function(task)` for every task, in their order.

    With one worker all is done in this process. Workers end with this process; where it was killed, after their task.

    Args:
        function: Of a module, as workers must be able to import it; what it raises is raised here.
        tasks: What to work on, each a few kB at most; taken from only as results are fetched.
        workers: Number of processes.
        remedy: For the error: what to do where memory is too small for so many workers.
        initializer: Called once in every worker, before its first task.

    Raises:
        InputError: A worker was killed, as the system does when memory runs out.
    """
    if workers == 1:
        if initializer:
            initializer()
        yield from map(function, tasks)
        return
    with ExitStack() as stack:
        try:
            pipes = [stack.enter_context(_worker(function, initializer)) for _ in range(workers)]
            for result, error in _ordered_answers(tasks, pipes):
                if error:
                    raise error
                yield result
        except _WorkerDiedError:
            raise InputError(f"a worker process was killed, probably for lack of memory; {remedy}") from None


class _WorkerDiedError(Exception):
    pass


def _ordered_answers(tasks: Iterable[Any], pipes: list[Connection]) -> Iterator[Any]:
    # Workers share nothing and no thread waits for them: neither one that is killed nor Ctrl-C leaves a lock behind,
    # for which the others would wait for ever, as in the executors of concurrent.futures.
    numbered = enumerate(tasks)
    free = deque(pipes * 2)  # a place for each task that a worker may have: one in work, one waiting
    asked: dict[Connection, deque[int]] = {pipe: deque() for pipe in pipes}
    answers: dict[int, Any] = {}
    for wanted in count():
        while True:
            in_work = sum(map(len, asked.values()))
            room = len(pipes) * _TASKS_PER_WORKER - in_work - len(answers)
            for number, task in islice(numbered, min(room, len(free))):
                pipe = free.popleft()
                _send(pipe, task)
                asked[pipe].append(number)
            busy = [pipe for pipe in pipes if asked[pipe]]
            # Also with the answer at hand: who has answered gets a new task before the caller turns to the result.
            ready = wait(busy, timeout=0 if wanted in answers else None) if busy else []
            for pipe in cast(list[Connection], ready):
                answers[asked[pipe].popleft()] = _receive(pipe)
                free.append(pipe)
            if not ready:
                break
        if wanted not in answers:
            return
        yield answers.pop(wanted)


def _send(pipe: Connection, task: Any) -> None:
    try:
        pipe.send(task)
    except OSError:
        raise _WorkerDiedError from None


def _receive(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except (EOFError, OSError):
        raise _WorkerDiedError from None


@contextmanager
def _worker(function: Callable[[Task], Result], initializer: Callable[[], None] | None) -> Iterator[Connection]:
    # Forked processes would inherit the threads of torch; spawned ones start clean.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, function, initializer), daemon=True)
    try:
        with theirs:  # Only with this end closed here does a pipe tell that its worker is gone.
            process.start()
    except ConnectionError:
        raise _WorkerDiedError from None
    with ours:
        try:
            yield ours
        finally:
            process.terminate()
            process.join()


def _work(pipe: Connection, function: Callable[[Task], Result], initializer: Callable[[], None] | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the parent ends its own.
    if initializer:
        initializer()
    with suppress(EOFError, OSError):  # The parent is gone.
        while True:
            pipe.send(_answer(function, pipe.recv()))


def _answer(function: Callable[[Task], Result], task: Task) -> tuple[Result | None, Exception | None]:
    try:
        return function(task), None
    except Exception as error:
        error.add_note(f"In a worker process:\n{traceback.format_exc()}")
        return None, error
