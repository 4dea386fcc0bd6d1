"""Patience with a store, on a clock of the test's own: what is tried again, for how long, and when it is an outage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from facesieve.core.errors import StoreError
from facesieve.images import patience
from facesieve.images.patience import answered, judge, patiently, refuse_outage
from facesieve.images.store_errors import KeysRefused, Unanswered

ROOT = "s3://bucket/faces"
BUSY = OSError("AWS Error SLOW_DOWN during GetObject operation: m")
DENIED = OSError("AWS Error ACCESS_DENIED during GetObject operation: m")


class Clock:
    """Time that passes while somebody sleeps, or works."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


class Store:
    """A store that fails so many times, each time after so many seconds."""

    def __init__(self, clock: Clock, failures: int, problem: OSError = BUSY, seconds: float = 0) -> None:
        self.clock, self.failures, self.problem, self.seconds = clock, failures, problem, seconds
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        if self.asked <= self.failures:
            self.clock.now += self.seconds
            raise self.problem
        return "content"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr("facesieve.images.patience.time.monotonic", lambda: clock.now)
    monkeypatch.setattr("facesieve.images.patience.time.sleep", clock.sleep)
    monkeypatch.delenv(patience.SECONDS, raising=False)
    answered(ROOT)
    yield clock
    answered(ROOT)


@pytest.mark.parametrize("failures", [0, 1, 4])
def test_what_passes_is_asked_again(clock: Clock, failures: int) -> None:
    store = Store(clock, failures)
    assert patiently(store, ROOT) == "content"
    assert (store.asked, len(clock.waits)) == (failures + 1, failures)
    assert clock.waits == sorted(clock.waits) or failures < 2 or max(clock.waits) > min(clock.waits)


@pytest.mark.parametrize("seconds", [0.0, 6.0, 99.0])
def test_patience_ends_in_bounded_time(clock: Clock, seconds: float) -> None:
    with pytest.raises(Unanswered, match="slow down"):
        patiently(Store(clock, 1000, seconds=seconds), ROOT)
    assert clock.now <= 60 + seconds


def test_what_lasts_is_asked_once(clock: Clock) -> None:
    store = Store(clock, 1, DENIED)
    with pytest.raises(PermissionError):
        patiently(store, ROOT)
    assert (store.asked, clock.waits) == (1, [])


def test_the_environment_says_how_long(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    for value, most in (("3", 3.0), ("0", 0.0), ("soon", 60.0)):
        monkeypatch.setenv(patience.SECONDS, value)
        begun = clock.now
        with pytest.raises(Unanswered):
            patiently(Store(clock, 1000), ROOT)
        assert clock.now - begun <= most


def there() -> str:
    return "a folder"


def test_files_that_fail_alone_are_no_outage(clock: Clock) -> None:
    for problem in (FileNotFoundError(), PermissionError(), OSError()):
        judge(ROOT, problem, there)
    for _ in range(3):
        judge(ROOT, Unanswered(), there)
        judge(ROOT, Unanswered(), there)
        answered(ROOT)


def test_three_files_in_a_row_without_an_answer_are_an_outage(clock: Clock) -> None:
    judge(ROOT, Unanswered(110, "slow down"), there)
    judge("s3://other", Unanswered(110, "slow down"), there)
    judge(ROOT, Unanswered(110, "slow down"), there)
    with pytest.raises(StoreError, match=r"s3://bucket/faces .* \(slow down\)"):
        judge(ROOT, Unanswered(110, "slow down"), there)
    answered("s3://other")


@pytest.mark.parametrize(
    "problem", [PermissionError(13, "access denied"), OSError(5, "HTTP status 400"), Unanswered(110, "")]
)
def test_a_root_that_cannot_be_read_any_more_is_an_outage(clock: Clock, problem: OSError) -> None:
    def refused() -> None:
        raise KeysRefused(13, "expiredtoken")

    with pytest.raises(StoreError, match="expiredtoken"):
        judge(ROOT, problem, refused)


def test_keys_that_are_refused_are_an_outage_at_once(clock: Clock) -> None:
    with pytest.raises(StoreError, match="Renew the keys"):
        judge(ROOT, KeysRefused(13, "expired"), there)
    with pytest.raises(StoreError, match="Renew the keys"):
        refuse_outage(ROOT, KeysRefused(13, "expired"))
    refuse_outage(ROOT, PermissionError(13, "access denied"))
