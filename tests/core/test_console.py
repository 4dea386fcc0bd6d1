"""What a person reads: counts, durations, tables of words, progress."""

from __future__ import annotations

import pytest

from facesieve.core.console import Progress, aligned, count, duration


def test_counts() -> None:
    assert [count(number) for number in (None, 0, 1_234_567)] == ["-", "0", "1,234,567"]


def test_durations() -> None:
    seconds = (0, 1.26, 59.94, 65, 3_599.6, 7_320)
    assert [duration(each) for each in seconds] == [
        "0.0 s",
        "1.3 s",
        "59.9 s",
        "1 min 05 s",
        "1 h 00 min",
        "2 h 02 min",
    ]


def test_words_stand_below_each_other_the_first_to_the_left() -> None:
    assert aligned([["a", "b", "c"], ["long", "1", "1,000"]]) == "a     b      c\nlong  1  1,000"
    assert aligned([["a", ""]]) == "a", "no blanks at the end"


def test_progress_tells_rate_and_time_left(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    caplog.set_level("INFO")
    now = [100.0]
    monkeypatch.setattr("facesieve.core.console.time.monotonic", lambda: now[0])
    progress = Progress("embed", 3_000)
    now[0] += 10
    progress.step(1_000)
    now[0] += 10
    progress.step(2_000)
    assert caplog.messages == [
        "embed: 1,000 of 3,000, 100.0/s, 20.0 s left",
        "embed: 3,000 of 3,000, 150.0/s, 0.0 s left",
    ]
