from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from facesieve.embed.prefetch import prefetched


def threads() -> int:
    return sum(thread.name.startswith("decoding") for thread in threading.enumerate())


def test_results_come_in_order_and_work_goes_on_meanwhile() -> None:
    done: list[int] = []

    def work(number: int) -> int:
        done.append(number)
        return number * 2

    results = prefetched(range(40), work, lambda _: 1)
    assert next(results) == 0
    time.sleep(0.1)
    assert len(done) > 1, "the next ones are done while the first is used"
    assert list(results) == list(range(2, 80, 2))
    assert threads() == 0


def test_it_is_never_far_prefetched() -> None:
    asked: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(1_000):
            asked.append(number)
            yield number

    large = prefetched(numbers(), lambda number: number, lambda _: 50_000_000)
    begun: list[int] = []

    def begin(number: int) -> int:
        begun.append(number)
        return number

    waiting = prefetched(numbers(), begin, lambda _: 50_000_000)
    next(large), next(waiting)
    time.sleep(0.2)
    assert len(asked) < 50
    assert len(begun) <= 3, "two results of 50 MB wait, none is begun beyond them"
    del large, waiting
    assert threads() == 0


def test_what_work_raises_is_raised_where_its_result_is_taken() -> None:
    def work(number: int) -> int:
        if number == 3:
            raise KeyError(number)
        return number

    results = prefetched(range(100), work, lambda _: 0)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError):
        next(results)
    assert threads() == 0


def test_nothing_given_nothing_done() -> None:
    assert list(prefetched([], str, len)) == []
