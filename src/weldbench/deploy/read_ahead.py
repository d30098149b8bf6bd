"""Reading the next items in a thread while the caller works on one: decoding beside the network."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
_END = object()
_AHEAD = 3


def read_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield the same items, in order; at most three more than the caller has taken are read.

    What reading raises is raised in its place.
    """
    with ThreadPoolExecutor(1) as reader:

        def read() -> Future[object]:
            return reader.submit(next, items, _END)

        waiting = deque(read() for _ in range(_AHEAD))
        while (item := waiting.popleft().result()) is not _END:
            waiting.append(read())
            yield item  # type: ignore[misc]
