"""Near duplicates among images: how far two perceptual hashes differ, and which image of several alike is kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

_COMPARISONS = 1 << 20
"""Comparisons of pictures that are held at a time."""

Ids = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]


def least_difference(views: Hashes, wholes: Hashes) -> Ids:
    """Count the bits in which the whole of one image differs from the view of another that is most like it.

    Shapes: uint8 [P, V, B], V views of B bytes for one image of each pair, and [P, B] for the other -> int64 [P].

    >>> least_difference(np.array([[[0], [7]]], np.uint8), np.array([[5]], np.uint8))
    array([1])
    """
    of_words = np.bitwise_count(_as_words(views) ^ _as_words(wholes)[:, None])
    bits = np.zeros(of_words.shape[:2], np.uint16)
    for word in range(of_words.shape[2]):  # words are few: a sum over them takes twice as long
        bits += of_words[:, :, word]
    return np.asarray(bits.min(axis=1).astype(np.int64))


def _as_words(hashes: Hashes) -> npt.NDArray[Any]:
    """View bytes [..., B] as words of eight, which are compared eight times faster, where B allows it."""
    together = hashes if hashes.strides[-1] == 1 else np.ascontiguousarray(hashes)
    return together.view(np.uint64 if hashes.shape[-1] % 8 == 0 else np.uint8)


def lone_pairs(wholes: Hashes, turned: Hashes, lone: Flags, most: int) -> Ids:
    """Pair lone pictures with those that are like them, as they stand or turned by quarters.

    Shapes: uint8 [N, B], the wholes; [N, 3, B], the wholes turned by 1, 2 and 3 quarters; bool [N] -> int64 [4, P]:
    places of a lone picture and of another that differ in at most `most` bits, the bits, and the quarter turns that
    bring the lone one to the other. A pair comes once, by its likest turn.

    >>> turned = np.array([[[1], [9], [1]], [[1], [1], [1]]], np.uint8)
    >>> lone_pairs(np.array([[7], [8]], np.uint8), turned, np.array([True, False]), 1)
    array([[0],
           [1],
           [1],
           [2]])
    """
    whole_words = _as_words(wholes)
    forms = np.concatenate([whole_words[:, None], _as_words(turned)], axis=1)
    rows, places = [np.empty((4, 0), np.int64)], np.flatnonzero(lone)
    at_a_time = max(1, _COMPARISONS // max(1, forms.shape[1] * len(lone)))
    for some in np.split(places, np.arange(at_a_time, len(places), at_a_time)):
        bits = np.zeros((len(some), forms.shape[1], len(lone)), np.uint16)
        for word in range(whole_words.shape[1]):
            bits += np.bitwise_count(forms[some, :, None, word] ^ whole_words[:, word])
        least = bits.min(axis=1)
        # Of two lone pictures the first is paired with the second, and none with itself.
        row, other = np.nonzero((least <= most) & ~(lone & (np.arange(len(lone)) <= some[:, None])))
        turn = bits[row, :, other].argmin(axis=1)
        rows.append(np.stack([some[row], other, least[row, other], turn]))
    return np.concatenate(rows, axis=1)


def leaders(images: Ids, left: Ids, right: Ids) -> Ids:
    """Find for each image the one that is kept in its place: itself, or the best kept image that it is near.

    Shapes: image ids int64 [N], best first; near pairs of them as ids, int64 [P] each, in any order and direction ->
    ids int64 [N]. Greedy from best to worst: an image that is near one already kept follows the best such image, else
    it is kept. So whoever follows was itself found near its leader, never by way of a third image, and no two of the
    kept are near. The sequential greedy maximal independent set; time and memory grow with N + P.

    >>> leaders(np.array([7, 5, 9, 4]), np.array([5, 9]), np.array([7, 5]))
    array([7, 7, 9, 4])
    """
    worse, firsts = _worse_neighbours(images, left, right)
    leader = np.full(len(images), -1)
    for place in range(len(images)):
        if leader[place] < 0:
            leader[place] = place
            near = worse[firsts[place] : firsts[place + 1]]
            # The best come first, so whoever has a leader has the best one that it can have.
            leader[near[leader[near] < 0]] = place
    return np.asarray(images[leader])


def _worse_neighbours(images: Ids, left: Ids, right: Ids) -> tuple[Ids, Ids]:
    """Places of the worse end of each pair, grouped by the place of the better end: [P], [N + 1] where groups begin."""
    ordered = np.argsort(images, kind="stable")
    ends = ordered[np.searchsorted(images[ordered], np.stack([left, right]))]
    better, worse = ends.min(axis=0), ends.max(axis=0)
    firsts = np.concatenate(([0], np.cumsum(np.bincount(better, minlength=len(images)))))
    return worse[np.argsort(better, kind="stable")], firsts
