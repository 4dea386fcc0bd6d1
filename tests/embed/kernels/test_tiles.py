from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from facesieve.embed.kernels.tiles import LONG, stretch, tiles


@given(st.integers(12, 400), st.floats(LONG + 0.01, 40), st.booleans(), st.floats(0, 1), st.floats(0, 1))
def test_every_face_lies_in_one_tile_as_a_whole(
    short: int, aspect: float, upright: bool, size: float, where: float
) -> None:
    long = int(short * aspect) + 1
    width, height = (short, long) if upright else (long, short)
    every = tiles(width, height)
    side = size * short
    start = where * (long - side)
    along = [(y, h) if upright else (x, w) for x, y, w, h in every]
    assert any(first <= start and start + side <= first + length for first, length in along)
    for x, y, w, h in every:
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
        assert max(w, h) == 2 * short
    assert len(every) <= aspect


def test_a_picture_that_is_not_long_is_in_one_piece() -> None:
    assert tiles(400, 100) == tiles(100, 400) == []
    assert stretch(400, 100) == stretch(100, 400) == 1.0
    assert stretch(1_000, 100) == 5.0
