"""What an apply may change before it is refused (the comparison itself is tested with the step)."""

from __future__ import annotations

import pytest

from facesieve.publish.change_guard import Change


@pytest.mark.parametrize(
    ("change", "limit", "refused"),
    [
        (Change(), 0.0, False),
        (Change(100, 5), 0.05, False),
        (Change(100, 6), 0.05, True),
        (Change(100, 100), 1.0, False),
        (Change(forgotten=True), 0.99, True),
        (Change(forgotten=True), 1.0, False),
    ],
)
def test_a_share_above_the_limit_is_refused(change: Change, limit: float, refused: bool) -> None:
    assert bool(change.objection(limit)) == refused


def test_an_objection_gives_the_numbers_and_the_key() -> None:
    assert (
        Change(2_000, 1_000).objection(0.1).startswith("1,000 of 2,000 known images would change their verdict (50.0%)")
    )
    assert "publish.max_change = 0.1" in Change(2_000, 1_000).objection(0.1)
    assert "7 of them are no longer there" in Change(10, 8, gone=7).objection(0.1)
    assert "have been expired" in Change(forgotten=True).objection(0.5)
