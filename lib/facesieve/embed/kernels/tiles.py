"""Long pictures in tiles: a panorama on a copy as long as the detector looks at is too low for its faces.

A tile is twice as long as the picture is high, and half of it is the next one's: every face lies in a tile as a whole.
"""

from __future__ import annotations

LONG = 4.0
"""A picture is long if its longer side is more than so many times the shorter."""

_TILE = 2


def stretch(width: int, height: int) -> float:
    """Return how many times longer a picture must be than what is looked at in one piece, so that its tiles are large.

    >>> stretch(1600, 900), stretch(900, 9000)
    (1.0, 5.0)
    """
    aspect = max(width, height) / min(width, height)
    return aspect / _TILE if aspect > LONG else 1.0


def tiles(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Return the tiles of a long picture: (x, y, width, height) in pixels; of another none.

    >>> tiles(500, 100)
    [(0, 0, 200, 100), (100, 0, 200, 100), (200, 0, 200, 100), (300, 0, 200, 100)]
    >>> tiles(300, 100)
    []
    """
    short, long = sorted((width, height))
    if long <= LONG * short:
        return []
    starts = [*range(0, long - _TILE * short, short), long - _TILE * short]
    if width > height:
        return [(start, 0, _TILE * short, short) for start in starts]
    return [(0, start, short, _TILE * short) for start in starts]
