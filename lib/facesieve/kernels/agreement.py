"""How well two groupings of the same faces agree: B-cubed and pairwise precision, recall and F."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Agreement(NamedTuple):
    """Precision, recall and their harmonic mean, each from 0 to 1."""

    precision: float
    recall: float
    f: float


def bcubed(truth: npt.NDArray[np.generic], labels: npt.NDArray[np.generic]) -> Agreement:
    """Average over faces: the share of its cluster that is its person (precision), and the reverse (recall).

    truth, labels: [n] of any sortable type. Without faces, all is 1. Source: Bagga and Baldwin 1998; Amigo et al. 2009.

    >>> bcubed(np.array([1, 1, 2]), np.array([5, 5, 5])).precision  # (2/3 + 2/3 + 1/3) / 3
    0.5555555555555555
    """
    cells, in_truth, in_labels = _contingency(truth, labels)
    faces = max(int(cells.sum()), 1)
    if not len(cells):
        return Agreement(1.0, 1.0, 1.0)
    weights = cells.astype(np.float64) ** 2
    return _agreement(float((weights / in_labels).sum() / faces), float((weights / in_truth).sum() / faces))


def pairwise(truth: npt.NDArray[np.generic], labels: npt.NDArray[np.generic]) -> Agreement:
    """Count pairs of faces: the share of pairs put together that are one person, of pairs of one person put together.

    truth, labels: [n] of any sortable type. A share of no pairs at all is 1.

    >>> pairwise(np.array([1, 1, 2]), np.array([5, 5, 5]))
    Agreement(precision=0.3333333333333333, recall=1.0, f=0.5)
    """
    cells, _, _ = _contingency(truth, labels)
    both = _pairs(cells)
    together = _pairs(np.unique(labels, return_counts=True)[1])
    of_one_person = _pairs(np.unique(truth, return_counts=True)[1])
    return _agreement(both / together if together else 1.0, both / of_one_person if of_one_person else 1.0)


def _contingency(truth: npt.NDArray[np.generic], labels: npt.NDArray[np.generic]) -> tuple[Ints, Ints, Ints]:
    """Return the sizes of the non-empty cells person x cluster, and for each the sizes of its person and cluster."""
    _, person, of_person = np.unique(truth, return_inverse=True, return_counts=True)
    _, cluster, of_cluster = np.unique(labels, return_inverse=True, return_counts=True)
    cell, size = np.unique(person.astype(np.int64) * len(of_cluster) + cluster, return_counts=True)
    return size, of_person[cell // max(len(of_cluster), 1)], of_cluster[cell % max(len(of_cluster), 1)]


def _pairs(sizes: Ints) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _agreement(precision: float, recall: float) -> Agreement:
    total = precision + recall
    return Agreement(precision, recall, 2 * precision * recall / total if total else 0.0)
