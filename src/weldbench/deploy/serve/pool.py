"""Threads that judge frames, each with its own session: a session computes one thing at a time."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from weldbench.deploy.judge import Judge

Result = TypeVar("Result")


class JudgePool:
    """A fixed number of judges at work beside the server.

    Args:
        make_judge: Loads one.
        workers: How many.
    """

    def __init__(self, make_judge: Callable[[], Judge], workers: int):
        self._judges = threading.local()
        self._make_judge = make_judge
        self._abandoned = 0
        self._threads = ThreadPoolExecutor(workers, "judge")
        self._given_up = threading.Event()
        all_here, one_loads = threading.Barrier(workers), threading.Lock()
        try:
            for loading in [self._threads.submit(self._load, all_here, one_loads) for _ in range(workers)]:
                loading.result()
        except BaseException:  # a thread that the system refuses, an export that does not load, Ctrl-C
            self._given_up.set()
            all_here.abort()  # else the others would wait for ever, and Python for them when it ends
            self.close()
            raise

    def _load(self, all_here: threading.Barrier, one_loads: threading.Lock) -> None:
        all_here.wait()  # so that each thread takes one of these jobs
        # OpenVINO deadlocked where two threads made their first run at one time.
        with one_loads:
            if self._given_up.is_set():
                return
            try:
                self._judges.one = self._make_judge()
                self._judges.one.warm_up()
            except BaseException:
                self._given_up.set()
                raise

    @property
    def abandoned(self) -> int:
        """Tell how many jobs go on though nobody waits for them any more."""
        return self._abandoned

    async def run(self, job: Callable[[Judge], Result], seconds: float) -> Result:
        """Run a job in one of the threads.

        Raises:
            TimeoutError: It was not done after so many seconds; where it had begun, it goes on.
        """
        future: Future[Result] = self._threads.submit(lambda: job(self._judges.one))
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(future)), seconds)
        except (TimeoutError, asyncio.CancelledError):
            if not future.cancel():
                self._abandon(future)
            raise

    def _abandon(self, future: "Future[Result]") -> None:
        loop = asyncio.get_running_loop()
        self._abandoned += 1

        def done(_: "Future[Result]") -> None:
            loop.call_soon_threadsafe(self._returned)

        future.add_done_callback(done)

    def _returned(self) -> None:
        self._abandoned -= 1

    def close(self) -> None:
        """End the threads when their jobs are done."""
        self._threads.shutdown(wait=False, cancel_futures=True)
