"""How well two groupings of the same faces agree: B-cubed and pairwise precision, recall and F, NMI, purity.

All of it follows from the cells of the table person x cluster, and cells alike in size count alike. So a grouping of
any number of faces comes down to a few rows of counts, in which nothing depends on the order of the faces.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Groups = npt.NDArray[np.generic]

BANDS = (1, 2, 5, 10, 100)
"""Cluster sizes at which a band of `purity` begins."""


class Agreement(NamedTuple):
    """Precision, recall and their harmonic mean, each from 0 to 1."""

    precision: float
    recall: float
    f: float


class Cells(NamedTuple):
    """The non-empty cells of the table person x cluster: `times` cells hold `both` faces each.

    All int64 [n]: the faces that such a cell, its person and its cluster hold, and how many such cells there are.
    """

    both: Ints
    of_person: Ints
    of_cluster: Ints
    times: Ints

    @property
    def faces(self) -> int:
        """Number of faces in all cells."""
        return int((self.times * self.both).sum())

    @property
    def people(self) -> int:
        """Number of people: each face counts for its share of one."""
        return round(float((self.times * self.both / self.of_person).sum()))

    @property
    def clusters(self) -> int:
        """Number of clusters."""
        return round(float((self.times * self.both / self.of_cluster).sum()))

    def bcubed(self) -> Agreement:
        """Average over faces: the share of its cluster that is its person (precision), and the reverse (recall).

        Without faces, all is 1. Source: Bagga and Baldwin 1998; Amigo et al. 2009.

        >>> contingency(np.array([1, 1, 2]), np.array([5, 5, 5])).bcubed().precision  # (2/3 + 2/3 + 1/3) / 3
        0.5555555555555555
        """
        if not self.faces:
            return Agreement(1.0, 1.0, 1.0)
        weights = self.times * self.both.astype(np.float64) ** 2
        return _agreement(*(float((weights / size).sum()) / self.faces for size in (self.of_cluster, self.of_person)))

    def pairwise(self) -> Agreement:
        """Count pairs of faces: the share of pairs put together that are one person, and of one person's put together.

        A share of no pairs at all is 1.

        >>> contingency(np.array([1, 1, 2]), np.array([5, 5, 5])).pairwise()
        Agreement(precision=0.3333333333333333, recall=1.0, f=0.5)
        """
        both, together, of_one_person = (
            int((self.times * self.both * (size - 1)).sum()) for size in (self.both, self.of_cluster, self.of_person)
        )
        return _agreement(both / together if together else 1.0, both / of_one_person if of_one_person else 1.0)

    def mutual_information(self) -> float:
        """Normalised mutual information: shared entropy over the arithmetic mean of both, from 0 to 1.

        Two groupings without any entropy (one group each, or no faces) agree: 1. Source: Strehl and Ghosh 2002.

        >>> round(contingency(np.array([1, 1, 2]), np.array([5, 5, 6])).mutual_information(), 12)
        1.0
        """
        faces = max(self.faces, 1)
        shares = self.times * self.both / faces
        person, cluster = (np.log(size / faces) for size in (self.of_person, self.of_cluster))
        entropies = -float((shares * (person + cluster)).sum())
        if entropies <= 0:
            return 1.0
        shared = float((shares * (np.log(self.both / faces) - person - cluster)).sum())
        return min(1.0, max(0.0, 2 * shared / entropies))


class Band(NamedTuple):
    """The clusters of `least` to `most` faces (None: no end): how many, their faces, and the purity.

    Purity is the share of faces that are of their cluster's most frequent person; None where there is no cluster.
    """

    least: int
    most: int | None
    clusters: int
    faces: int
    purity: float | None


def contingency(truth: Groups, labels: Groups) -> Cells:
    """Count the cells of two groupings of the same faces: truth, labels [n] of any sortable type.

    >>> [column.tolist() for column in contingency(np.array([1, 1, 2]), np.array([5, 5, 5]))]
    [[1, 2], [1, 2], [3, 3], [1, 1]]
    """
    _, person, of_person = np.unique(truth, return_inverse=True, return_counts=True)
    _, cluster, of_cluster = np.unique(labels, return_inverse=True, return_counts=True)
    cell, both = np.unique(person.astype(np.int64) * len(of_cluster) + cluster, return_counts=True)
    person, cluster = np.divmod(cell, max(len(of_cluster), 1))
    columns = np.stack([both, of_person[person], of_cluster[cluster]], axis=1).astype(np.int64)
    alike, times = np.unique(columns, axis=0, return_counts=True)
    return Cells(alike[:, 0], alike[:, 1], alike[:, 2], times)


def bcubed(truth: Groups, labels: Groups) -> Agreement:
    """Return `Cells.bcubed` of two groupings: truth, labels [n] of any sortable type.

    >>> bcubed(np.array([1, 1, 2]), np.array([5, 5, 5])).recall
    1.0
    """
    return contingency(truth, labels).bcubed()


def pairwise(truth: Groups, labels: Groups) -> Agreement:
    """Return `Cells.pairwise` of two groupings: truth, labels [n] of any sortable type.

    >>> pairwise(np.array([1, 1, 2]), np.array([5, 5, 5])).recall
    1.0
    """
    return contingency(truth, labels).pairwise()


def purity(size: Ints, largest: Ints, times: Ints) -> list[Band]:
    """Purity of the clusters by their size: `times` clusters hold `size` faces, `largest` of them of one person.

    Shapes: int64 [n] each. One band for each of BANDS.

    >>> purity(np.array([1, 4]), np.array([1, 3]), np.array([7, 2]))[:2]
    [Band(least=1, most=1, clusters=7, faces=7, purity=1.0), Band(least=2, most=4, clusters=2, faces=8, purity=0.75)]
    """
    bands = []
    for least, following in zip(BANDS, (*BANDS[1:], None), strict=True):
        within = size >= least if following is None else (size >= least) & (size < following)
        faces = int((times * size)[within].sum())
        pure = int((times * largest)[within].sum()) / faces if faces else None
        most = None if following is None else following - 1
        bands.append(Band(least, most, int(times[within].sum()), faces, pure))
    return bands


def _agreement(precision: float, recall: float) -> Agreement:
    total = precision + recall
    return Agreement(precision, recall, 2 * precision * recall / total if total else 0.0)
