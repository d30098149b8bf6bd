"""A map over processes that keeps the order and never holds more than a few results."""

import multiprocessing
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import TypeVar

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
        tasks: What to work on; taken from only as results are fetched.
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
    tasks = iter(tasks)
    # A thread and a pipe for each worker. Workers share nothing, so that one which dies cannot keep a lock that the
    # others need, as it can in ProcessPoolExecutor, which then waits for ever.
    with ThreadPoolExecutor(workers) as threads, ExitStack() as stack:
        idle: SimpleQueue[Connection] = SimpleQueue()
        try:
            for _ in range(workers):
                idle.put(stack.enter_context(_worker(function, initializer)))
            stack.callback(threads.shutdown, wait=False, cancel_futures=True)
            waiting: deque[Future[Result]] = deque(
                threads.submit(_ask, idle, task) for task in islice(tasks, workers * _TASKS_PER_WORKER)
            )
            while waiting:
                result = waiting.popleft().result()
                waiting.extend(threads.submit(_ask, idle, task) for task in islice(tasks, 1))
                yield result
        except _WorkerDiedError:
            raise InputError(f"a worker process was killed, probably for lack of memory; {remedy}") from None


class _WorkerDiedError(Exception):
    pass


def _ask(idle: SimpleQueue[Connection], task: Task) -> Result:
    pipe = idle.get()
    try:
        pipe.send(task)
        result, error = pipe.recv()
    except (EOFError, OSError):
        raise _WorkerDiedError from None
    finally:
        idle.put(pipe)
    if error:
        raise error
    return result


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
