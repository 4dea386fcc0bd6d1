"""Unit vectors, and cosines that are the same to the bit on every machine.

Sums run in index order (`accumulate`, never `sum`, `dot` or `einsum`, whose order depends on shapes and threads), or
they are made in any order, with an error bound, and made anew in index order where it might matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Halves = npt.NDArray[np.float16]
Shorts = npt.NDArray[np.float32]
Cosines = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]
Hits = tuple[Indices, Indices, npt.NDArray[np.float32]]

BLOCK = 2_048
"""Rows of a block product: bounds its memory (BLOCK x BLOCK float32 is 16 MB)."""

ROWS, COLUMNS = 256, 2_048
"""Shape of a block that is compared with a threshold: 2 MB, so that it stays in the cache meanwhile."""

MARGIN = 1e-3
"""Prefilter margin: far above the rounding of a float32 block product of unit vectors."""

_PAIRS, _WIDENED = 256, 512


def ordered_dot(left: Floats, right: Floats) -> Floats:
    """Dot products over the last axis, summed in index order.

    Shapes: any two float64 arrays that broadcast to [..., D]; returns [...] float64.

    >>> ordered_dot(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])).tolist()
    [11.0]
    """
    products = left * right
    if products.shape[-1] == 0:
        return np.zeros(products.shape[:-1])
    return np.asarray(np.add.accumulate(products, axis=-1)[..., -1])


def unit(vectors: npt.NDArray[Any]) -> Floats:
    """Scale rows to unit length, in float64 with the norm summed in index order; a zero row stays zero.

    Shapes: [N, D] of any float type -> [N, D] float64.

    >>> unit(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    wide = vectors.astype(np.float64)
    norms = np.sqrt(ordered_dot(wide, wide))[:, None]
    return np.divide(wide, norms, out=wide, where=norms > 0)


def half_unit(vectors: npt.NDArray[Any]) -> Floats:
    """Round rows to float16, then scale them to unit length in float64: the form in which faces are compared.

    Shapes: [N, D] of any float type -> [N, D] float64. Idempotent in float16: rounded input gives the same rows.

    >>> half_unit(np.array([[3.0, 4.0]])).tolist()
    [[0.6, 0.8]]
    """
    return unit(vectors.astype(np.float16))


def pair_cosine(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Cosine of each row of `a` with the same row of `b`, bit-identical whatever the batch.

    Shapes: two [P, D] of any float type -> [P] float32. Rows are rounded to float16, normalised and multiplied in
    float64, and rounded to float32 at the end.

    >>> pair_cosine(np.array([[1.0, 0.0]]), np.array([[0.6, 0.8]])).tolist()
    [0.6001562476158142]
    """
    return ordered_dot(half_unit(a), half_unit(b)).astype(np.float32)


def short_unit(vectors: Halves) -> Shorts:
    """Rows of unit length in float32, for block products: cosines from them err by less than MARGIN.

    Shapes: float16 [N, D] -> float32 [N, D]; a zero row stays zero.

    >>> short_unit(np.array([[3, 4]], np.float16)).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    units = np.empty(vectors.shape, np.float32)
    for part in slices(len(vectors), _WIDENED):
        rows = units[part]
        rows[...] = vectors[part].astype(np.float64)  # NumPy widens float16 to float64 faster than to float32
        norms = np.sqrt(np.einsum("nd,nd->n", rows, rows))
        np.divide(rows, np.where(norms > 0, norms, 1)[:, None], out=rows)
    return units


def near_pairs(left: Shorts, right: Shorts, cosine: float) -> tuple[Indices, Indices]:
    """Find the pairs whose float32 product is at or above `cosine` less MARGIN: all that may be hits.

    Shapes: float32 [n, D] and [k, D] -> indices i [H], j [H] in row-major order.

    >>> [rows.tolist() for rows in near_pairs(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), 0.5)]
    [[0, 1], [0, 1]]
    """
    flat = np.flatnonzero(left @ right.T >= np.float32(cosine - MARGIN))
    i, j = np.divmod(flat, len(right))
    return i, j


def near_pairs_by_block(
    left: Shorts, count: int, right: Callable[[slice], Shorts], cosine: float
) -> Iterator[tuple[Indices, Indices]]:
    """Find near pairs in blocks of ROWS x COLUMNS: one block of columns after the other, and in it all rows.

    Shapes: float32 [n, D]; `right` gives the rows of a slice of range(count), float32 [k, D]. Yields indices i, j.

    >>> axes = np.eye(2, dtype=np.float32)
    >>> [(i.tolist(), j.tolist()) for i, j in near_pairs_by_block(axes, 2, lambda part: axes[part], 0.5)]
    [([0, 1], [0, 1])]
    """
    for columns in slices(count, COLUMNS):
        others = right(columns)
        for rows in slices(len(left), ROWS):
            i, j = near_pairs(left[rows], others, cosine)
            yield i + rows.start, j + columns.start


def exact_cosine(left: Halves, i: Indices, right: Halves, j: Indices) -> Cosines:
    """Cosine of row i of `left` with row j of `right`: `pair_cosine` to the bit, fast where rows come many times.

    Shapes: float16 [n, D], [k, D], indices int64 [H] -> float32 [H].

    >>> axes = np.eye(2, dtype=np.float16)
    >>> exact_cosine(axes, np.array([0, 1]), axes, np.array([0, 0])).tolist()
    [1.0, 0.0]
    """
    (lefts, at), (rights, to) = _occurring(left, i), _occurring(right, j)
    near = np.empty(len(i))
    for part in slices(len(i), _PAIRS):
        near[part] = np.einsum("pd,pd->p", lefts.take(at[part], axis=0), rights.take(to[part], axis=0))
    cosines, unsure = _rounded(near, left.shape[1])
    cosines[unsure] = pair_cosine(left[i[unsure]], right[j[unsure]])
    return cosines


def exact_product(left: Halves, right: Halves, rights: Floats) -> Cosines:
    """Cosines of all rows of `left` with all of `right`: `pair_cosine` to the bit; `rights` is `wide_unit(right)`.

    Shapes: float16 [n, D] and [k, D], float64 [k, D] -> float32 [n, k].

    >>> axes = np.eye(2, dtype=np.float16)
    >>> exact_product(axes[:1], axes, wide_unit(axes)).tolist()
    [[1.0, 0.0]]
    """
    cosines, unsure = _rounded(wide_unit(left) @ rights.T, left.shape[1])
    i, j = np.nonzero(unsure)
    cosines[i, j] = pair_cosine(left[i], right[j])
    return cosines


def wide_unit(vectors: Halves) -> Floats:
    """Rows of unit length in float64, fast: their norms are summed in any order, so that the last bits are not fixed.

    Shapes: float16 [N, D] -> float64 [N, D]; a zero row stays zero.

    >>> wide_unit(np.array([[3, 4]], np.float16)).tolist()
    [[0.6, 0.8]]
    """
    wide = vectors.astype(np.float64)
    norms = np.sqrt(np.einsum("nd,nd->n", wide, wide))
    return np.asarray(np.divide(wide, np.where(norms > 0, norms, 1)[:, None], out=wide))


def _occurring(vectors: Halves, rows: Indices) -> tuple[Floats, Indices]:
    """Unit vectors of the rows that occur, and `rows` renumbered."""
    occurs = np.zeros(len(vectors), np.bool_)
    occurs[rows] = True
    occurring = np.flatnonzero(occurs)
    number = np.empty(len(vectors), np.int64)
    number[occurring] = np.arange(len(occurring))
    return wide_unit(vectors[occurring]), number[rows]


def _rounded(near: Floats, dimension: int) -> tuple[Cosines, npt.NDArray[np.bool_]]:
    """Round to float32, and flag where a sum in index order might round otherwise.

    Two sums of D products of unit vectors, in any order, their norms too, differ by less than (2 D + 8) eps (Higham
    2002, Accuracy and Stability of Numerical Algorithms, 3.1).
    """
    error = (2 * dimension + 8) * float(np.finfo(np.float64).eps)
    low = (near - error).astype(np.float32)
    return low, low != (near + error).astype(np.float32)


def hits(left: Halves, right: Halves, cosine: float) -> Hits:
    """Find all pairs (row of left, row of right) with cosine at or above `cosine`.

    Shapes: float16 [n, D] and [k, D] -> indices i [H], j [H] and exact cosines float32 [H], in row-major order.

    >>> hits(np.eye(2, dtype=np.float16), np.eye(2, dtype=np.float16), 0.5)[0].tolist()
    [0, 1]
    """
    i, j = near_pairs(short_unit(left), short_unit(right), cosine)
    exact = exact_cosine(left, i, right, j)
    reached = exact.astype(np.float64) >= cosine
    return i[reached], j[reached], exact[reached]


def slices(count: int, size: int) -> Iterator[slice]:
    """Cut range(count) into consecutive slices of at most `size`.

    >>> list(slices(5, 3))
    [slice(0, 3, None), slice(3, 5, None)]
    """
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def medoid(ids: Indices, vectors: npt.NDArray[Any]) -> int:
    """Index of the row with the greatest dot product with the sum of all rows; ties go to the smaller id.

    Shapes: ids int64 [N], vectors [N, D], N at least 1. The sum runs in float64 by ascending id, so the row order of
    the input does not matter.

    >>> medoid(np.array([7, 3, 5]), np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]))
    2
    """
    order = np.argsort(ids, kind="stable")
    ascending = vectors[order].astype(np.float64)
    total = np.add.accumulate(ascending, axis=0)[-1]
    return int(order[np.argmax(ordered_dot(ascending, total))])
