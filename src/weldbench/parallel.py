"""A map over processes that keeps the order and never holds more than a few results."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any, TypeVar

from weldbench.errors import InputError

Task = TypeVar("Task")
Result = TypeVar("Result")

_TASKS_PER_WORKER = 3  # one in work, one waiting, one done: more only costs memory


def ordered_map(
    function: Callable[[Task], Result],
    tasks: Iterable[Task],
    workers: int,
    initializer: Callable[[Any], None],
    argument: Any,
    setting: str,
) -> Iterator[Result]:
    """Yield `function(task)` for every task, in their order.

    With one worker all is done in this process. The workers end with this process, also when it is killed.

    Args:
        function: A function of a module, as workers must be able to import it.
        tasks: What to work on; taken from only as results are fetched.
        workers: Number of processes.
        initializer: Called as `initializer(argument)` once in every worker, before its first task.
        argument: See there.
        setting: Key of params.yaml that says how many workers there are, for the error.

    Raises:
        InputError: A worker was killed, as the system does when memory runs out.
    """
    if workers == 1:
        initializer(argument)
        yield from map(function, tasks)
        return
    tasks = iter(tasks)
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(initializer, argument))
    try:
        waiting: deque[Future[Result]] = deque(
            _submit(pool, function, task) for task in islice(tasks, workers * _TASKS_PER_WORKER)
        )
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(_submit(pool, function, task) for task in islice(tasks, 1))
            yield result
    except BrokenProcessPool:
        raise InputError(
            f"a worker process was killed, probably for lack of memory; lower {setting} or free some memory"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, function: Callable[[Task], Result], task: Task) -> Future[Result]:
    try:
        return pool.submit(function, task)
    except (OSError, ValueError) as error:
        # One worker was killed while another one started: the pool has closed the pipes that the new one inherits.
        raise BrokenProcessPool from error


def _start(initializer: Callable[[Any], None], argument: Any) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    initializer(argument)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
