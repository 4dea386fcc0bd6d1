from __future__ import annotations

from facesieve.images.packs.members import Limits


def test_a_bomb_is_large_and_packed_to_little() -> None:
    limits = Limits(free=1_000, ratio=20)
    assert limits.exceeded(1_001, 50)
    assert limits.exceeded(1_001, 0)
    assert not limits.exceeded(1_000, 1)
    assert not limits.exceeded(2_000, 100)
