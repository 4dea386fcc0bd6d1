"""Prefetch: work is done before its results are asked for: in order, by one thread, and never far ahead."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_WAITING = 16
_MOST_BYTES = 96_000_000
"""Results that wait to be taken, and their bytes: a new one is not begun beyond, so that it can be one more."""


class _Room:
    """How much the results that wait to be taken may hold."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting = 0
        self._closed = False

    def wait(self) -> bool:
        """Wait until there is room; False if nothing is wanted any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting < _MOST_BYTES)
            return not self._closed

    def hold(self, size: int) -> None:
        """Take room for a result, or with a negative size give it back."""
        with self._changed:
            self._waiting += size
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()


def prefetched(
    items: Iterable[Item], work: Callable[[Item], Result], size: Callable[[Result], int]
) -> Iterator[Result]:
    """Yield `work` of each item, in order, doing the next ones meanwhile; `size` tells the bytes of a result.

    `items` are read by the thread that takes the results. What `work` raises is raised where its result is taken. When
    the iterator is closed early, nothing new is begun.
    """
    room = _Room()

    def worked(item: Item) -> list[Result]:
        if not room.wait():
            return []
        result = work(item)
        room.hold(size(result))
        return [result]

    def taken(future: Future[list[Result]]) -> Iterator[Result]:
        for result in future.result():
            room.hold(-size(result))
            yield result

    pending: deque[Future[list[Result]]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="decoding") as pool:
        try:
            for item in items:
                pending.append(pool.submit(worked, item))
                if len(pending) > _MOST_WAITING:
                    yield from taken(pending.popleft())
            while pending:
                yield from taken(pending.popleft())
        finally:
            room.close()
            for future in pending:
                future.cancel()
