"""Which cells are compared in which partition: neighbours together, so that a face travels to few, and even work."""

from __future__ import annotations

import numpy as np

from facesieve.faces.vectors import Floats
from facesieve.link.kernels.cells import Layout, cut_cells
from facesieve.link.kernels.voronoi import Pivots

_POWER_STEPS = 8


def lay_out(pivots: Pivots, residents: Floats, work: Floats, parts: int) -> Layout:
    """Assign cells to `parts` partitions of about equal work by cutting the pivots in two, and each half again.

    Shapes: float32 [m, D], estimated residents float64 [m], work float64 [m]. Each cut is across the direction in which
    the pivots spread most. The result of the join does not depend on it.

    >>> lay_out(np.eye(2, dtype=np.float32), np.ones(2), np.ones(2), 2).base.tolist() in ([0, 1], [1, 0])
    True
    """
    base = np.zeros(len(pivots), np.int64)
    todo = [(np.arange(len(pivots)), 0, parts)]
    while todo:
        cells, first, share = todo.pop()
        if share == 1 or not len(cells):
            base[cells] = first
            continue
        left = share // 2
        ordered = cells[np.argsort(_along_spread(pivots[cells]), kind="stable")]
        done = np.cumsum(work[ordered])
        border = int(np.searchsorted(done, done[-1] * left / share, side="right"))
        todo.append((ordered[:border], first, left))
        todo.append((ordered[border:], first + left, share - left))
    return Layout(parts, cut_cells(np.arange(len(pivots)), residents), base)


def _along_spread(pivots: Pivots) -> Floats:
    """Position of each pivot along the first principal direction, found by power iteration."""
    centred = pivots.astype(np.float64) - pivots.mean(axis=0)
    direction = np.ones(pivots.shape[1])
    for _ in range(_POWER_STEPS):
        direction = centred.T @ (centred @ direction)
        length = np.linalg.norm(direction)
        if length == 0:
            break
        direction /= length
    return np.asarray(centred @ direction)
