"""Closed neighbourhoods: the strongest neighbours of a face, and the face itself, with the gains of their cosines.

The gain of a cosine is its share of the way from the impostor line to 1. All numbers are integers in units of 2^-20, so
that no sum depends on its order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Shorts = npt.NDArray[np.int32]
Cosines = npt.NDArray[np.float32]

SCORE_SCALE = 2**20
"""A gain, an overlap or a score of 1 is this many."""


class Hoods(NamedTuple):
    """Closed neighbourhoods of `faces` int64 [n], ascending.

    Face i has the entries starts[i] to starts[i] + sizes[i] (int64 [n] each) of others int64 [m] and gains int32 [m].
    The others are the ids of its neighbours and its own. totals: int64 [n], the sums of the gains of each face.
    """

    faces: Ints
    starts: Ints
    sizes: Ints
    totals: Ints
    others: Ints
    gains: Shorts

    def take(self, rows: Ints) -> Hoods:
        """Return the neighbourhoods of some rows, ascending int64, and their entries only."""
        sizes = self.sizes[rows]
        entries = ranges(self.starts[rows], sizes)
        return Hoods(
            self.faces[rows], starts_of(sizes), sizes, self.totals[rows], self.others[entries], self.gains[entries]
        )


def gain(cosines: Cosines, line: float) -> Ints:
    """Turn cosines into gains: floor(2^20 clip((cosine - line) / (1 - line), 0, 1)), computed in float64.

    Shapes: float32 [E] -> int64 [E]. line: the impostor line, a cosine below 1.

    >>> gain(np.array([0.25, 0.5, 0.75, 1.0], np.float32), 0.5).tolist()
    [0, 0, 524288, 1048576]
    """
    shares = (cosines.astype(np.float64) - line) / (1 - line)
    return np.floor(SCORE_SCALE * np.clip(shares, 0, 1)).astype(np.int64)


def hoods(owners: Ints, others: Ints, cosines: Cosines, line: float, most: int) -> Hoods:
    """Find the closed neighbourhoods of all owners: the `most` strongest neighbours of each, and the face itself.

    owners, others: int64 [E], cosines: float32 [E]: every edge of each owner, once. The strongest have the greatest
    cosine, among equals the smaller id.

    >>> closed = hoods(np.array([1, 1, 2]), np.array([2, 3, 1]), np.array([0.5, 0.75, 0.5], np.float32), 0.5, 1)
    >>> closed.faces.tolist(), closed.others.tolist(), closed.gains.tolist()
    ([1, 2], [1, 3, 2, 1], [1048576, 524288, 1048576, 0])
    """
    faces, first, degrees, order = _by_strength(owners, others, cosines)
    sizes = np.minimum(degrees, most) + 1
    starts = starts_of(sizes)
    strongest = order[ranges(first, sizes - 1)]
    neighbour = np.ones(int(sizes.sum()), np.bool_)
    neighbour[starts] = False
    ids, gains = np.empty(len(neighbour), np.int64), np.empty(len(neighbour), np.int32)
    ids[starts], ids[neighbour] = faces, others[strongest]
    gains[starts], gains[neighbour] = SCORE_SCALE, gain(cosines[strongest], line)
    totals = np.add.reduceat(gains, starts, dtype=np.int64) if len(starts) else starts
    return Hoods(faces, starts, sizes, totals, ids, gains)


def _by_strength(owners: Ints, others: Ints, cosines: Cosines) -> tuple[Ints, Ints, Ints, Ints]:
    """Order edges by owner, the strongest first: the owners, where each begins, how many edges each has, the order."""
    faces = np.unique(owners)
    owner = np.searchsorted(faces, owners)
    degrees = np.bincount(owner, minlength=len(faces))
    # One sort of integers is faster than three of columns. Bits of floats order like the floats, below 0 in reverse.
    bits = (cosines + np.float32(0)).view(np.int32)
    strength = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits).astype(np.int64)
    key = (owner << 32) | (np.iinfo(np.int32).max - strength)
    order = np.argsort(key)
    ordered = key[order]
    same = ordered[1:] == ordered[:-1]
    tied = np.append(same, False) | np.append(False, same) if len(same) else np.zeros(len(order), np.bool_)
    ties = order[tied]
    order[tied] = ties[np.lexsort((others[ties], key[ties]))]
    return faces, starts_of(degrees), degrees, order


def united(parts: Sequence[Hoods]) -> Hoods:
    """Unite neighbourhoods (at least one part); a face may come more than once, always with the same.

    >>> part = hoods(np.array([1]), np.array([2]), np.array([0.5], np.float32), 0.5, 1)
    >>> united([part, part]).faces.tolist()
    [1]
    """
    shifts = starts_of(np.array([len(part.others) for part in parts]))
    starts = np.concatenate([part.starts + shift for part, shift in zip(parts, shifts, strict=True)])
    faces, sizes, totals, others, gains = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("faces", "sizes", "totals", "others", "gains")
    )
    unique, rows = np.unique(faces, return_index=True)
    return Hoods(unique, starts[rows], sizes[rows], totals[rows], others, gains)


def starts_of(sizes: Ints) -> Ints:
    """Return where each of several parts begins that are laid one behind the other."""
    return np.asarray(np.cumsum(sizes) - sizes)


def ranges(starts: Ints, sizes: Ints) -> Ints:
    """Concatenate the ranges from starts[i], sizes[i] long."""
    return np.repeat(starts - starts_of(sizes), sizes) + np.arange(int(sizes.sum()))
